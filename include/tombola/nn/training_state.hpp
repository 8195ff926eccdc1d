#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/io/safetensors.hpp"
#include "tombola/nn/bert.hpp"
#include "tombola/nn/optimizer.hpp"

namespace tombola::nn {

/// Writes all that training needs to go on with the same bits: stored weights, pending gradients,
/// both running means; what else the caller knows goes into `notes`. Appears complete or not at all.
template <backend B>
void save_state(const std::filesystem::path& file,
                bert<B>& model,
                optimizer<B>& o,
                std::map<std::string, std::string> notes) {
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
  notes["optimizer_steps"] = std::to_string(o.steps());
  io::write_safetensors(file, tensors, notes);
}

/// Restores what save_state wrote and returns the notes. Throws format_error, naming the file, where
/// it belongs to another model.
template <backend B>
std::map<std::string, std::string> load_state(const std::filesystem::path& file,
                                              bert<B>& model,
                                              optimizer<B>& o) {
  using number = typename B::parameter;
  const io::safetensors_file f{file};
  nn::parameters<B>& p = model.parameters();
  const std::size_t n = p.layout().total();
  const auto put = [&](const char* name, view<number> to) {
    const io::tensor_entry* t = f.find(name);
    if (t == nullptr || t->size() != n) {
      throw format_error(file.string(), std::string{"tensor "} + name + " has " +
                                            std::to_string(t == nullptr ? 0 : t->size()) +
                                            " numbers, this model's state has " +
                                            std::to_string(n));
    }
    std::vector<number> values;
    if constexpr (std::is_same_v<number, float>) {
      values = io::to_floats(*t);
    } else {
      values = io::to_doubles(*t);
    }
    model.device().write(std::span<const number>{values}, to);
  };
  put("stored", p.stored());
  put("gradient", p.gradient());
  put("first", o.first());
  put("second", o.second());
  const auto steps = f.metadata().find("optimizer_steps");
  if (steps == f.metadata().end()) {
    throw format_error(file.string(), "has no note optimizer_steps, expected a training state");
  }
  o.resume_at(std::stoull(steps->second));
  p.refresh();
  return f.metadata();
}

}  // namespace tombola::nn
