#pragma once

#include <concepts>

#include "tombola/backend/backend.hpp"
#include "tombola/backend/host_storage.hpp"
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
class reference_backend : public host_storage {
public:
  using parameter = T;
  using activation = T;

  /// Computes a verb whose check() has passed; perform() calls both.
  template <class Verb>
  requires requires(const Verb& v) { reference::compute(v); }
  void run(const Verb& verb) { reference::compute(verb); }
};

static_assert(backend<reference_backend<float>>);
static_assert(backend<reference_backend<double>>);

}  // namespace tombola
