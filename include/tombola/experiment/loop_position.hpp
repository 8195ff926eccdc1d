#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <system_error>

#include "tombola/core/error.hpp"
#include "tombola/data/batches.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::experiment {

/// What a training run does, apart from where its batches come from.
struct loop_plan {
  std::string name;  ///< for progress: `train SST-2 seed 1`
  std::size_t examples = 0;
  std::size_t batch = 32;
  std::size_t epochs = 3;
  std::size_t accumulation = 1;  ///< batches per optimiser step
  std::uint64_t seed = 0;        ///< of order and dropout
  double warm_up_share = 0.0;    ///< of all steps
  double checkpoint_seconds = 60.0;

  [[nodiscard]] std::size_t batches_per_epoch() const { return data::batch_count(examples, batch); }
  /// Optimiser steps in all. An odd batch at an epoch's end is carried into the next (spec 13).
  [[nodiscard]] std::size_t steps() const { return steps_before(epochs, 0); }
  /// Those of whole epochs, and of some batches of the next one.
  [[nodiscard]] std::size_t steps_before(std::size_t whole, std::size_t batches) const {
    return batches_per_epoch() / accumulation * whole + batches / accumulation;
  }
};

/// Where training stands between two batches.
struct loop_position {
  std::uint32_t epoch = 0;
  std::size_t batch = 0;  ///< next one of the epoch
  double loss_sum = 0.0;  ///< over the epoch's examples (or masked tokens) so far
  std::size_t loss_count = 0;
  std::size_t tokens = 0;  ///< since the beginning
  double seconds = 0.0;
  double last_epoch_loss = std::numeric_limits<double>::quiet_NaN();
};

namespace detail {

[[nodiscard]] inline std::string exact(double x) {
  char text[48];
  std::snprintf(text, sizeof text, "%a", x);
  return text;
}

[[nodiscard]] inline std::map<std::string, std::string> to_notes(const loop_position& p) {
  return {{"epoch", std::to_string(p.epoch)},
          {"batch", std::to_string(p.batch)},
          {"loss_sum", exact(p.loss_sum)},
          {"loss_count", std::to_string(p.loss_count)},
          {"tokens", std::to_string(p.tokens)},
          {"seconds", exact(p.seconds)},
          {"last_epoch_loss", exact(p.last_epoch_loss)}};
}

/// The notes of a training state, which say where training stood: hostile until checked.
class position_notes {
public:
  position_notes(const std::map<std::string, std::string>& notes, const std::filesystem::path& file)
      : notes_{notes}, file_{file} {}

  /// A whole number from least to most. Throws format_error, as number does.
  [[nodiscard]] std::size_t count(const char* name, std::size_t least, std::size_t most) const {
    const std::string& text = at(name);
    std::size_t n = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (code != std::errc{} || end != text.data() + text.size() || n < least || n > most) {
      refuse(name, text,
             least == most
                 ? std::to_string(least)
                 : "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return n;
  }

  /// A finite number as exact() writes it: hexadecimal.
  [[nodiscard]] double number(const char* name) const {
    const std::string& text = at(name);
    std::string_view digits{text};
    const bool negative = digits.starts_with('-');
    digits.remove_prefix(negative ? 1 : 0);
    const bool has_mark = digits.starts_with("0x");
    digits.remove_prefix(has_mark ? 2 : 0);
    double x = 0.0;
    const char* const last = digits.data() + digits.size();
    const auto [end, code] = std::from_chars(digits.data(), last, x, std::chars_format::hex);
    if (!has_mark || code != std::errc{} || end != last || std::signbit(x) || !std::isfinite(x)) {
      refuse(name, text, "a finite number such as " + exact(1.5));
    }
    return negative ? -x : x;
  }

private:
  [[nodiscard]] const std::string& at(const char* name) const {
    const auto note = notes_.find(name);
    if (note == notes_.end()) {
      throw format_error(file_.string(),
                         std::string{"has no note "} + name + ", expected where training stood");
    }
    return note->second;
  }
  [[noreturn]] void refuse(const char* name,
                           const std::string& found,
                           const std::string& expected) const {
    throw format_error(file_.string(), std::string{"has the note "} + name + " " +
                                           io::shown(found) + ", expected " + expected);
  }

  const std::map<std::string, std::string>& notes_;
  const std::filesystem::path& file_;
};

/// Where a state says that training stood, if that is a place in this plan. Throws format_error,
/// naming the file and the note, where it is none: a state is saved after a batch, so that at least
/// one of its epoch is done. most_tokens: of a batch.
[[nodiscard]] inline loop_position from_notes(const std::map<std::string, std::string>& notes,
                                              const loop_plan& plan,
                                              std::size_t most_tokens,
                                              const std::filesystem::path& file) {
  const position_notes said{notes, file};
  loop_position p;
  p.epoch = static_cast<std::uint32_t>(said.count("epoch", 0, plan.epochs - 1));
  p.batch = said.count("batch", 1, plan.batches_per_epoch());
  const std::size_t steps = plan.steps_before(p.epoch, p.batch);
  static_cast<void>(said.count("optimizer_steps", steps, steps));
  p.loss_sum = said.number("loss_sum");
  const std::size_t batches = p.epoch * plan.batches_per_epoch() + p.batch;
  p.tokens = said.count("tokens", batches, batches * most_tokens);
  p.loss_count = said.count("loss_count", p.batch, p.tokens);
  p.seconds = std::max(0.0, said.number("seconds"));  // a clock's, and no result depends on it
  // Before the first epoch's end there is none.
  if (p.epoch > 0) p.last_epoch_loss = said.number("last_epoch_loss");
  return p;
}

}  // namespace detail

}  // namespace tombola::experiment
