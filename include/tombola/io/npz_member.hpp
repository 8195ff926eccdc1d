#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tombola/core/mask.hpp"
#include "tombola/io/npy.hpp"

namespace tombola::io {

/// An array to put into an .npz archive: a name, extents, and a view of numbers or of a mask, which
/// must live until the archive is written.
class npz_member {
public:
  /// Numbers, row-major over the extents.
  npz_member(std::string name, std::vector<std::size_t> extents, std::span<const float> values)
      : name_{std::move(name)}, extents_{std::move(extents)}, content_{values} {}
  npz_member(std::string name, std::vector<std::size_t> extents, std::span<const double> values)
      : name_{std::move(name)}, extents_{std::move(extents)}, content_{values} {}
  /// A mask as 0 and 1.
  npz_member(std::string name,
             std::vector<std::size_t> extents,
             const mask& m,
             mask_number number = mask_number::float32)
      : name_{std::move(name)}, extents_{std::move(extents)}, content_{bits{&m, number}} {}
  npz_member(std::string, std::vector<std::size_t>, mask&&, mask_number = {}) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::vector<std::size_t>& extents() const noexcept { return extents_; }
  /// Elements of the numbers, or units of the mask.
  [[nodiscard]] std::size_t size() const noexcept {
    if (const auto* floats = std::get_if<0>(&content_)) return floats->size();
    if (const auto* doubles = std::get_if<1>(&content_)) return doubles->size();
    return std::get_if<2>(&content_)->units->size();
  }

  /// Calls take(bytes) with the bytes of its .npy file, in pieces. Precondition: the extents cover
  /// size() elements.
  template <class Take>
  void each_piece(Take take) const {
    const auto put = [&](std::string_view descr, auto values) {
      const std::string header = detail::npy_header_text(descr, extents_);
      take(std::as_bytes(std::span{header}));
      if (!values.empty()) take(std::as_bytes(values));
    };
    if (const auto* floats = std::get_if<0>(&content_)) return put("<f4", *floats);
    if (const auto* doubles = std::get_if<1>(&content_)) return put("<f8", *doubles);
    const bits& b = *std::get_if<2>(&content_);
    put(detail::npy_descr(b.number), std::span<const float>{});
    detail::each_piece(*b.units, b.number, take);
  }

private:
  struct bits {
    const mask* units;
    mask_number number;
  };

  std::string name_;
  std::vector<std::size_t> extents_;
  std::variant<std::span<const float>, std::span<const double>, bits> content_;
};

}  // namespace tombola::io
