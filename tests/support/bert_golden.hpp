#pragma once

// What the BERT golden tests share: tensors by name, comparison at the documented closeness, and a
// model with the recorded weights on any backend.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/shared.hpp"
#include <nlohmann/json.hpp>

#include "tombola/core/packed_batch.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/safetensors.hpp"
#include "tombola/nn/checkpoint.hpp"

namespace tombola::test {

/// Integers of a tensor file.
inline std::vector<std::int32_t> ints(const io::safetensors_file& f, const std::string& name) {
  REQUIRE(f.find(name) != nullptr);
  const std::vector<double> d = io::to_doubles(*f.find(name));
  return {d.begin(), d.end()};
}

inline std::vector<double> doubles(const io::safetensors_file& f, const std::string& name) {
  INFO(name);
  REQUIRE(f.find(name) != nullptr);
  return io::to_doubles(*f.find(name));
}

/// Sequences `first` to `first + count` of packed arrays as a batch.
inline packed_batch cut(const std::vector<std::int32_t>& ids,
                        const std::vector<std::int32_t>& types,
                        const std::vector<std::int32_t>& offsets,
                        std::span<const std::size_t> which) {
  packed_batch b;
  for (const std::size_t x : which) {
    const auto at = static_cast<std::size_t>(offsets[x]);
    const auto n = static_cast<std::size_t>(offsets[x + 1]) - at;
    b.add(std::span{ids}.subspan(at, n), std::span{types}.subspan(at, n),
          static_cast<std::uint32_t>(b.sequences()));
  }
  return b;
}

/// Numbers of nested JSON lists, in order.
inline std::vector<double> flat(const nlohmann::json& list) {
  if (!list.is_array()) return {list.get<double>()};
  std::vector<double> out;
  for (const nlohmann::json& part : list) {
    const std::vector<double> inner = flat(part);
    out.insert(out.end(), inner.begin(), inner.end());
  }
  return out;
}

/// How far a value may lie from a recorded one, by the page beside the recordings.
template <class T>
double allowance(double max_abs, double noise32) {
  return std::is_same_v<T, double> ? 1e-12 * std::max(1.0, max_abs)
                                   : 10.0 * noise32 + 1e-6 * max_abs;
}

template <class T, class Values>
void check_close(const std::string& name,
                 const Values& found,
                 const std::vector<double>& expected,
                 double max_abs,
                 double noise32) {
  INFO(name);
  REQUIRE(std::size(found) == expected.size());
  double worst = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(static_cast<double>(found[i]) - expected[i]);
    worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
  }
  CHECK(worst <= allowance<T>(max_abs, noise32));
}

/// The same with magnitude and noise from the JSON entry of that name.
template <class T, class Values>
void check_close(const nlohmann::json& entry,
                 const std::string& name,
                 const Values& found,
                 const std::vector<double>& expected) {
  check_close<T>(name, found, expected, entry.at("max_abs").get<double>(),
                 entry.at("noise32").get<double>());
}

/// Numbers of a backend's view.
template <class B, class T>
std::vector<std::remove_const_t<T>> host(B& b, view<T> v) {
  std::vector<std::remove_const_t<T>> out(v.size());
  b.read(view<const std::remove_const_t<T>>{v.data, v.rows, v.cols},
         std::span<std::remove_const_t<T>>{out});
  return out;
}

/// A model with the weights of a checkpoint folder.
template <class B>
std::unique_ptr<nn::bert<B>> load_model(B& b, const std::filesystem::path& folder) {
  auto model = std::make_unique<nn::bert<B>>(b, nn::read_config(folder));
  const nn::load_report report = nn::load_weights(*model, folder, 1);
  CHECK(report.initialised.empty());
  return model;
}

/// The public name of a parameter, as the recordings use it.
inline std::string public_name(const std::string& name) {
  return name.starts_with("classifier.") || name.starts_with("cls.") ? name : "bert." + name;
}

}  // namespace tombola::test
