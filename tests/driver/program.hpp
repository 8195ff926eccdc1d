#pragma once

// Runs the program as a person would, and remembers what it said.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include <nlohmann/json.hpp>
#include <sys/wait.h>

namespace tombola::test {

struct answer {
  int code = 0;
  std::string out, err;
};

/// A folder that is gone when the test is over.
class folder {
public:
  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "tombola-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~folder() { std::filesystem::remove_all(path_); }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;

  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
    return path_ / name;
  }
  [[nodiscard]] std::string str() const { return path_.string(); }

private:
  std::filesystem::path path_;
};

inline void write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream{file, std::ios::binary} << text;
}

inline std::string text_of(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// before: put in front of the program's name, such as `timeout -s KILL 0.5`.
inline answer tombola(const std::string& arguments, const std::string& before = "") {
  static const folder scratch;
  const std::string out = (scratch / "out").string(), err = (scratch / "err").string();
  const std::string line =
      before + " " + TOMBOLA_DRIVER + " " + arguments + " >" + out + " 2>" + err + " </dev/null";
  const int status = std::system(line.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), text_of(out),
          text_of(err)};
}

/// What a command that must not fail prints.
inline std::string succeed(const std::string& arguments) {
  const answer a = tombola(arguments);
  INFO(arguments << "\n" << a.out << a.err);
  REQUIRE(a.code == 0);
  return a.out;
}

/// The one line that it answers to --json.
inline nlohmann::json json_of(const std::string& arguments) {
  const std::string out = succeed(arguments + " --json");
  CHECK(std::count(out.begin(), out.end(), '\n') == 1);
  return nlohmann::json::parse(out);
}

/// The last line of what was printed: for steps, the run's folder.
inline std::string last_line(const std::string& text) {
  const auto end = text.find_last_not_of('\n');
  const auto begin = text.find_last_of('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1, end - begin);
}

/// Kills a command in the middle of its work, perhaps twice, lets it go on, and compares: the same
/// bytes as without. line: up to and with its `--out `; files: of the run's folder.
inline void goes_on_to_the_same_bits(const std::string& line,
                                     const std::filesystem::path& here,
                                     const std::vector<std::string>& files) {
  const auto started = std::chrono::steady_clock::now();
  const answer whole = tombola(line + (here / "whole").string());
  INFO(line << "\n" << whole.err);
  REQUIRE(whole.code == 0);
  std::chrono::duration<double> wait = (std::chrono::steady_clock::now() - started) / 2;
  const std::string out = (here / "killed").string();
  const auto killed = [&] {
    return tombola(line + out, "timeout -s KILL " + std::to_string(std::max(wait.count(), 0.001)))
               .code == 137;
  };
  while (!killed()) {  // it was faster this time
    std::filesystem::remove_all(out);
    wait /= 2;
  }
  killed();  // and once more, or not: it goes on from where it was
  const answer after = tombola(line + out);
  REQUIRE(after.code == 0);
  for (const std::string& file : files) {
    CHECK(text_of(last_line(after.out) + "/" + file) == text_of(last_line(whole.out) + "/" + file));
  }
}

/// One sentence with all of these words, exit code, no result, nothing temporary left behind.
inline void refuses(const std::string& arguments,
                    const std::vector<std::string>& words,
                    const std::filesystem::path& out,
                    int code = 2) {
  const answer a = tombola(arguments);
  INFO(arguments << "\n" << a.err);
  CHECK(a.code == code);
  CHECK(std::count(a.err.begin(), a.err.end(), '\n') == 1);
  for (const std::string& word : words) CHECK_THAT(a.err, Catch::Matchers::Contains(word));
  if (!std::filesystem::is_directory(out)) return;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{out}) {
    CHECK(entry.path().filename() != "result.json");
    CHECK(entry.path().string().find(".tmp-") == std::string::npos);
    CHECK(entry.path().string().find(".making") == std::string::npos);
  }
}

/// A tiny pretrained model and its two tasks, made once.
struct pocket_world {
  folder root;
  std::string data, model;

  pocket_world() : data{(root / "data").string()} {
    const answer made = tombola("pocket " + data + " --corpus 300 --train 96 --dev 60");
    REQUIRE(made.code == 0);
    const answer pretrained =
        tombola("pretrain --corpus " + data + "/corpus.txt --vocab " + data +
                "/vocab.txt --layers 2 --hidden 16 --heads 2 --intermediate 32 --quiet --out " +
                (root / "base").string());
    INFO(pretrained.err);
    REQUIRE(pretrained.code == 0);
    model = last_line(pretrained.out) + "/model";
  }

  /// A training command; settings that `more` does not give are those of a quick run.
  [[nodiscard]] std::string train(const std::string& model_folder,
                                  const std::string& out,
                                  const std::string& more = "") const {
    std::string line = "train --model " + model_folder + " --data " + data +
                       " --task pocket-sentiment --quiet --out " + out + " " + more;
    for (const std::string setting : {"--max-length 32", "--rate 1e-3", "--epochs 2"}) {
      const std::string name = setting.substr(0, setting.find(' '));
      if (more.find(name) == std::string::npos) line += " " + setting;
    }
    return line;
  }

  static const pocket_world& instance() {
    static const pocket_world world;
    return world;
  }
};

/// That model trained on the first of the tasks, in a folder of its own.
struct trained {
  folder here;
  std::string runs = (here / "runs").string();
  std::string full =
      last_line(succeed(pocket_world::instance().train(pocket_world::instance().model, runs)));

  /// The folder of a search that no metric ends.
  [[nodiscard]] std::string find(const std::string& more, const std::string& out) const {
    return last_line(succeed("find-masks --quiet --guard-at-least 0 --run " + full + " --out " +
                             out + " " + more));
  }
};

/// The settings that a run's name is made of.
inline nlohmann::json settings_of(const std::string& run) {
  return nlohmann::json::parse(text_of(run + "/run.json")).at("settings");
}

}  // namespace tombola::test
