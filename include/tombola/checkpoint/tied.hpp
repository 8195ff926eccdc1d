#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "tombola/checkpoint/checkpoint.hpp"
#include "tombola/checkpoint/choose.hpp"
#include "tombola/checkpoint/pieces.hpp"
#include "tombola/io/dtype.hpp"

namespace tombola::checkpoint {

namespace detail {

/// Whether two tensors of one type and shape hold the same bytes, and not only zeros: freshly made
/// matrices of zeros are not tied.
[[nodiscard]] inline bool same_bytes(const source& from,
                                     const stored_tensor& a,
                                     const stored_tensor& b,
                                     space& s) {
  bool some = false;
  for (std::uint64_t at = 0; at < a.bytes;) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(piece_bytes, a.bytes - at));
    s.bytes.resize(piece_bytes), s.mask_bytes.resize(piece_bytes);
    const auto left = std::span{s.bytes}.first(n), right = std::span{s.mask_bytes}.first(n);
    from.read(a, at, left);
    from.read(b, at, right);
    if (!std::equal(left.begin(), left.end(), right.begin())) return false;
    some = some ||
           std::any_of(left.begin(), left.end(), [](std::byte x) { return x != std::byte{0}; });
    at += n;
  }
  return some;
}

}  // namespace detail

/// The weights with tied ones as one: of tensors that hold the same bytes the first is left, and the
/// others are its copies. Weights with masks beside them are left as they are.
///
/// Cost: the first 64 bytes of each tensor, and all of those that begin alike.
[[nodiscard]] inline std::vector<weights> tie(const source& from, std::vector<weights> all) {
  using beginning = std::tuple<io::dtype, std::vector<std::size_t>, std::vector<std::byte>>;
  std::vector<weights> distinct;
  std::map<beginning, std::vector<std::size_t>> alike;  // places in `distinct`
  detail::space s;
  for (weights& w : all) {
    const stored_tensor& t = from.tensors()[w.tensor];
    if (w.mask || t.bytes == 0) {
      distinct.push_back(std::move(w));
      continue;
    }
    std::vector<std::byte> first(static_cast<std::size_t>(std::min<std::uint64_t>(64, t.bytes)));
    from.read(t, 0, first);
    auto& candidates = alike[{t.type, t.shape, std::move(first)}];
    const auto same = std::find_if(candidates.begin(), candidates.end(), [&](std::size_t place) {
      return detail::same_bytes(from, from.tensors()[distinct[place].tensor], t, s);
    });
    if (same != candidates.end()) {
      distinct[*same].copies.push_back(w.tensor);
    } else {
      candidates.push_back(distinct.size());
      distinct.push_back(std::move(w));
    }
  }
  return distinct;
}

}  // namespace tombola::checkpoint
