#pragma once

// Heavy: the whole JSON library. Headers that only pass a value on include nlohmann/json_fwd.hpp.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tombola/core/error.hpp"
#include "tombola/io/atomic_file.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::io {

/// Brackets inside brackets that a JSON text may hold; deeper ones are refused.
inline constexpr int max_json_depth = 64;
/// Bytes that read_json takes unless told otherwise.
inline constexpr std::size_t max_json_bytes = std::size_t{64} << 20;

namespace detail {

/// Refuses deep nesting and repeated keys while the parser runs; both are legal JSON in which two
/// readers may see two things.
class json_guard {
public:
  explicit json_guard(const std::string& file) : file_{&file} {}

  bool operator()(int depth, nlohmann::json::parse_event_t event, const nlohmann::json& value) {
    using kind = nlohmann::json::parse_event_t;
    if (event == kind::object_start || event == kind::array_start) {
      if (depth >= max_json_depth) {
        throw format_error(
            *file_, "JSON is nested more than " + std::to_string(max_json_depth) + " levels deep");
      }
      if (event == kind::object_start) keys_.emplace_back();
    } else if (event == kind::object_end) {
      keys_.pop_back();
    } else if (event == kind::key) {
      const auto& key = value.get_ref<const std::string&>();
      if (!keys_.back().insert(key).second) {
        throw format_error(*file_, "JSON object has the key " + shown(key) + " twice");
      }
    }
    return true;
  }

private:
  const std::string* file_;
  std::vector<std::set<std::string>> keys_;
};

/// `line 3, column 7` of byte `at` (from 1) of a text.
[[nodiscard]] inline std::string place_in(std::string_view text, std::size_t at) {
  std::size_t line = 1, column = 1;
  for (const char c : text.substr(0, at == 0 ? 0 : at - 1)) {
    line += c == '\n' ? 1 : 0;
    column = c == '\n' ? 1 : column + 1;
  }
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

/// The parser's own words without its tag and its idea of the place.
[[nodiscard]] inline std::string complaint(std::string_view words) {
  if (const auto end = words.find("] "); end != words.npos) words.remove_prefix(end + 2);
  if (words.starts_with("parse error")) {
    if (const auto end = words.find(": "); end != words.npos) words.remove_prefix(end + 2);
  }
  const std::string s = shown(words, 200);
  return s.substr(1, s.size() - 2);
}

}  // namespace detail

/// A JSON value from text; `file` is what messages call it.
///
/// Throws format_error, naming the file and where it can the line and column, for text that is not
/// JSON in UTF-8, nests deeper than max_json_depth or repeats a key.
[[nodiscard]] inline nlohmann::json parse_json(std::string_view text,
                                               const std::filesystem::path& file) {
  const std::string name = file.string();
  try {
    detail::json_guard guard{name};
    // By reference: the library copies its callback, which has to see every event.
    return nlohmann::json::parse(
        text, [&guard](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
          return guard(depth, event, value);
        });
  } catch (const nlohmann::json::parse_error& e) {
    throw format_error(name, "is not JSON: " + detail::place_in(text, e.byte) + ": " +
                                 detail::complaint(e.what()));
  } catch (const nlohmann::json::exception& e) {
    throw format_error(name, "is not JSON that can be used: " + detail::complaint(e.what()));
  }
}

/// The JSON value of a file. Throws as parse_json and read_text do.
[[nodiscard]] inline nlohmann::json read_json(const std::filesystem::path& path,
                                              std::size_t max_bytes = max_json_bytes) {
  return parse_json(read_text(path, max_bytes), path);
}

/// A value as text: on one line for indent -1, else indented by so many blanks; keys sorted.
/// Numbers that are not finite become null: JSON has none. Throws input_error, naming the file it
/// is meant for, if a string in it is not UTF-8.
[[nodiscard]] inline std::string json_text(const nlohmann::json& value,
                                           const std::filesystem::path& file,
                                           int indent = -1) {
  try {
    return value.dump(indent);
  } catch (const nlohmann::json::exception& e) {
    throw input_error(file.string() +
                      ": cannot be written as JSON: " + detail::complaint(e.what()));
  }
}

/// Writes a value, indented by two blanks and ending in a line break; the file appears complete or
/// not at all. Throws as json_text and atomic_file do.
inline void write_json(const std::filesystem::path& path, const nlohmann::json& value) {
  write_file(path, json_text(value, path, 2) + "\n");
}

/// A path as JSON can hold it: what of it is not UTF-8 becomes U+FFFD.
[[nodiscard]] inline nlohmann::json path_json(const std::filesystem::path& path) {
  const nlohmann::json text = path.string();
  return nlohmann::json::parse(text.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

/// What was found, for a message: `a list`, `an object`, or any other value as its text in quotes.
[[nodiscard]] inline std::string shown_value(const nlohmann::json& v) {
  if (v.is_array()) return "a list";
  if (v.is_object()) return "an object";
  return shown(v.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

namespace detail {

template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;

/// What a member of type T is called in a message.
template <class T>
[[nodiscard]] std::string json_kind() {
  if constexpr (std::same_as<T, bool>)
    return "true or false";
  else if constexpr (std::unsigned_integral<T>)
    return "a whole number of 0 or more";
  else if constexpr (std::integral<T>)
    return "a whole number";
  else if constexpr (std::floating_point<T>)
    return "a number";
  else if constexpr (is_vector<T>)
    return "a list, each " + json_kind<typename T::value_type>();
  else if constexpr (std::same_as<T, nlohmann::json>)
    return "a value";
  else
    return "a string";
}

/// The value as T, or nothing if it is of another kind or out of T's range.
template <class T>
[[nodiscard]] std::optional<T> json_as(const nlohmann::json& v) {
  if constexpr (std::same_as<T, nlohmann::json>) {
    return v;
  } else if constexpr (std::same_as<T, bool>) {
    if (v.is_boolean()) return v.get<bool>();
  } else if constexpr (std::integral<T>) {
    if (v.is_number_unsigned() && std::in_range<T>(v.get<std::uint64_t>())) return v.get<T>();
    if (v.is_number_integer() && !v.is_number_unsigned() && std::in_range<T>(v.get<std::int64_t>()))
      return v.get<T>();
  } else if constexpr (std::floating_point<T>) {
    if (v.is_number()) return v.get<T>();
  } else if constexpr (is_vector<T>) {
    if (!v.is_array()) return std::nullopt;
    T list;
    for (const auto& element : v) {
      auto one = json_as<typename T::value_type>(element);
      if (!one) return std::nullopt;
      list.push_back(std::move(*one));
    }
    return list;
  } else {
    static_assert(std::same_as<T, std::string>, "bool, numbers, strings, json and vectors of them");
    if (v.is_string()) return v.get<std::string>();
  }
  return std::nullopt;
}

/// What keeps the value from being a T: itself, or an element of a list.
template <class T>
[[nodiscard]] std::string json_fault(const nlohmann::json& v) {
  if constexpr (is_vector<T>) {
    for (std::size_t i = 0; v.is_array() && i < v.size(); ++i) {
      if (!json_as<typename T::value_type>(v[i])) {
        return "has " + shown_value(v[i]) + " as element " + std::to_string(i);
      }
    }
  }
  return "is " + shown_value(v);
}

}  // namespace detail

/// A member of an object as T: bool, a number, std::string, nlohmann::json, or a std::vector of
/// them.
///
/// Throws format_error, naming file, key, what was found and what was expected, if `object` is
/// none, has no such member, or has one of another kind or out of T's range.
template <class T>
[[nodiscard]] T require(const nlohmann::json& object,
                        const std::string& key,
                        const std::filesystem::path& file) {
  if (!object.is_object()) {
    throw format_error(file.string(), "found " + shown_value(object) + " where an object with " +
                                          shown(key) + " was expected");
  }
  const auto at = object.find(key);
  if (at == object.end()) {
    throw format_error(file.string(),
                       "has no " + shown(key) + ", expected " + detail::json_kind<T>());
  }
  auto value = detail::json_as<T>(*at);
  if (value) return std::move(*value);
  throw format_error(file.string(), shown(key) + " " + detail::json_fault<T>(*at) + ", expected " +
                                        detail::json_kind<T>());
}

/// The same for a member that may be missing or null: nothing then.
template <class T>
[[nodiscard]] std::optional<T> optional_member(const nlohmann::json& object,
                                               const std::string& key,
                                               const std::filesystem::path& file) {
  if (object.is_object()) {
    const auto at = object.find(key);
    if (at == object.end() || at->is_null()) return std::nullopt;
  }
  return require<T>(object, key, file);
}

}  // namespace tombola::io
