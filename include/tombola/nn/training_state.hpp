#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/io/safetensors.hpp"
#include "tombola/nn/bert.hpp"
#include "tombola/nn/optimizer.hpp"

namespace tombola::nn {

/// Whether every stored weight is a number: none NaN or infinite, as a step that is too large makes
/// them. Waits for the device. Memory: a number per weight.
template <backend B>
[[nodiscard]] bool has_finite_weights(bert<B>& model) {
  using number = typename B::parameter;
  std::vector<number> stored(model.parameters().layout().total());
  model.device().read(read_only(model.parameters().stored()), std::span<number>{stored});
  return std::all_of(stored.begin(), stored.end(), [](number w) { return std::isfinite(w); });
}

/// Writes all that training needs to go on with the same bits: stored weights, pending gradients,
/// both running means; what else the caller knows goes into `notes`. Appears complete or not at
/// all. Throws runtime_failure, and writes nothing, where a gradient or a weight was not finite:
/// what was saved before is then the last good state. Waits for the device.
template <backend B>
void save_state(const std::filesystem::path& file,
                bert<B>& model,
                optimizer<B>& o,
                std::map<std::string, std::string> notes) {
  if (o.has_failed()) {
    throw runtime_failure(file.string() + ": not saved, a gradient norm was not finite by step " +
                          std::to_string(o.steps()));
  }
  using number = typename B::parameter;
  constexpr io::dtype type = std::is_same_v<number, float> ? io::dtype::f32 : io::dtype::f64;
  nn::parameters<B>& p = model.parameters();
  const std::size_t n = p.layout().total();
  const std::array<std::pair<const char*, view<number>>, 4> parts{{{"stored", p.stored()},
                                                                   {"gradient", p.gradient()},
                                                                   {"first", o.first()},
                                                                   {"second", o.second()}}};
  std::vector<std::vector<number>> host;
  std::vector<io::tensor_to_write> tensors;
  for (const auto& [name, v] : parts) {
    host.emplace_back(n);
    model.device().read(read_only(v), std::span<number>{host.back()});
    tensors.push_back({name, type, {n}, std::as_bytes(std::span{host.back()})});
  }
  if (!std::all_of(host[0].begin(), host[0].end(), [](number w) { return std::isfinite(w); })) {
    throw runtime_failure(file.string() + ": not saved, a weight was not finite by step " +
                          std::to_string(o.steps()));
  }
  notes["optimizer_steps"] = std::to_string(o.steps());
  io::write_safetensors(file, tensors, notes);
}

namespace detail {

/// The number of optimizer steps that a state's notes give.
[[nodiscard]] inline std::size_t steps_in(const io::safetensors_file& f) {
  const auto note = f.metadata().find("optimizer_steps");
  if (note == f.metadata().end()) {
    throw format_error(f.path().string(), "has no note optimizer_steps, expected a training state");
  }
  const std::string& text = note->second;
  std::size_t steps = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), steps);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw format_error(f.path().string(), "has the note optimizer_steps " + io::shown(text) +
                                              ", expected a whole number");
  }
  return steps;
}

}  // namespace detail

/// Restores what save_state wrote and returns the notes. Throws format_error, naming the file,
/// where it belongs to another model or is no training state; nothing is changed then.
template <backend B>
std::map<std::string, std::string> load_state(const std::filesystem::path& file,
                                              bert<B>& model,
                                              optimizer<B>& o) {
  using number = typename B::parameter;
  const io::safetensors_file f{file};
  nn::parameters<B>& p = model.parameters();
  const std::size_t n = p.layout().total();
  const std::array<std::pair<const char*, view<number>>, 4> parts{{{"stored", p.stored()},
                                                                   {"gradient", p.gradient()},
                                                                   {"first", o.first()},
                                                                   {"second", o.second()}}};
  for (const auto& [name, to] : parts) {
    const io::tensor_entry* t = f.find(name);
    if (t == nullptr || t->size() != n) {
      throw format_error(file.string(), std::string{"tensor "} + name + " has " +
                                            std::to_string(t == nullptr ? 0 : t->size()) +
                                            " numbers, this model's state has " +
                                            std::to_string(n));
    }
  }
  const std::size_t steps = detail::steps_in(f);
  for (const auto& [name, to] : parts) {
    std::vector<number> values;
    if constexpr (std::is_same_v<number, float>) {
      values = io::to_floats(f.at(name));
    } else {
      values = io::to_doubles(f.at(name));
    }
    model.device().write(std::span<const number>{values}, to);
  }
  o.resume_at(steps);
  p.refresh();
  return f.metadata();
}

}  // namespace tombola::nn
