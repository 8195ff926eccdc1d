#pragma once

// Heavy to include: parses JSON.

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
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

#include "tombola/backend/host_storage.hpp"
#include "tombola/core/detail/threads.hpp"
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

[[nodiscard]] inline std::string joined(const std::vector<std::string>& names) {
  std::string s;
  for (std::size_t i = 0; i < names.size() && i < 3; ++i) s += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > 3) s += " and " + std::to_string(names.size() - 3) + " more";
  return s;
}

/// Throws format_error, naming file and tensor, for a shape that the config does not announce, or
/// numbers that are no floats.
inline void require_fits(const io::tensor_entry& t, const slot& s, const std::string& file) {
  const auto text = [](const std::vector<std::size_t>& e) {
    std::string out = "[";
    for (std::size_t i = 0; i < e.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(e[i]);
    return out + "]";
  };
  if (t.shape != s.extents()) {
    throw format_error(file, "tensor " + t.name + " is " + text(t.shape) +
                                 ", config.json announces " + text(s.extents()));
  }
  if (t.type != io::dtype::f64 && t.type != io::dtype::f32 && t.type != io::dtype::f16 &&
      t.type != io::dtype::bf16) {
    throw format_error(file, "tensor " + t.name + " holds " + std::string{io::info(t.type).name} +
                                 ", expected F32, F16, BF16 or F64");
  }
}

/// What a file has for a layout's parameters.
struct matched_weights {
  std::vector<const io::tensor_entry*> tensors;  ///< one a slot; null where the head lacks it
  load_report report;
};

/// Finds every parameter by name, from the file's header alone. Throws format_error, naming file
/// and tensor, where one of the encoder is missing, has another shape, or stands there twice.
[[nodiscard]] inline matched_weights match_weights(const io::safetensors_file& file,
                                                   const architecture& family,
                                                   const parameter_layout& layout) {
  const std::string name = file.path().string();
  std::map<std::string, const io::tensor_entry*> found;
  for (const io::tensor_entry& t : file.tensors()) {
    if (!found.emplace(canonical_name(family, t.name), &t).second) {
      throw format_error(name, "holds tensor " + io::shown(t.name) + " under two names");
    }
  }
  matched_weights matched;
  std::vector<std::string> missing;
  for (const slot& s : layout.slots()) {
    const auto at = found.find(s.name);
    if (at == found.end()) {
      (is_head(family, s.name) ? matched.report.initialised : missing).push_back(s.name);
      matched.tensors.push_back(nullptr);
      continue;
    }
    require_fits(*at->second, s, name);
    matched.tensors.push_back(at->second);
    found.erase(at);
  }
  if (!missing.empty()) {
    throw format_error(name, "has no tensor " + joined(missing) + ", which config.json announces");
  }
  for (const auto& [unused, t] : found) matched.report.ignored.push_back(t->name);
  return matched;
}

/// Looks at exponents alone, all ones for infinity and NaN, and at all of them before it answers:
/// the compiler then makes vectors of it.
[[nodiscard]] inline bool all_finite(std::span<const float> values) noexcept {
  constexpr std::uint32_t exponent = 0x7F80'0000;
  std::uint32_t bad = 0;
  for (const float v : values) {
    bad |= (std::bit_cast<std::uint32_t>(v) & exponent) == exponent ? 1U : 0U;
  }
  return bad == 0;
}
[[nodiscard]] inline bool all_finite(std::span<const double> values) noexcept {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

/// Numbers that are looked at and copied in one go: they stay in the second-level cache.
inline constexpr std::size_t numbers_at_once = std::size_t{1} << 16;

/// A piece of a tensor of the file, and where it goes. Precondition: require_fits.
template <class Number>
struct piece_to_load {
  const io::tensor_entry* tensor;
  view<Number> to;  ///< of the whole parameter
  std::size_t first;
};

/// Copies a piece into its parameter, straight from the file's pages where the numbers are the
/// parameter's own. Throws format_error, naming file and tensor, at a value that is not finite.
template <class B, class Number>
void load_piece(B& device, const piece_to_load<Number>& p, const std::string& file) {
  const io::tensor_entry& t = *p.tensor;
  const std::size_t width = io::info(t.type).bytes;
  const bool as_it_is = std::is_same_v<Number, float> && t.type == io::dtype::f32 &&
                        reinterpret_cast<std::uintptr_t>(t.bytes.data()) % alignof(float) == 0;
  const std::size_t n = std::min(numbers_at_once, p.to.size() - p.first);
  const io::tensor_entry piece{t.name, t.type, {n}, t.bytes.subspan(p.first * width, n * width)};
  std::vector<Number> converted;
  std::span<const Number> values;
  if (as_it_is) {
    values = {reinterpret_cast<const Number*>(piece.bytes.data()), n};
  } else {
    if constexpr (std::is_same_v<Number, float>) {
      converted = io::to_floats(piece);
    } else {
      converted = io::to_doubles(piece);
    }
    values = converted;
  }
  if (!all_finite(values)) {
    const auto bad = static_cast<std::size_t>(
        std::find_if(values.begin(), values.end(), [](Number v) { return !std::isfinite(v); }) -
        values.begin());
    throw format_error(file, "tensor " + t.name + " holds " +
                                 (std::isnan(values[bad]) ? "NaN" : "an infinite value") +
                                 " at index " + std::to_string(p.first + bad) +
                                 ", expected finite weights");
  }
  device.write(values, view<Number>{p.to.data + p.first, n, 1});
}

/// How many threads may write to a backend at once: to plain memory as many as it computes with.
template <class B>
[[nodiscard]] std::size_t writers_of(const B& device) {
  if constexpr (std::derived_from<B, host_storage> && requires { device.threads(); }) {
    return static_cast<std::size_t>(device.threads());
  } else {
    return 1;
  }
}

}  // namespace detail

/// Throws what load_weights throws of names, shapes and types for a model of this config. Cost: the
/// file's header is read, no weight.
inline void require_weights(const bert_config& c, const std::filesystem::path& directory) {
  parameter_layout layout;
  lay_out(c, layout);
  const io::safetensors_file file{directory / "model.safetensors"};
  static_cast<void>(detail::match_weights(file, *c.family, layout));
}

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
  const io::safetensors_file file{directory / "model.safetensors"};
  const std::string name = file.path().string();
  nn::parameters<B>& p = model.parameters();
  detail::matched_weights matched = detail::match_weights(file, *model.config().family, p.layout());
  std::vector<detail::piece_to_load<typename B::parameter>> pieces;
  for (std::size_t i = 0; i < p.layout().slots().size(); ++i) {
    if (matched.tensors[i] == nullptr) {
      initialise(model.device(), p, i, seed);
      continue;
    }
    const std::size_t size = p.layout()[i].size();
    for (std::size_t first = 0; first < size; first += detail::numbers_at_once) {
      pieces.push_back({matched.tensors[i], p.stored(i), first});
    }
  }
  tombola::detail::in_slices(pieces.size(), 1, detail::writers_of(model.device()),
                             [&](std::size_t, std::size_t first, std::size_t end) {
                               for (std::size_t k = first; k < end; ++k) {
                                 detail::load_piece(model.device(), pieces[k], name);
                               }
                             });
  p.refresh();
  return std::move(matched.report);
}

/// Writes `config.json` and `model.safetensors` (F32, names as other tools expect them) to a folder
/// that exists. What is written are the stored weights, which weight_form::study leaves unmasked.
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
    tensors.push_back({prefixed(*model.config().family, s.name), io::dtype::f32, s.extents(),
                       std::as_bytes(std::span{values.data() + s.offset, s.size()})});
  }
  io::write_safetensors(directory / "model.safetensors", tensors,
                        {{"format", model.config().is_compact() ? compact_model_type : "pt"}});
  io::write_json(directory / "config.json", config_json(model.config()));
}

}  // namespace tombola::nn
