#pragma once

// The bench on which verbs are tried: a backend's memory with guards round every buffer.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/backend/backend.hpp"
#include "tombola/core/random.hpp"

namespace tombola::test {

struct matrix {
  std::size_t rows = 0, cols = 0;
  std::vector<double> values{};
};
using matrices = std::map<std::string, matrix>;
using results = std::map<std::string, std::vector<double>>;
using sizes = std::vector<std::size_t>;

/// Normal numbers that a float holds exactly, so that every backend starts from the same ones.
[[nodiscard]] inline matrix random_matrix(std::size_t rows,
                                          std::size_t cols,
                                          std::uint64_t seed,
                                          double deviation = 1.0) {
  const random_stream stream{seed, purpose::initialisation};
  matrix m{rows, cols, std::vector<double>(rows * cols)};
  for (std::size_t i = 0; i < m.values.size(); ++i) {
    m.values[i] = double{static_cast<float>(deviation * stream.normal(i))};
  }
  return m;
}

[[nodiscard]] inline matrix constant_matrix(std::size_t rows, std::size_t cols, double value) {
  return {rows, cols, std::vector<double>(rows * cols, value)};
}

/// Numbers in a backend. Whoever writes past either end changes a guard.
template <class B, class T>
class guarded {
public:
  guarded(B& b, std::size_t rows, std::size_t cols, const std::vector<T>& values, T guard)
      : b_{b},
        rows_{rows},
        cols_{cols},
        // Views of rows start anywhere: odd sizes stand off the 64-byte grid, even ones on it.
        before_{values.size() % 2 == 1 ? std::size_t{5} : std::size_t{64}},
        image_(before_ + values.size() + 67, guard),
        buffer_{b.template allocate<T>(image_.size())} {
    std::copy(values.begin(), values.end(), image_.begin() + static_cast<std::ptrdiff_t>(before_));
    b_.write(std::span<const T>{image_}, all());
  }

  [[nodiscard]] view<T> inside() { return {buffer_.data() + before_, rows_, cols_}; }

  /// The numbers now. An input must be what it was; guards always.
  [[nodiscard]] std::vector<T> read(const std::string& name, bool input) {
    std::vector<T> now(image_.size());
    b_.read(read_only(all()), std::span<T>{now});
    const std::size_t n = rows_ * cols_;
    const auto same = [&](std::size_t first, std::size_t count) {
      return std::memcmp(now.data() + first, image_.data() + first, count * sizeof(T)) == 0;
    };
    INFO("buffer " << name);
    CHECK(same(0, before_));
    CHECK(same(before_ + n, image_.size() - before_ - n));
    if (input) CHECK(same(before_, n));
    const T* first = now.data() + before_;
    return std::vector<T>(first, first + n);
  }

private:
  view<T> all() { return {buffer_.data(), image_.size(), 1}; }

  B& b_;
  std::size_t rows_, cols_, before_;
  std::vector<T> image_;
  decltype(std::declval<B&>().template allocate<T>(1)) buffer_;
};

/// Hands out views for one verb and collects what the verb left in them.
///
/// Guards of inputs are NaN, so that reading past the end shows in the results; those of outputs
/// are a finite number, so that a NaN written over one shows. Outputs start as NaN: a verb that
/// should overwrite may not read them.
template <class B>
class rig {
public:
  using activation = typename B::activation;
  using parameter = typename B::parameter;

  explicit rig(B& b) : b_{b} {}

  /// Inputs. An empty matrix gives an empty view.
  view<const activation> in(const matrix& m) { return input<activation>(m); }
  view<const parameter> in_parameter(const matrix& m) { return input<parameter>(m); }
  view<const double> in_double(const matrix& m) { return input<double>(m); }
  template <class T>
  view<const T> in(const std::vector<T>& v) {
    if (v.empty()) return {};
    return keep("an input", v.size(), 1, v, guard<T>(true), true);
  }

  /// Outputs. No rows: an empty view, and no result.
  view<activation> out(const std::string& name, std::size_t rows, std::size_t cols) {
    return inout(name, constant_matrix(rows, cols, std::numeric_limits<double>::quiet_NaN()));
  }
  view<double> out_double(const std::string& name, std::size_t n) {
    return inout_double(name, constant_matrix(n, 1, std::numeric_limits<double>::quiet_NaN()));
  }

  /// Outputs that start from given numbers.
  view<activation> inout(const std::string& name, const matrix& m) {
    return output<activation>(name, m);
  }
  view<parameter> inout_parameter(const std::string& name, const matrix& m) {
    return output<parameter>(name, m);
  }
  view<double> inout_double(const std::string& name, const matrix& m) {
    return output<double>(name, m);
  }
  view<std::int32_t> inout_integer(const std::string& name, const matrix& m) {
    return output<std::int32_t>(name, m);
  }

  template <class Verb>
  void perform(const Verb& verb) {
    tombola::perform(b_, verb);
  }

  /// Reads every output, and checks guards and inputs.
  [[nodiscard]] results finish() {
    results r;
    for (const auto& collect : collectors_) collect(r);
    return r;
  }

private:
  template <class T>
  static T guard(bool input) {
    if (input && std::numeric_limits<T>::has_quiet_NaN) return std::numeric_limits<T>::quiet_NaN();
    return static_cast<T>(12345);
  }
  template <class T>
  static std::vector<T> convert(const matrix& m) {
    std::vector<T> v(m.values.size());
    std::transform(m.values.begin(), m.values.end(), v.begin(),
                   [](double x) { return static_cast<T>(x); });
    return v;
  }
  template <class T>
  view<const T> input(const matrix& m) {
    if (m.values.empty()) return {};
    return keep("an input", m.rows, m.cols, convert<T>(m), guard<T>(true), true);
  }
  template <class T>
  view<T> output(const std::string& name, const matrix& m) {
    if (m.values.empty()) return {};
    return keep(name, m.rows, m.cols, convert<T>(m), guard<T>(false), false);
  }
  template <class T>
  view<T> keep(const std::string& name,
               std::size_t rows,
               std::size_t cols,
               const std::vector<T>& values,
               T guard,
               bool input) {
    auto held = std::make_shared<guarded<B, T>>(b_, rows, cols, values, guard);
    collectors_.push_back([held, name, input](results& r) {
      const std::vector<T> now = held->read(name, input);
      if (input) return;
      auto& numbers = r[name];
      for (const T x : now) numbers.push_back(static_cast<double>(x));
    });
    return held->inside();
  }

  B& b_;
  std::vector<std::function<void(results&)>> collectors_;
};

}  // namespace tombola::test
