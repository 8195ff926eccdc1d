#pragma once

// sum_of_squares, clip_factor, adamw, apply_mask.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "tests/backend/conformance/compare.hpp"

namespace tombola::test {

struct sum_of_squares_case : verb_case {
  explicit sum_of_squares_case(std::size_t n) {
    inputs = {{"x", random_matrix(n, 1, 101)}};
    start = {{"total", constant_matrix(1, 1, 3.25)}};
  }
  template <class B>
  results forward(B& b, const matrices& from) const {
    rig<B> r{b};
    r.perform(sum_of_squares<typename B::parameter>{
        .x = r.in_parameter(from.at("x")), .total = r.inout_double("total", start.at("total"))});
    return r.finish();
  }
};

/// Three steps, so that moments and their corrections matter.
struct adamw_case : verb_case {
  adamw_form form;
  double decay, factor = 0.5, failed = 0.0;

  adamw_case(std::size_t n, adamw_form f, double d) : form{f}, decay{d} {
    inputs = {{"g", random_matrix(n, 1, 111)}};
    start = {{"p", random_matrix(n, 1, 112)},
             {"m", random_matrix(n, 1, 113, 0.1)},
             {"v", random_matrix(n, 1, 114, 0.1)}};
    for (double& v : start["v"].values) v = std::abs(v);
    inputs["g"].values[0] = 0.0;  // an element whose gradient is always 0
    start["m"].values[0] = start["v"].values[0] = 0.0;
  }
  template <class B>
  results forward(B& b, const matrices& from) const {
    rig<B> r{b};
    adamw<typename B::parameter> v;
    v.p = r.inout_parameter("p", start.at("p"));
    v.g = r.in_parameter(from.at("g"));
    v.m = r.inout_parameter("m", start.at("m"));
    v.v = r.inout_parameter("v", start.at("v"));
    v.factor = r.in_double(constant_matrix(1, 1, factor));
    v.failed = r.in(std::vector<std::int32_t>{static_cast<std::int32_t>(failed)});
    v.form = form;
    v.rate = 0.01;
    v.epsilon = 1e-3;  // large enough to tell where it is added
    v.decay = decay;
    for (v.step = 1; v.step <= 3; ++v.step) r.perform(v);
    return r.finish();
  }
};

struct clip_outcome {
  double norm, factor, failed;
};

template <class Factory>
clip_outcome run_clip(double squares, double max_norm, double failed) {
  auto b = Factory::make(1);
  rig<decltype(b)> r{b};
  r.perform(clip_factor{.squares = r.in_double(constant_matrix(1, 1, squares)),
                        .max_norm = max_norm,
                        .norm = r.out_double("norm", 1),
                        .factor = r.out_double("factor", 1),
                        .failed = r.inout_integer("failed", constant_matrix(1, 1, failed))});
  const results found = r.finish();
  return {found.at("norm")[0], found.at("factor")[0], found.at("failed")[0]};
}

template <class Factory>
void check_clip(double squares, double max_norm, double failed, double factor) {
  INFO("squares " << squares << ", max_norm " << max_norm);
  const auto found = run_clip<Factory>(squares, max_norm, failed);
  CHECK(found.norm == Approx(std::sqrt(squares)).epsilon(1e-14).margin(0.0));
  CHECK(found.factor == Approx(factor).epsilon(1e-14).margin(0.0));
  CHECK(found.failed == failed);
}

template <class Factory>
void check_clip_fails(double squares, double max_norm) {
  INFO("squares " << squares << ", max_norm " << max_norm);
  const auto found = run_clip<Factory>(squares, max_norm, 0.0);
  CHECK_FALSE(std::isfinite(found.norm));
  CHECK(found.factor == 0.0);
  CHECK(found.failed == 1.0);
}

/// Bits by hand: what is kept is kept to the bit, what is not is 0 even where NaN was stored.
template <class Factory>
void check_mask(std::size_t n, bool in_place, int threads) {
  INFO(n << " numbers" << (in_place ? ", in place" : ""));
  auto b = Factory::make(threads);
  using B = decltype(b);
  matrix stored = random_matrix(n, 1, 121);
  std::vector<std::uint64_t> bits((n + 63) / 64);
  for (std::size_t w = 0; w < bits.size(); ++w) {
    bits[w] = random_stream{122, purpose::control}.bits(w);
  }
  std::vector<double> expected(n);
  for (std::size_t i = 0; i < n; ++i) {
    const bool kept = (bits[i / 64] >> (i % 64) & 1) != 0;
    if (kept) expected[i] = stored.values[i];
    if (!kept && i % 3 == 0) stored.values[i] = std::numeric_limits<double>::quiet_NaN();
  }
  rig<B> r{b};
  using P = typename B::parameter;
  using A = typename B::activation;
  if constexpr (std::same_as<P, A>) {
    const auto effective = in_place ? r.inout("effective", stored) : r.out("effective", n, 1);
    r.perform(apply_mask<P, A>{.stored = in_place ? read_only(effective) : r.in(stored),
                               .bits = r.in(bits),
                               .effective = effective});
  } else {
    r.perform(apply_mask<P, A>{.stored = r.in_parameter(stored),
                               .bits = r.in(bits),
                               .effective = r.out("effective", n, 1)});
  }
  CHECK(r.finish().at("effective") == expected);
}

template <class Factory>
void optimiser_conforms() {
  SECTION("sum_of_squares") {
    for (const std::size_t n : sizes{1, 3, 17, 1000, 100003}) {
      const sum_of_squares_case c{n};
      auto b = Factory::make(1);
      reference_backend<double> reference;
      const results found = c.forward(b, c.inputs);
      const double expected = c.forward(reference, c.inputs).at("total")[0];
      CHECK(found.at("total")[0] == Approx(expected).epsilon(1e-12).margin(0.0));
      check_threads<Factory>(found, [&c](auto& other) { return c.forward(other, c.inputs); });
    }
  }
  SECTION("clip_factor") {
    check_clip<Factory>(25.0, 10.0, 0.0, 1.0);
    check_clip<Factory>(25.0, 1.0, 0.0, 1.0 / (5.0 + 1e-6));
    check_clip<Factory>(0.0, 1.0, 0.0, 1.0);
    check_clip<Factory>(25.0, 0.0, 0.0, 1.0);
    check_clip<Factory>(25.0, 1.0, 1.0, 1.0 / (5.0 + 1e-6));  // sticky
    for (const double max_norm : {0.0, 1.0}) {
      check_clip_fails<Factory>(std::numeric_limits<double>::infinity(), max_norm);
      check_clip_fails<Factory>(std::numeric_limits<double>::quiet_NaN(), max_norm);
    }
  }
  SECTION("adamw") {
    for (const auto form : {adamw_form::study, adamw_form::torch}) {
      for (const double decay : {0.0, 0.5}) {
        for (const std::size_t n : sizes{1, 3, 17, 1000, 70001}) {
          INFO("form " << static_cast<int>(form) << ", decay " << decay << ", " << n);
          check_forward<Factory>(adamw_case{n, form, decay});
        }
      }
    }
  }
  SECTION("adamw changes nothing after a failure") {
    adamw_case c{17, adamw_form::study, 0.5};
    c.failed = 1.0;
    c.factor = 0.0;
    auto b = Factory::make(1);
    const results found = c.forward(b, c.inputs);
    for (const auto& [name, before] : c.start) CHECK(found.at(name) == before.values);
  }
  SECTION("apply_mask") {
    for (const std::size_t n : sizes{1, 63, 64, 65, 1000, 100003}) {
      for (const int threads : {1, 2, 3}) {
        check_mask<Factory>(n, false, threads);
        check_mask<Factory>(n, true, threads);
      }
    }
  }
}

}  // namespace tombola::test
