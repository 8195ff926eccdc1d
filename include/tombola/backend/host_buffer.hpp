#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include "tombola/core/error.hpp"

namespace tombola {

/// n numbers of a host's memory, aligned to 64 bytes (a cache line, and the widest vector
/// register). Starts at zero; moves and does not copy; a buffer moved from is empty. For backends
/// whose memory is the host's: what their allocate() returns.
template <class T>
class host_buffer {
  static_assert(std::is_arithmetic_v<T>, "a buffer holds numbers");

public:
  using value_type = T;
  static constexpr std::size_t alignment = 64;

  host_buffer() = default;
  /// n zeros; nothing, and a null data(), for n = 0. Throws runtime_failure where the memory is not
  /// there, or n numbers have more bytes than can be counted.
  explicit host_buffer(std::size_t n) : numbers_{make(n)}, size_{n} {}

  host_buffer(host_buffer&& other) noexcept
      : numbers_{std::move(other.numbers_)}, size_{std::exchange(other.size_, 0)} {}
  host_buffer& operator=(host_buffer&& other) noexcept {
    numbers_ = std::move(other.numbers_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  /// Stays the same until the buffer is moved from or destroyed.
  [[nodiscard]] T* data() noexcept { return numbers_.get(); }
  [[nodiscard]] const T* data() const noexcept { return numbers_.get(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
  /// Memory that came aligned has to go back saying so.
  struct release {
    void operator()(T* p) const noexcept {
      ::operator delete (static_cast<void*>(p), std::align_val_t{alignment});
    }
  };

  static T* make(std::size_t n) {
    if (n == 0) return nullptr;
    // Beyond this a difference of two pointers would not fit.
    constexpr auto most =
        static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) / sizeof(T);
    void* memory = n > most
                       ? nullptr
                       : ::operator new (n * sizeof(T), std::align_val_t{alignment}, std::nothrow);
    if (memory == nullptr) {
      throw runtime_failure("a buffer of " + std::to_string(n) + " numbers of " +
                            std::to_string(sizeof(T)) + " bytes: not enough memory");
    }
    T* first = static_cast<T*>(memory);
    std::uninitialized_value_construct_n(first, n);
    return first;
  }

  std::unique_ptr<T, release> numbers_;
  std::size_t size_ = 0;
};

}  // namespace tombola
