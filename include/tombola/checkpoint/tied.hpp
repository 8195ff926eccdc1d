#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tombola/checkpoint/checkpoint.hpp"
#include "tombola/checkpoint/choose.hpp"
#include "tombola/checkpoint/pieces.hpp"
#include "tombola/io/dtype.hpp"
#include "tombola/io/sha256.hpp"

namespace tombola::checkpoint {

namespace detail {

/// SHA-256 of a tensor's bytes, or nothing where all its elements are one value: freshly made zeros
/// and ones are not tied.
[[nodiscard]] inline std::optional<std::string> digest_of(const source& from,
                                                          const stored_tensor& t,
                                                          space& s) {
  const std::size_t width = io::info(t.type).bytes;
  io::sha256 h;
  std::vector<std::byte> first(width);
  bool constant = true;
  for (std::uint64_t at = 0; at < t.bytes; at += piece_bytes) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(piece_bytes, t.bytes - at));
    s.bytes.resize(std::max(s.bytes.size(), n));
    const auto bytes = std::span{s.bytes}.first(n);
    from.read(t, at, bytes);
    if (at == 0) std::copy_n(bytes.begin(), width, first.begin());
    for (std::size_t i = 0; i < n && constant; i += width) {
      constant =
          std::equal(first.begin(), first.end(), bytes.begin() + static_cast<std::ptrdiff_t>(i));
    }
    h.update(bytes);
  }
  if (constant) return std::nullopt;
  return h.hex();
}

/// Finds tensors of the same type, shape and bytes; what begins unlike others is read no further.
class tie_finder {
public:
  explicit tie_finder(const source& from) : from_{&from} {}

  /// The place that was given for a tensor like this one, or nothing.
  [[nodiscard]] std::optional<std::size_t> find(const stored_tensor& t) {
    auto& others = alike_[key_of(t)];
    if (others.empty()) return std::nullopt;
    const auto digest = digest_of(*from_, t, space_);
    if (!digest) return std::nullopt;
    for (known& k : others) {
      if (!k.looked_at) k.digest = digest_of(*from_, *k.tensor, space_), k.looked_at = true;
      if (k.digest == digest) return k.place;
    }
    return std::nullopt;
  }

  void add(const stored_tensor& t, std::size_t place) {
    alike_[key_of(t)].push_back({&t, place, false, {}});
  }

private:
  struct known {
    const stored_tensor* tensor;
    std::size_t place;
    bool looked_at;
    std::optional<std::string> digest;
  };
  using key = std::tuple<io::dtype, std::vector<std::size_t>, std::vector<std::byte>>;

  [[nodiscard]] key key_of(const stored_tensor& t) const {
    std::vector<std::byte> first(static_cast<std::size_t>(std::min<std::uint64_t>(64, t.bytes)));
    from_->read(t, 0, first);
    return {t.type, t.shape, std::move(first)};
  }

  const source* from_;
  std::map<key, std::vector<known>> alike_;
  space space_;
};

}  // namespace detail

/// The weights with tied ones as one: of tensors that hold the same bytes the first is left, and
/// the others are its copies, those that were not chosen too.
///
/// Tensors whose elements are all one value are not tied, nor are weights with masks beside them.
/// Cost: the first 64 bytes of each floating-point tensor, and all of those that begin alike.
[[nodiscard]] inline std::vector<weights> tie(const source& from, std::vector<weights> all) {
  std::vector<weights> distinct;
  std::vector<bool> seen(from.tensors().size(), false);
  detail::tie_finder finder{from};
  for (weights& w : all) {
    const stored_tensor& t = from.tensors()[w.tensor];
    seen[w.tensor] = true;
    const auto first = w.mask ? std::nullopt : finder.find(t);
    if (first) {
      distinct[*first].copies.push_back(w.tensor);
      continue;
    }
    if (!w.mask) finder.add(t, distinct.size());
    distinct.push_back(std::move(w));
  }
  for (std::size_t place = 0; place < from.tensors().size(); ++place) {
    if (seen[place] || !is_floating(from.tensors()[place].type)) continue;
    const auto w = detail::weights_behind(from, place);
    if (!w || w->mask) continue;
    if (const auto first = finder.find(from.tensors()[place])) {
      distinct[*first].copies.push_back(place);
    }
  }
  return distinct;
}

}  // namespace tombola::checkpoint
