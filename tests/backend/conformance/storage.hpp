#pragma once

// allocate, write, read, copy, fill.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "tests/backend/conformance/rig.hpp"

namespace tombola::test {

template <class B, class T>
[[nodiscard]] std::vector<T> read_all(B& b, view<T> v) {
  std::vector<T> host(v.size());
  b.read(read_only(v), std::span<T>{host});
  return host;
}

/// Memory of freed buffers that held something comes back as zeros; buffers move.
template <class T, class B>
void check_allocation(B& b) {
  for (const std::size_t n : sizes{1, 15, 1000}) {
    {
      auto dirty = b.template allocate<T>(n);
      b.write(std::span<const T>{std::vector<T>(n, T{7})}, view<T>{dirty.data(), n, 1});
    }
    auto buffer = b.template allocate<T>(n);
    static_assert(!std::is_copy_constructible_v<decltype(buffer)>);
    CHECK(buffer.size() == n);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64 == 0);
    CHECK(read_all(b, view<T>{buffer.data(), n, 1}) == std::vector<T>(n));
    T* where = buffer.data();
    auto moved = std::move(buffer);
    CHECK(moved.data() == where);
    CHECK(moved.size() == n);
  }
  CHECK(b.template allocate<T>(0).size() == 0);
}

/// write, read, copy and fill touch the view and nothing beside it.
template <class T, class B>
void check_transfer(B& b) {
  const std::size_t n = 37, first = 5, count = 29;
  auto from = b.template allocate<T>(n), to = b.template allocate<T>(n);
  const view<T> whole{to.data(), n, 1}, part = whole.rows_from(first, count);
  std::vector<T> numbers(count), expected(n);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = static_cast<T>(3 * i + 1);

  b.write(std::span<const T>{numbers}, part);
  std::copy(numbers.begin(), numbers.end(), expected.begin() + first);
  CHECK(read_all(b, whole) == expected);

  const view<T> source{from.data(), n, 1};
  b.fill(source, static_cast<T>(9));
  CHECK(read_all(b, source) == std::vector<T>(n, static_cast<T>(9)));
  b.copy(read_only(source.rows_from(0, 3)), whole.rows_from(10, 3));
  std::fill_n(expected.begin() + 10, 3, static_cast<T>(9));
  CHECK(read_all(b, whole) == expected);

  b.fill(whole.rows_from(20, 2), static_cast<T>(4));
  std::fill_n(expected.begin() + 20, 2, static_cast<T>(4));
  CHECK(read_all(b, whole) == expected);
}

template <class Factory>
void storage_conforms() {
  auto b = Factory::make(1);
  SECTION("allocate") {
    check_allocation<float>(b);
    check_allocation<double>(b);
    check_allocation<std::int32_t>(b);
    check_allocation<std::uint32_t>(b);
    check_allocation<std::uint64_t>(b);
  }
  SECTION("write, read, copy, fill") {
    check_transfer<float>(b);
    check_transfer<double>(b);
    check_transfer<std::int32_t>(b);
    check_transfer<std::uint32_t>(b);
    check_transfer<std::uint64_t>(b);
  }
}

}  // namespace tombola::test
