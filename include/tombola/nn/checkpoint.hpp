#pragma once

// Heavy to include: parses JSON.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tombola/io/safetensors.hpp"
#include "tombola/io/sentence.hpp"
#include "tombola/nn/bert.hpp"
#include "tombola/nn/config_file.hpp"
#include "tombola/nn/initialise.hpp"

namespace tombola::nn {

/// What loading a checkpoint found beside the weights it wanted.
struct load_report {
  std::vector<std::string> initialised;  ///< parameters of a head that the file does not have
  std::vector<std::string> ignored;      ///< tensors of the file that the model has no use for
};

namespace detail {

/// A tensor's name without prefix and with today's words: old checkpoints say gamma and beta.
[[nodiscard]] inline std::string canonical_name(const architecture& a, std::string_view name) {
  if (name.starts_with(a.prefix)) name.remove_prefix(a.prefix.size());
  std::string s{name};
  const auto ending = [&](std::string_view old, std::string_view now) {
    if (s.ends_with(old)) s.replace(s.size() - old.size(), old.size(), now);
  };
  ending("LayerNorm.gamma", "LayerNorm.weight");
  ending("LayerNorm.beta", "LayerNorm.bias");
  return s;
}

[[nodiscard]] inline std::vector<std::size_t> shape_of(const slot& s) {
  return s.cols == 0 ? std::vector<std::size_t>{s.rows} : std::vector<std::size_t>{s.rows, s.cols};
}

[[nodiscard]] inline std::string joined(const std::vector<std::string>& names) {
  std::string s;
  for (std::size_t i = 0; i < names.size() && i < 3; ++i) s += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > 3) s += " and " + std::to_string(names.size() - 3) + " more";
  return s;
}

/// A tensor as a model takes it. Throws format_error, naming file and tensor, for a shape that the
/// config does not announce, numbers that are no floats, or a value that is not finite.
template <class Number>
[[nodiscard]] std::vector<Number> checked_values(const io::tensor_entry& t,
                                                 const slot& s,
                                                 const std::string& file) {
  const auto text = [](const std::vector<std::size_t>& e) {
    std::string out = "[";
    for (std::size_t i = 0; i < e.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(e[i]);
    return out + "]";
  };
  if (t.shape != shape_of(s)) {
    throw format_error(file, "tensor " + t.name + " is " + text(t.shape) +
                                 ", config.json announces " + text(shape_of(s)));
  }
  if (t.type != io::dtype::f64 && t.type != io::dtype::f32 && t.type != io::dtype::f16 &&
      t.type != io::dtype::bf16) {
    throw format_error(file, "tensor " + t.name + " holds " + std::string{io::info(t.type).name} +
                                 ", expected F32, F16, BF16 or F64");
  }
  std::vector<Number> values;
  if constexpr (std::is_same_v<Number, float>) {
    values = io::to_floats(t);
  } else {
    values = io::to_doubles(t);
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      throw format_error(file, "tensor " + t.name + " holds " +
                                   (std::isnan(values[i]) ? "NaN" : "an infinite value") +
                                   " at index " + std::to_string(i) + ", expected finite weights");
    }
  }
  return values;
}

}  // namespace detail

/// Fills a model from `model.safetensors` of a public directory, with or without the architecture's
/// prefix (`bert.`), F32, F16, BF16 or F64.
///
/// A parameter of the model's head that is missing is initialised from `seed` and reported; one of
/// the encoder is an error. Throws input_error or format_error, naming file and tensor; the model
/// is then unusable.
template <backend B>
load_report load_weights(bert<B>& model,
                         const std::filesystem::path& directory,
                         std::uint64_t seed) {
  using number = typename B::parameter;
  const io::safetensors_file file{directory / "model.safetensors"};
  const std::string name = file.path().string();
  const architecture& family = *model.config().family;
  std::map<std::string, const io::tensor_entry*> found;
  for (const io::tensor_entry& t : file.tensors()) {
    if (!found.emplace(detail::canonical_name(family, t.name), &t).second) {
      throw format_error(name, "holds tensor " + io::shown(t.name) + " under two names");
    }
  }
  load_report report;
  std::vector<std::string> missing;
  nn::parameters<B>& p = model.parameters();
  for (std::size_t i = 0; i < p.layout().slots().size(); ++i) {
    const slot& s = p.layout()[i];
    const auto at = found.find(s.name);
    if (at == found.end()) {
      const bool head = is_head(family, s.name);
      (head ? report.initialised : missing).push_back(s.name);
      if (head) initialise(model.device(), p, i, seed);
      continue;
    }
    const auto values = detail::checked_values<number>(*at->second, s, name);
    model.device().write(std::span<const number>{values}, p.stored(i));
    found.erase(at);
  }
  if (!missing.empty()) {
    throw format_error(
        name, "has no tensor " + detail::joined(missing) + ", which config.json announces");
  }
  for (const auto& [unused, t] : found) report.ignored.push_back(t->name);
  p.refresh();
  return report;
}

/// Writes `config.json` and `model.safetensors` (F32, names as other tools expect them) to a folder
/// that exists. What is written are the stored weights; effective ones where the model is told to.
/// Parameters named in `without` are left out: those of a head that was never trained.
template <backend B>
void save_model(bert<B>& model,
                const std::filesystem::path& directory,
                std::span<const std::string> without = {}) {
  using number = typename B::parameter;
  nn::parameters<B>& p = model.parameters();
  std::vector<number> raw(p.layout().total());
  model.device().read(read_only(p.stored()), std::span<number>{raw});
  const std::vector<float> values(raw.begin(), raw.end());
  std::vector<io::tensor_to_write> tensors;
  for (const slot& s : p.layout().slots()) {
    if (std::find(without.begin(), without.end(), s.name) != without.end()) continue;
    tensors.push_back({prefixed(*model.config().family, s.name), io::dtype::f32,
                       detail::shape_of(s),
                       std::as_bytes(std::span{values.data() + s.offset, s.size()})});
  }
  io::write_safetensors(directory / "model.safetensors", tensors,
                        {{"format", model.config().is_compact() ? compact_model_type : "pt"}});
  io::write_json(directory / "config.json", config_json(model.config()));
}

}  // namespace tombola::nn
