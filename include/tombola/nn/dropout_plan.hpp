#pragma once

#include <cstddef>
#include <cstdint>

#include "tombola/backend/backend.hpp"
#include "tombola/core/random.hpp"

namespace tombola::nn {

/// Whether, and with which bits, a pass drops activations.
struct dropout_plan {
  bool active = false;  ///< off: evaluation, importance
  std::uint64_t seed = 0;
  std::uint32_t epoch = 0;
};

/// Places in the model where something is dropped; the layer's index is added times 4.
enum class dropout_site : std::uint32_t {
  embeddings = 0,
  pooled = 1,
  first = 2,  ///< what enters the head over the first token, where that is dropped
  attention = 4,
  attended = 5,
  mlp = 6
};

[[nodiscard]] inline dropout_bits bits_for(const dropout_plan& plan,
                                           double rate,
                                           dropout_site site,
                                           std::size_t layer = 0) noexcept {
  if (!plan.active || rate == 0.0) return {};
  return {dropout_key(plan.seed, plan.epoch,
                      static_cast<std::uint32_t>(site) + 4 * static_cast<std::uint32_t>(layer)),
          rate};
}

}  // namespace tombola::nn
