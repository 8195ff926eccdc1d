#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/backend/backend.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/nn/bert.hpp"
#include "tombola/nn/bert_layout.hpp"
#include "tombola/nn/config.hpp"

namespace tombola::nn {

/// What a compact model is made of: its config, and which heads and neurons of the whole model each
/// layer keeps, in rising order.
struct compact_plan {
  bert_config config;                             ///< with one shape per layer
  std::vector<std::vector<std::size_t>> heads;    ///< [L], each some of 0 to H - 1
  std::vector<std::vector<std::size_t>> neurons;  ///< [L], each some of 0 to F - 1
};

namespace detail {

/// The mask of one group of a structured ticket, or all kept where the ticket has no such group.
/// Throws shape_error where it is not the model's group.
[[nodiscard]] inline mask units_of(const ticket& t, const group& of_model) {
  const auto i = t.find(of_model.name);
  if (!i) return mask::all_kept(of_model.size());
  require_same_group(t.groups()[*i], of_model);
  return t[*i];
}

/// The units kept in row l of a mask over rows of n units.
[[nodiscard]] inline std::vector<std::size_t> kept_in(const mask& m, std::size_t l, std::size_t n) {
  std::vector<std::size_t> kept;
  for (std::size_t u = 0; u < n; ++u) {
    if (m[l * n + u]) kept.push_back(u);
  }
  return kept;
}

}  // namespace detail

/// Which units stay under a structured ticket: groups `heads` [L x H], `mlps` [L] and `neurons`
/// [L x F], each of which may be missing.
///
/// A layer that loses all heads keeps its attention branch, and with it the output bias: what gates
/// at 0 leave. A pruned MLP is gone with its bias, which its gate multiplies too; one that loses
/// all neurons keeps the bias. Throws input_error for a ticket with other groups, such as weights,
/// or none, or a model that is compact already; shape_error for groups of other extents.
[[nodiscard]] inline compact_plan plan_compaction(const bert_config& whole, const ticket& t) {
  if (whole.is_compact()) {
    throw input_error("compaction: the model is compact already, expected a whole one");
  }
  if (t.groups().empty()) {
    throw input_error("compaction: the ticket has no group, expected heads, mlps or neurons");
  }
  for (const group& g : t.groups()) {
    if (!holds_structures(g)) {
      throw input_error("compaction: the ticket has group " + to_string(g) +
                        ": single weights leave no smaller matrix, expected masks of heads, mlps "
                        "or neurons");
    }
  }
  const std::size_t L = whole.layers, H = whole.heads, F = whole.intermediate;
  const std::vector<group> gated = gate_groups(whole);
  const mask heads = detail::units_of(t, gated[0]);
  const mask mlps = detail::units_of(t, gated[1]);
  const mask neurons = detail::units_of(t, neuron_group(whole));
  compact_plan plan{whole, {}, {}};
  for (std::size_t l = 0; l < L; ++l) {
    plan.heads.push_back(detail::kept_in(heads, l, H));
    plan.neurons.push_back(mlps[l] ? detail::kept_in(neurons, l, F) : std::vector<std::size_t>{});
    plan.config.shapes.push_back({plan.heads[l].size(), plan.neurons[l].size(), true, mlps[l]});
  }
  return plan;
}

/// The plan of a compact model whose units count as the first ones of each layer of the whole
/// model: for writing it at full size when nobody knows any more which ones they were.
/// Throws input_error for a whole model.
[[nodiscard]] inline compact_plan plan_of(const bert_config& compact) {
  if (!compact.is_compact()) {
    throw input_error("compaction: the model is whole, expected a compact one");
  }
  const auto first = [](std::size_t n) {
    std::vector<std::size_t> units(n);
    for (std::size_t u = 0; u < n; ++u) units[u] = u;
    return units;
  };
  compact_plan plan{compact, {}, {}};
  for (const layer_shape& s : compact.shapes) {
    plan.heads.push_back(first(s.heads));
    plan.neurons.push_back(first(s.intermediate));
  }
  return plan;
}

/// Where the numbers of a compact model stand in the whole one: copies arenas of parameters both
/// ways. Arenas are as parameters<B> holds them, on the host.
class compaction {
public:
  explicit compaction(const compact_plan& plan) {
    bert_config whole = plan.config;
    whole.shapes.clear();
    const bert_slots slots = lay_out(plan.config, compact_);
    lay_out(whole, whole_);
    for (std::size_t i = 0; i < compact_.slots().size(); ++i) {
      parts_.push_back({whole_.index_of(compact_[i].name), {}, {}});
    }
    const std::size_t D = whole.head_size();
    for (std::size_t l = 0; l < whole.layers; ++l) place(slots.layers[l], plan, l, D);
  }

  [[nodiscard]] const parameter_layout& whole() const noexcept { return whole_; }
  [[nodiscard]] const parameter_layout& compact() const noexcept { return compact_; }

  /// A compact arena from a whole one. Throws shape_error for an arena of another size.
  template <class T>
  [[nodiscard]] std::vector<T> take(std::span<const T> from) const {
    require_size(from.size(), whole_.total());
    std::vector<T> to(compact_.total());
    for_each_number(
        [&](std::size_t in_whole, std::size_t in_compact) { to[in_compact] = from[in_whole]; });
    return to;
  }

  /// A whole arena from a compact one: 0 where nothing is left.
  /// Throws shape_error for an arena of another size.
  template <class T>
  [[nodiscard]] std::vector<T> put_back(std::span<const T> from) const {
    require_size(from.size(), compact_.total());
    std::vector<T> to(whole_.total(), T{0});
    for_each_number(
        [&](std::size_t in_whole, std::size_t in_compact) { to[in_whole] = from[in_compact]; });
    return to;
  }

private:
  /// Rows and columns of the whole parameter that the compact one has. No list: all of them.
  struct part {
    std::size_t whole;
    std::vector<std::size_t> rows, columns;
  };

  void place(const layer_slots& s, const compact_plan& plan, std::size_t l, std::size_t D) {
    std::vector<std::size_t> width;
    for (const std::size_t h : plan.heads[l]) {
      for (std::size_t d = 0; d < D; ++d) width.push_back(h * D + d);
    }
    if (!width.empty()) {
      for (const std::size_t i :
           {s.query_weight, s.key_weight, s.value_weight, s.query_bias, s.key_bias, s.value_bias}) {
        parts_[i].rows = width;
      }
      parts_[s.output_weight].columns = width;
    }
    if (!plan.neurons[l].empty()) {
      parts_[s.up_weight].rows = parts_[s.up_bias].rows = plan.neurons[l];
      parts_[s.down_weight].columns = plan.neurons[l];
    }
  }

  template <class F>
  void for_each_number(const F& f) const {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const slot &to = compact_[i], &from = whole_[parts_[i].whole];
      const std::vector<std::size_t>&rows = parts_[i].rows, &columns = parts_[i].columns;
      const std::size_t stride = from.cols == 0 ? 1 : from.cols, n = to.cols == 0 ? 1 : to.cols;
      for (std::size_t r = 0; r < to.rows; ++r) {
        const std::size_t row = from.offset + (rows.empty() ? r : rows[r]) * stride;
        for (std::size_t c = 0; c < n; ++c) {
          f(row + (columns.empty() ? c : columns[c]), to.offset + r * n + c);
        }
      }
    }
  }

  static void require_size(std::size_t found, std::size_t expected) {
    if (found != expected) {
      throw shape_error("compaction: an arena of " + std::to_string(found) +
                        " numbers, expected one of " + std::to_string(expected));
    }
  }

  parameter_layout whole_, compact_;
  std::vector<part> parts_;  ///< one for each compact parameter
};

namespace detail {

/// A copy of a model's stored weights on the host. Waits for the device.
template <backend B>
[[nodiscard]] std::vector<typename B::parameter> stored_weights(bert<B>& model) {
  std::vector<typename B::parameter> values(model.parameters().layout().total());
  model.device().read(read_only(model.parameters().stored()),
                      std::span<typename B::parameter>{values});
  return values;
}

template <backend B>
void store_weights(bert<B>& model, std::span<const typename B::parameter> values) {
  model.device().write(values, model.parameters().stored());
  model.parameters().refresh();
}

}  // namespace detail

/// The compact model of a plan, with the whole one's stored weights; no gate and no mask acts in
/// it.
/// Precondition: the plan was made for this model. Memory: both arenas once more on the host.
template <backend B>
[[nodiscard]] std::unique_ptr<bert<B>> make_compact(bert<B>& whole, const compact_plan& plan) {
  using number = typename B::parameter;
  auto model = std::make_unique<bert<B>>(whole.device(), plan.config);
  const std::vector<number> all = detail::stored_weights(whole);
  const std::vector<number> left = compaction{plan}.take(std::span<const number>{all});
  detail::store_weights(*model, std::span<const number>{left});
  return model;
}

/// The same model at full size: zeros where units are gone, so that any tool that knows the whole
/// model computes the compact one's answers. Precondition: the plan is this compact model's.
template <backend B>
[[nodiscard]] std::unique_ptr<bert<B>> make_padded(bert<B>& compact, const compact_plan& plan) {
  using number = typename B::parameter;
  bert_config whole = plan.config;
  whole.shapes.clear();
  auto model = std::make_unique<bert<B>>(compact.device(), whole);
  const std::vector<number> left = detail::stored_weights(compact);
  const std::vector<number> all = compaction{plan}.put_back(std::span<const number>{left});
  detail::store_weights(*model, std::span<const number>{all});
  return model;
}

/// The other side of every proof: the whole model with gates at 0 for what the ticket prunes.
/// Throws shape_error where the ticket does not fit the model.
template <backend B>
void mask_units(bert<B>& whole, const ticket& t) {
  whole.gates().set(t);
}

}  // namespace tombola::nn
