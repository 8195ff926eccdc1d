#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/backend/backend.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/packed_batch.hpp"
#include "tombola/nn/bert.hpp"

namespace tombola::nn {

/// Which statistics of its weights a pass over data collects. What is not asked for takes no
/// memory.
struct wanted_statistics {
  bool gradients = false;    ///< sums of gradients: Taylor of whole structures, SNIP
  bool squares = false;      ///< sums of squares of batches' gradients: Fisher, Taylor of weights
  bool input_norms = false;  ///< how large the inputs of each matrix's columns are: Wanda
};

namespace detail {

/// What a matrix of a layer is multiplied by. Named as in encoder_activations.
enum class matrix_input { layer_input, context, after_attention, up };

/// One such activation, and the squares of its columns so far.
struct input_squares {
  std::size_t layer = 0;
  matrix_input where = matrix_input::layer_input;
  std::vector<double> sums;  ///< [in]
};

/// Which input the parameter at place i of the layout has, without sums; nothing unless it is one
/// of the six matrices of a layer.
[[nodiscard]] inline std::optional<input_squares> input_of(const bert_config& c,
                                                           const bert_slots& slots,
                                                           std::size_t i) {
  for (std::size_t l = 0; l < c.layers; ++l) {
    const layer_slots& s = slots.layers[l];
    if (c.shape(l).heads > 0) {  // else its members are 0, the place of another parameter
      if (i == s.query_weight || i == s.key_weight || i == s.value_weight) {
        return input_squares{l, matrix_input::layer_input, {}};
      }
      if (i == s.output_weight) return input_squares{l, matrix_input::context, {}};
    }
    if (c.shape(l).intermediate > 0) {
      if (i == s.up_weight) return input_squares{l, matrix_input::after_attention, {}};
      if (i == s.down_weight) return input_squares{l, matrix_input::up, {}};
    }
  }
  return std::nullopt;
}

/// That activation of the batch which went forward through w: [T, in].
template <backend B>
[[nodiscard]] view<const typename B::activation> input_view(workspace<B>& w,
                                                            const input_squares& of) {
  encoder_activations<B>& a = w.encoder;
  const std::size_t T = w.batch.tokens();
  switch (of.where) {
    case matrix_input::context:
      return read_only(a.layers[of.layer].context.rows(T));
    case matrix_input::after_attention:
      return read_only(a.layers[of.layer].after_attention.rows(T));
    case matrix_input::up:
      return read_only(a.layers[of.layer].up.rows(T));
    case matrix_input::layer_input:
      break;
  }
  return read_only(of.layer == 0 ? a.embedded.rows(T) : a.layers[of.layer - 1].output.rows(T));
}

}  // namespace detail

/// The weights of a group as products see them, masked ones as 0: [group.size()], row-major.
/// Throws input_error where the model has no such parameter, shape_error where it has another size.
template <backend B>
[[nodiscard]] std::vector<float> effective_weights(bert<B>& model, const group& g) {
  using A = typename B::activation;
  parameters<B>& p = model.parameters();
  std::vector<A> raw(g.size());
  model.device().read(p.effective(p.layout().index_of(g.name)), std::span<A>{raw});
  return {raw.begin(), raw.end()};
}

/// What criteria need to know of a model's weights and only data can tell, batch after batch.
///
///   weight_statistics s{model, weight_groups(model.config(), prunable::weights), {.squares = true}};
///   workspace<B> w{b, model.config(), limits, keep::gradients};
///   for (const packed_batch& batch : data) (void)s.add(model, w, batch);
///   taylor of weight i of group g: |w_i| * sqrt(s.squares(g)[i])
///
/// G_b is the sum of the gradients of a batch's examples, each example's own loss having weight 1;
/// without dropout, at the gates and under the masks that the model has: those of the masked model,
/// and 0 for masked weights. Sums over batches run in double, in order, and have the same bits for
/// any number of threads of a backend that keeps its promise.
/// Memory: a double per weight for each of the two sums that is asked for, a double per column of
/// an input, and while a batch is added one group as the backend has it.
class weight_statistics {
public:
  /// groups: parameters of the model by name, such as weight_groups. Throws input_error where the
  /// model lacks one, or input norms are asked of what is not a matrix of a layer; shape_error
  /// where sizes differ.
  template <backend B>
  weight_statistics(bert<B>& model, std::vector<group> groups, wanted_statistics wanted)
      : groups_{std::move(groups)}, wanted_{wanted} {
    const parameter_layout& layout = model.parameters().layout();
    for (const group& g : groups_) {
      const std::size_t i = layout.index_of(g.name);
      if (layout[i].size() != g.size()) {
        throw shape_error("weight statistics: group " + to_string(g) + " for a parameter of " +
                          std::to_string(layout[i].size()) + " weights");
      }
      places_.push_back(i);
      if (wanted_.gradients) gradients_.emplace_back(g.size());
      if (wanted_.squares) squares_.emplace_back(g.size());
      if (wanted_.input_norms) plan_input(model, g, i);
    }
  }

  /// One forward pass and, where gradients or squares are wanted, one backward pass to all weights:
  /// adds the batch to every statistic that was asked for.
  ///
  /// model: that of the constructor, or one of the same sizes. Its parameters' gradients end as 0.
  /// Returns the logits, still in w; activations are there too. Throws input_error unless w was
  /// made with keep::gradients; else as the pass does, nothing added. Waits once for every group.
  template <backend B>
  view<typename B::activation> add(bert<B>& model, workspace<B>& w, const packed_batch& batch) {
    if (w.encoder.kept != keep::gradients) {
      throw input_error(
          "weight statistics: the workspace keeps too little, expected one made with "
          "keep::gradients");
    }
    w.batch.write(batch, model.config());
    const auto logits = model.forward(w);
    if (wanted_.gradients || wanted_.squares) {
      model.parameters().zero_gradient();
      model.loss(w, 1.0);
      model.backward(w, gradients_of::weights);
      add_gradients(model);
      model.parameters().zero_gradient();
    }
    add_inputs(model, w);
    examples_ += batch.sequences();
    tokens_ += batch.tokens();
    batches_ += 1;
    return logits;
  }

  [[nodiscard]] const std::vector<group>& groups() const noexcept { return groups_; }
  [[nodiscard]] const wanted_statistics& wanted() const noexcept { return wanted_; }
  [[nodiscard]] std::size_t examples() const noexcept { return examples_; }
  [[nodiscard]] std::size_t tokens() const noexcept { return tokens_; }
  [[nodiscard]] std::size_t batches() const noexcept { return batches_; }

  /// Place of the group of this name. Throws input_error where there is none.
  [[nodiscard]] std::size_t index_of(std::string_view name) const {
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (groups_[g].name == name) return g;
    }
    throw input_error("weight statistics: has no group " + std::string{name});
  }

  /// Sum of the gradients of all examples, for each weight of group g: up to rounding the same for
  /// any batches. Empty unless gradients are wanted.
  [[nodiscard]] std::span<const double> gradient(std::size_t g) const noexcept {
    return wanted_.gradients ? std::span<const double>{gradients_[g]} : std::span<const double>{};
  }

  /// Sum over batches of G_b^2, for each weight of group g. Empty unless squares are wanted.
  ///
  /// With one example to a batch this is, exactly, the number of examples times the diagonal of the
  /// empirical Fisher information; with more, gradients of one batch cancel before they are
  /// squared, and it is that only in expectation and where their mean is 0.
  /// Source: L. Theis et al., "Faster gaze prediction with dense networks and Fisher pruning", 2018
  /// (examples); P. Molchanov et al., "Importance estimation for neural network pruning", CVPR
  /// 2019, section 3 (batches).
  [[nodiscard]] std::span<const double> squares(std::size_t g) const noexcept {
    return wanted_.squares ? std::span<const double>{squares_[g]} : std::span<const double>{};
  }

  /// L2 norm over all tokens of what each column of matrix g is multiplied by: [in]. Up to rounding
  /// of the pass the same for any batches. Empty unless input norms are wanted.
  ///
  /// The input of query, key and value is that of the layer; of the attention's output, the gated
  /// context of the heads; of the MLP's two, the first layer norm's output and its own GELU's.
  /// Source: M. Sun et al., "A simple and effective pruning approach for large language models",
  /// 2023, section 3.
  [[nodiscard]] std::vector<float> input_norms(std::size_t g) const {
    if (!wanted_.input_norms) return {};
    std::vector<float> norms;
    for (const double x : inputs_[input_of_[g]].sums) {
      norms.push_back(static_cast<float>(std::sqrt(x)));
    }
    return norms;
  }

private:
  /// Query, key and value share one input.
  template <backend B>
  void plan_input(bert<B>& model, const group& g, std::size_t place) {
    auto in = detail::input_of(model.config(), model.slots(), place);
    if (!in || g.extents.size() != 2) {
      throw input_error("weight statistics: " + to_string(g) +
                        " has no input norms, expected a matrix of a layer");
    }
    const auto same = [&](const detail::input_squares& other) {
      return other.layer == in->layer && other.where == in->where;
    };
    const auto at = std::find_if(inputs_.begin(), inputs_.end(), same);
    input_of_.push_back(static_cast<std::size_t>(at - inputs_.begin()));
    if (at != inputs_.end()) return;
    in->sums.resize(g.extents[1]);
    inputs_.push_back(std::move(*in));
  }

  template <backend B>
  void add_gradients(bert<B>& model) {
    using P = typename B::parameter;
    std::vector<P> batch;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      batch.resize(groups_[g].size());
      model.device().read(read_only(model.parameters().gradient(places_[g])), std::span<P>{batch});
      for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto x = static_cast<double>(batch[i]);
        if (wanted_.gradients) gradients_[g][i] += x;
        if (wanted_.squares) squares_[g][i] += x * x;
      }
    }
  }

  template <backend B>
  void add_inputs(bert<B>& model, workspace<B>& w) {
    using A = typename B::activation;
    std::vector<A> rows;
    for (detail::input_squares& in : inputs_) {
      const view<const A> from = detail::input_view(w, in);
      const std::size_t n = in.sums.size();
      rows.resize(from.size());
      model.device().read(from, std::span<A>{rows});
      for (std::size_t t = 0; t < from.rows; ++t) {
        for (std::size_t c = 0; c < n; ++c) {
          const auto x = static_cast<double>(rows[t * n + c]);
          in.sums[c] += x * x;
        }
      }
    }
  }

  std::vector<group> groups_;
  wanted_statistics wanted_;
  std::vector<std::size_t> places_;  ///< [groups] in the model's layout
  std::vector<std::vector<double>> gradients_, squares_;
  std::vector<std::size_t> input_of_;  ///< [groups] into inputs_
  std::vector<detail::input_squares> inputs_;
  std::size_t examples_ = 0, tokens_ = 0, batches_ = 0;
};

}  // namespace tombola::nn
