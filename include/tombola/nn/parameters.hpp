#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "tombola/backend/backend.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"

namespace tombola::nn {

/// One named parameter and its place in the arena.
struct slot {
  std::string name;
  std::size_t offset = 0;  ///< of its first number
  std::size_t rows = 0;
  std::size_t cols = 0;  ///< 0 for a vector of `rows` numbers
  bool decays = true;    ///< whether weight decay applies: not to biases and layer norms
  [[nodiscard]] std::size_t size() const noexcept { return rows * (cols == 0 ? 1 : cols); }
  [[nodiscard]] std::vector<std::size_t> extents() const {
    return cols == 0 ? std::vector<std::size_t>{rows} : std::vector<std::size_t>{rows, cols};
  }
};

/// Names and places of all parameters of a model: where each lies in one long array.
class parameter_layout {
public:
  /// Appends a parameter at the next 64-byte boundary and returns its index.
  std::size_t add(std::string name, std::size_t rows, std::size_t cols, bool decays) {
    total_ = (total_ + 15) / 16 * 16;
    return add_adjacent(std::move(name), rows, cols, decays);
  }

  /// Appends a parameter right behind the last one, so that both are also one matrix.
  std::size_t add_adjacent(std::string name, std::size_t rows, std::size_t cols, bool decays) {
    slots_.push_back({std::move(name), total_, rows, cols, decays});
    total_ += slots_.back().size();
    return slots_.size() - 1;
  }

  /// Gives every parameter the name that `f` makes of its own.
  template <class F>
  void rename(F&& f) {
    for (slot& s : slots_) s.name = f(s.name);
  }

  [[nodiscard]] std::span<const slot> slots() const noexcept { return slots_; }
  [[nodiscard]] const slot& operator[](std::size_t i) const noexcept { return slots_[i]; }
  /// Numbers in the arena, gaps included.
  [[nodiscard]] std::size_t total() const noexcept { return total_; }
  /// Numbers in all parameters.
  [[nodiscard]] std::size_t parameter_count() const noexcept {
    std::size_t n = 0;
    for (const slot& s : slots_) n += s.size();
    return n;
  }

  /// Index of the parameter of this name. Throws input_error where there is none.
  [[nodiscard]] std::size_t index_of(std::string_view name) const {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].name == name) return i;
    }
    throw input_error("model: has no parameter " + std::string{name});
  }

private:
  std::vector<slot> slots_;
  std::size_t total_ = 0;
};

/// How a mask over weights is kept up while the weights are trained.
enum class weight_form {
  stored_zeros,  ///< pruned weights are set to 0 and stay there
  study,         ///< pruned weights keep their value and are multiplied by 0 at every forward pass
};

/// All parameters of a model in one arena, with gradients beside them.
///
/// Memory: 2 numbers per parameter; a third while weights are masked in the form of the study.
/// `stored` is what is trained and saved, `effective` what products see; without a mask, or with
/// stored zeros, they are the same memory.
template <backend B>
class parameters {
public:
  using number = typename B::parameter;
  using activation = typename B::activation;
  static_assert(std::is_same_v<number, activation>,
                "a backend whose activations are not its parameters needs a converted copy of the "
                "weights here");

  parameters(B& b, parameter_layout layout)
      : backend_{&b},
        layout_{std::move(layout)},
        stored_{b.template allocate<number>(layout_.total())},
        gradient_{b.template allocate<number>(layout_.total())} {}

  [[nodiscard]] const parameter_layout& layout() const noexcept { return layout_; }

  [[nodiscard]] view<number> stored() noexcept { return {stored_.data(), stored_.size(), 1}; }
  [[nodiscard]] view<number> gradient() noexcept { return {gradient_.data(), gradient_.size(), 1}; }

  [[nodiscard]] view<number> stored(std::size_t i) noexcept { return in(stored_, i, 1); }
  /// `count` parameters that were added adjacent, as one matrix.
  [[nodiscard]] view<number> gradient(std::size_t i, std::size_t count = 1) noexcept {
    return in(gradient_, i, count);
  }
  [[nodiscard]] view<const activation> effective(std::size_t i, std::size_t count = 1) noexcept {
    return effective_.size() != 0 ? in(effective_, i, count) : in(stored_, i, count);
  }

  /// Masks some parameters from now on. Throws input_error for an unknown name, shape_error where a
  /// mask has another size than its parameter.
  void apply(std::span<const std::pair<std::string, mask_view>> masks, weight_form form) {
    std::vector<masked> prepared;
    for (const auto& [name, m] : masks) {
      const std::size_t i = layout_.index_of(name);
      if (m.size() != layout_[i].size()) {
        throw shape_error("mask over " + std::to_string(m.size()) + " units for parameter " + name +
                          " of " + std::to_string(layout_[i].size()) + " weights");
      }
      masked entry{i, backend_->template allocate<std::uint64_t>(m.words().size())};
      backend_->write(m.words(), view<std::uint64_t>{entry.bits.data(), entry.bits.size(), 1});
      prepared.push_back(std::move(entry));
    }
    masked_ = std::move(prepared);
    form_ = form;
    effective_ = backend_->template allocate<activation>(
        form == weight_form::study && !masked_.empty() ? layout_.total() : 0);
    refresh();
  }

  /// Makes the effective weights agree with the stored ones; to be called after every change of the
  /// stored weights. Costs nothing where no weight is masked.
  void refresh() {
    if (masked_.empty()) return;
    const bool copies = effective_.size() != 0;
    if (copies) backend_->copy(read_only(stored()), whole(effective_));
    for (masked& m : masked_) {
      const view<number> target = copies ? in(effective_, m.index, 1) : in(stored_, m.index, 1);
      perform(*backend_, apply_mask<number, activation>{in(stored_, m.index, 1), bits(m), target});
    }
  }

  /// Zeroes the gradients of masked weights: what is multiplied by 0 has none.
  void mask_gradient() {
    for (masked& m : masked_) {
      const view<number> g = in(gradient_, m.index, 1);
      perform(*backend_, apply_mask<number, activation>{g, bits(m), g});
    }
  }

  void zero_gradient() { backend_->fill(gradient(), number{0}); }

private:
  using buffer = decltype(std::declval<B&>().template allocate<number>(0));
  using bit_buffer = decltype(std::declval<B&>().template allocate<std::uint64_t>(0));
  struct masked {
    std::size_t index;
    bit_buffer bits;
  };

  static view<const std::uint64_t> bits(const masked& m) noexcept {
    return {m.bits.data(), m.bits.size(), 1};
  }
  static view<number> whole(buffer& b) noexcept { return {b.data(), b.size(), 1}; }

  view<number> in(buffer& b, std::size_t i, std::size_t count) noexcept {
    const slot& s = layout_[i];
    const std::size_t rows = s.rows * count;
    return {b.data() + s.offset, rows, s.cols == 0 ? 1 : s.cols};
  }

  B* backend_;
  parameter_layout layout_;
  buffer stored_, gradient_;
  buffer effective_ = backend_->template allocate<number>(0);
  std::vector<masked> masked_;
  weight_form form_ = weight_form::stored_zeros;
};

}  // namespace tombola::nn
