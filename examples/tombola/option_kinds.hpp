#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <system_error>
#include <vector>

#include "examples/tombola/common_options.hpp"
#include <CLI/CLI.hpp>

// Options that several commands have.

namespace tombola::driver {

/// Any number but NaN and the infinite ones.
inline CLI::Validator finite() {
  return {[](std::string& text) -> std::string {
            double x = 0.0;
            const bool good = CLI::detail::lexical_cast(text, x) && std::isfinite(x);
            return good ? "" : "found " + text + ", expected a finite number";
          },
          "NUMBER"};
}

/// Finite numbers from 0 up, or above 0, with a sentence that a person can read.
inline CLI::Validator at_least_zero(bool zero_too) {
  const std::string wanted = zero_too ? "a number of 0 or more" : "a number above 0";
  return {[zero_too, wanted](std::string& text) -> std::string {
            double x = 0.0;
            const bool good = CLI::detail::lexical_cast(text, x) && (zero_too ? x >= 0.0 : x > 0.0);
            if (good && std::isfinite(x)) return "";
            return "found " + text + ", expected " + (good ? "a finite number" : wanted);
          },
          zero_too ? "NUMBER >= 0" : "NUMBER > 0"};
}

/// A number from 0 to 1. That is not CLI::Range, which takes NaN.
inline CLI::Validator share_of_one() {
  return {[](std::string& text) -> std::string {
            double x = 0.0;
            const bool good = CLI::detail::lexical_cast(text, x) && x >= 0.0 && x <= 1.0;
            return good ? "" : "found " + text + ", expected a number from 0 to 1";
          },
          "NUMBER from 0 to 1"};
}

/// The largest count that options take, and the largest number, such as a seed.
inline constexpr std::uint64_t most_counted = 1'000'000'000;
inline constexpr std::uint64_t largest_whole = std::numeric_limits<std::uint64_t>::max();

/// A whole number from `least` to `most` in digits alone; to be given to Option::transform. Read
/// without it, -1 and what is past 64 bits become another number, and 010 becomes 8.
inline CLI::Validator whole(std::uint64_t least, std::uint64_t most) {
  return {[least, most](std::string& text) -> std::string {
            std::uint64_t x = 0;
            const char* end = text.data() + text.size();
            const auto read = std::from_chars(text.data(), end, x);
            if (read.ec != std::errc{} || read.ptr != end || x < least || x > most) {
              return "found " + text + ", expected a whole number from " + std::to_string(least) +
                     " to " + std::to_string(most);
            }
            text = std::to_string(x);
            return "";
          },
          ""};
}

/// Anything but an empty text. That is what a variable of the shell gives that nobody has set, and
/// `--ticket ''` is not meant to say that there is no ticket.
inline CLI::Validator not_empty() {
  return {[](std::string& text) -> std::string {
            return text.empty() ? "found an empty text, expected a path, word or number" : "";
          },
          ""};
}

/// `a, b or c`.
inline std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "" : i + 1 < words.size() ? ", " : " or ") + words[i];
  }
  return text;
}

/// One of these words.
inline CLI::Validator among(const std::vector<std::string>& words) {
  return {[words](std::string& text) -> std::string {
            const bool good = std::find(words.begin(), words.end(), text) != words.end();
            return good ? "" : "found " + text + ", expected " + listed(words);
          },
          ""};
}

/// One of these words, for the value that it names.
template <class E>
CLI::Validator one_of(const std::map<std::string, E>& values) {
  return {[values](std::string& text) -> std::string {
            const auto at = values.find(text);
            if (at == values.end()) {
              std::vector<std::string> words;
              for (const auto& [word, value] : values) words.push_back(word);
              return "found " + text + ", expected " + listed(words);
            }
            text = std::to_string(static_cast<int>(at->second));  // as the option reads it
            return "";
          },
          ""};
}

/// A count above 0.
inline CLI::Option* counted(CLI::App* app, const char* name, std::size_t& value, const char* help) {
  return app->add_option(name, value, help)
      ->capture_default_str()
      ->transform(whole(1, most_counted));
}

inline CLI::Option* add_seed(CLI::App* app, std::uint64_t& seed, const char* help = "Seed") {
  return app->add_option("--seed", seed, help)
      ->capture_default_str()
      ->transform(whole(0, largest_whole));
}

inline void add_threads(CLI::App* app, common_options& c) {
  app->add_option("--threads", c.threads, "Threads; no result depends on it")
      ->capture_default_str()
      ->transform(whole(1, 1024));
}

/// Which tensors of a checkpoint are meant. more: what else is to be said of it.
inline void add_only(CLI::App* app, std::vector<std::string>& only, const std::string& more = "") {
  app->add_option("--only", only,
                  "Tensors of checkpoints whose names match this pattern, such as '*.query.*'; may "
                  "be repeated. Without it those of two or more extents" +
                      more)
      ->type_name("PATTERN")
      ->allow_extra_args(false);
}

inline void add_common(CLI::App* app, common_options& c) {
  app->add_flag("--json", c.json, "Answer with one JSON object on one line");
  app->add_flag("--quiet", c.quiet, "No progress");
}

}  // namespace tombola::driver
