#pragma once

// Mutations of safetensors files: a fuzzer that knows nothing of the length in front of the header,
// and of JSON inside strings of JSON, hardly ever gets past them.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace tombola::fuzz {

/// Some text with the fuzzer's own mutation.
[[nodiscard]] inline std::string mutated(std::string text, std::size_t room) {
  const std::size_t size = text.size();
  text.resize(size + room);
  text.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(text.data()), size, text.size()));
  return text;
}

/// A header with one of the strings in its metadata mutated; unchanged where it has none.
[[nodiscard]] inline std::string with_other_metadata(std::string_view header, unsigned choice) {
  auto json = nlohmann::json::parse(header, nullptr, false);
  if (!json.is_object() || !json.contains("__metadata__")) return std::string{header};
  auto& metadata = json["__metadata__"];
  if (!metadata.is_object() || metadata.empty()) return std::string{header};
  auto at = metadata.begin();
  std::advance(at, choice % metadata.size());
  if (!at->is_string()) return std::string{header};
  *at = mutated(at->get<std::string>(), 64);
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// Header or data of a file mutated, and the length made to fit; or the whole as it is.
[[nodiscard]] inline std::string mutated_safetensors(const std::string& file, unsigned choice) {
  std::uint64_t length = 0;
  if (file.size() >= 8) std::memcpy(&length, file.data(), 8);
  if (file.size() < 8 || length > file.size() - 8 || choice % 8 == 0) return mutated(file, 64);
  std::string header = file.substr(8, length), data = file.substr(8 + length);
  if (choice % 8 < 3) {
    data = mutated(data, 16);
  } else if (choice % 8 < 5) {
    header = mutated(header, 64);
  } else {
    header = with_other_metadata(header, choice / 8);
  }
  length = header.size();
  std::string result(8, '\0');
  std::memcpy(result.data(), &length, 8);
  return result + header + data;
}

}  // namespace tombola::fuzz

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data,
                                               std::size_t size,
                                               std::size_t max_size,
                                               unsigned seed) {
  const std::string result =
      tombola::fuzz::mutated_safetensors({reinterpret_cast<const char*>(data), size}, seed);
  if (result.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, result.data(), result.size());
  return result.size();
}
