#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>

#include "tombola/backend/host_buffer.hpp"
#include "tombola/backend/view.hpp"

namespace tombola {

/// The storage half of a backend whose memory is the host's: what such backends inherit.
///
/// Nothing is deferred: every call is done when it returns.
class host_storage {
public:
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

  /// Backend to host: a copy.
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
};

}  // namespace tombola
