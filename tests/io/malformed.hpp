#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

#include "tombola/core/error.hpp"

namespace tombola::test {

/// The bytes of a file that is not what it should be, and what its reader says after the file's
/// name. A sentence that ends in * goes on in words that the JSON library chooses.
struct malformed {
  std::string content;
  std::string sentence;
};

using file_reader = std::function<void(const std::filesystem::path&)>;

/// Every file is refused with its own sentence, and no two mistakes have the same.
inline void refuse_each(const std::vector<malformed>& files, const file_reader& read) {
  const scratch_folder folder;
  const auto path = folder / "x";
  std::set<std::string> sentences;
  for (const malformed& m : files) {
    put(path, m.content);
    std::string found = sentence<format_error>([&] { read(path); }, path.string());
    if (m.sentence.ends_with('*')) found.replace(m.sentence.size() - 1, found.npos, "*");
    CHECK(found == m.sentence);
    CHECK(sentences.insert(found).second);
  }
}

/// How many damaged files were read and how many refused.
struct damage_tally {
  std::size_t read = 0;
  std::size_t refused = 0;
};

/// Reads every truncation of a good file, and every copy with one bit or one whole byte turned
/// over. What is refused is refused with one printable line that starts with the file's name; any
/// other exception ends the test, a crash the program.
inline damage_tally damage_each(const std::string& good, const file_reader& read) {
  const scratch_folder folder;
  const auto path = folder / "x";
  damage_tally t;
  const auto attempt = [&](const std::string& content) {
    put(path, content);
    try {
      read(path);
      ++t.read;
    } catch (const error& e) {
      ++t.refused;
      const std::string s = e.what();
      const bool fit = s.find_first_not_of(' ', path.string().size()) != s.npos &&
                       s.size() < path.string().size() + 500;
      if (!(s.starts_with(path.string()) && fit && printable(s, s.size()) == s)) FAIL_CHECK(s);
    }
  };
  for (std::size_t n = 0; n < good.size(); ++n) attempt(good.substr(0, n));
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const int turned : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
      std::string bad = good;
      bad[i] = static_cast<char>(static_cast<unsigned char>(bad[i]) ^ turned);
      attempt(bad);
    }
  }
  CHECK(t.read + t.refused == 10 * good.size());
  return t;
}

}  // namespace tombola::test
