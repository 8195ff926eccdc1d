#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/backend/backend.hpp"
#include "tombola/nn/parameters.hpp"

namespace tombola::nn {

/// Settings of AdamW. Defaults are the study's (spec 2.2): transformers 2.5.1, no decay, clipping.
struct adamw_settings {
  adamw_form form = adamw_form::study;
  double rate = 2e-5;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double decay = 0.0;     ///< not on biases and layer norms
  double max_norm = 1.0;  ///< clipping of the global gradient norm; 0 for none
};

/// Share of the learning rate at a step (from 0): linear from 0 over the first `warm_up` steps,
/// then linear down to 0 at `total`.
/// Source: get_linear_schedule_with_warmup of transformers.
[[nodiscard]] inline double linear_schedule(std::size_t step,
                                            std::size_t warm_up,
                                            std::size_t total) noexcept {
  if (step < warm_up) return static_cast<double>(step) / static_cast<double>(warm_up);
  if (step >= total) return 0.0;
  return static_cast<double>(total - step) / static_cast<double>(total - warm_up);
}

/// AdamW over all parameters of a model, with clipping by their global norm.
///
/// Nothing here waits for the device: norm, factor and failure stay there until read. A step whose
/// gradient norm is not finite changes nothing and sets a flag that stays set.
/// Memory: two numbers per parameter.
template <backend B>
class optimizer {
public:
  using P = typename B::parameter;

  optimizer(B& b, parameters<B>& p, const adamw_settings& s)
      : backend_{b},
        parameters_{p},
        settings_{s},
        first_{b.template allocate<P>(p.layout().total())},
        second_{b.template allocate<P>(p.layout().total())},
        scalars_{b.template allocate<double>(3)},
        failed_{b.template allocate<std::int32_t>(1)} {
    plan_spans();
  }

  /// One step from the gradients, at `factor` times the learning rate; then gradients are 0 again
  /// and the effective weights renewed.
  void step(double factor) {
    ++steps_;
    backend_.fill(scalar(0), 0.0);
    perform(backend_, sum_of_squares<P>{parameters_.gradient(), scalar(0)});
    perform(backend_, clip_factor{scalar(0), settings_.max_norm, scalar(1), scalar(2), failed()});
    for (const span_of& s : spans_) {
      perform(backend_, adamw<P>{.p = cut(parameters_.stored(), s),
                                 .g = cut(parameters_.gradient(), s),
                                 .m = cut(first(), s),
                                 .v = cut(second(), s),
                                 .factor = scalar(2),
                                 .failed = failed(),
                                 .form = settings_.form,
                                 .rate = settings_.rate * factor,
                                 .beta1 = settings_.beta1,
                                 .beta2 = settings_.beta2,
                                 .epsilon = settings_.epsilon,
                                 .decay = s.decays ? settings_.decay : 0.0,
                                 .step = steps_});
    }
    parameters_.zero_gradient();
    parameters_.refresh();
  }

  /// Gradient norm before clipping at the last step. Waits.
  [[nodiscard]] double norm() {
    double x = 0.0;
    backend_.read(read_only(scalar(1)), std::span<double>{&x, 1});
    return x;
  }
  /// Whether a gradient norm was not finite at any step so far. Waits.
  [[nodiscard]] bool has_failed() {
    std::int32_t x = 0;
    backend_.read(read_only(failed()), std::span<std::int32_t>{&x, 1});
    return x != 0;
  }

  [[nodiscard]] std::size_t steps() const noexcept { return steps_; }
  /// For checkpoints: the running means, and the number of steps they have seen.
  [[nodiscard]] view<P> first() noexcept { return {first_.data(), first_.size(), 1}; }
  [[nodiscard]] view<P> second() noexcept { return {second_.data(), second_.size(), 1}; }
  void resume_at(std::size_t steps) noexcept { steps_ = steps; }

private:
  struct span_of {
    std::size_t begin, end;
    bool decays;
  };

  /// The fewest spans of the arena with one decay each; one for everything where nothing decays.
  void plan_spans() {
    const std::size_t total = parameters_.layout().total();
    if (settings_.decay == 0.0) {
      spans_.push_back({0, total, false});
      return;
    }
    for (const slot& s : parameters_.layout().slots()) {
      if (spans_.empty() || spans_.back().decays != s.decays) {
        spans_.push_back({s.offset, s.offset + s.size(), s.decays});
      }
      spans_.back().end = s.offset + s.size();
    }
  }

  template <class T>
  static view<T> cut(view<T> v, const span_of& s) noexcept {
    return {v.data + s.begin, s.end - s.begin, 1};
  }
  [[nodiscard]] view<double> scalar(std::size_t i) noexcept { return {scalars_.data() + i, 1, 1}; }
  [[nodiscard]] view<std::int32_t> failed() noexcept { return {failed_.data(), 1, 1}; }

  using buffer = decltype(std::declval<B&>().template allocate<P>(0));
  B& backend_;
  parameters<B>& parameters_;
  adamw_settings settings_;
  buffer first_, second_;
  decltype(std::declval<B&>().template allocate<double>(0)) scalars_;  ///< squares, norm, factor
  decltype(std::declval<B&>().template allocate<std::int32_t>(0)) failed_;
  std::vector<span_of> spans_;
  std::size_t steps_ = 0;
};

}  // namespace tombola::nn
