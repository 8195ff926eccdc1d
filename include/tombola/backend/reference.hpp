#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

#include "tombola/backend/backend.hpp"
#include "tombola/backend/host_buffer.hpp"
#include "tombola/backend/reference/attention.hpp"
#include "tombola/backend/reference/backward.hpp"
#include "tombola/backend/reference/forward.hpp"
#include "tombola/backend/reference/optimiser.hpp"

namespace tombola {

/// The specification of every verb: plain loops on one thread, every sum in double, results rounded
/// to T once. Slow on purpose; what other backends are compared with.
///
/// The verbs are the functions reference::compute in reference/. Nothing is deferred: a verb is
/// done when run() returns, and there is no state: backends of one type are interchangeable. T is
/// the type of parameters and of activations; double is what tests measure with, float shows what
/// rounding alone does to a result.
template <class T>
requires std::same_as<T, float> || std::same_as<T, double>
class reference_backend {
public:
  using parameter = T;
  using activation = T;

  /// n zeros. Throws runtime_failure where the memory is not there.
  template <class U>
  [[nodiscard]] host_buffer<U> allocate(std::size_t n) {
    return host_buffer<U>{n};
  }

  /// Host to backend. Throws shape_error unless both have the same count, as do read and copy.
  template <class U>
  void write(std::span<const std::type_identity_t<U>> host, view<U> to) {
    require_length(to, host.size(), "write", "destination");
    std::copy(host.begin(), host.end(), to.data);
  }

  /// Backend to host: here a copy, since all earlier verbs are done.
  template <class U>
  void read(view<U> from, std::span<std::remove_const_t<U>> host) {
    require_length(from, host.size(), "read", "source");
    std::copy_n(from.data, host.size(), host.begin());
  }

  /// Inside the backend. The two may not overlap.
  template <class U>
  void copy(view<const std::type_identity_t<U>> from, view<U> to) {
    require_length(to, from.size(), "copy", "destination");
    std::copy_n(from.data, from.size(), to.data);
  }

  /// Every number of the view, and nothing beside it, becomes value.
  template <class U>
  void fill(view<U> to, std::type_identity_t<U> value) {
    std::fill_n(to.data, to.size(), value);
  }

  /// Computes a verb whose check() has passed; perform() calls both.
  template <class Verb>
  requires requires(const Verb& v) { reference::compute(v); }
  void run(const Verb& verb) { reference::compute(verb); }
};

static_assert(backend<reference_backend<float>>);
static_assert(backend<reference_backend<double>>);

}  // namespace tombola
