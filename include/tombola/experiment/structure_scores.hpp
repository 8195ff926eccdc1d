#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/group.hpp"
#include "tombola/core/scores.hpp"
#include "tombola/nn/attention_entropy.hpp"
#include "tombola/nn/bert.hpp"
#include "tombola/nn/bert_layout.hpp"
#include "tombola/nn/weight_statistics.hpp"
#include "tombola/prune/activation_criteria.hpp"
#include "tombola/prune/criteria.hpp"
#include "tombola/prune/gradient_criteria.hpp"

/// Scores of heads and MLPs from their weights and what a pass says of these: beside the
/// sensitivity of gates (objectives.hpp), which needs no weight gradients.
///
/// Every function gives two scores in the order of nn::gate_groups, `heads` (L x H) and `mlps` (L),
/// not normalised: their scales differ, and so may those of layers (normalise.hpp). Models are
/// whole ones: input_error for a compact model.
namespace tombola::experiment {

/// Which of its parameters stand for a structure.
enum class owned {
  outgoing,  ///< a head's columns of W_o; an MLP's second matrix and its bias: what carries it out
  all,       ///< a head's rows of query, key and value with their biases too; all of an MLP
};

namespace detail {

inline void require_whole(const nn::bert_config& c) {
  if (c.is_compact()) {
    throw input_error("scores of heads and MLPs: the model is compact, expected a whole one");
  }
}

/// Appends, from a matrix [rows, cols], row-major, those of columns first to first + n - 1.
inline void append_columns(std::span<const float> matrix,
                           std::size_t cols,
                           std::size_t first,
                           std::size_t n,
                           std::vector<float>& to) {
  for (std::size_t at = first; at < matrix.size(); at += cols) {
    const auto part = matrix.subspan(at, n);
    to.insert(to.end(), part.begin(), part.end());
  }
}

/// One number for each parameter that the heads of a layer own, head after head. read: the place of
/// a parameter in the layout -> its numbers, row-major.
template <class Read>
[[nodiscard]] std::vector<float> numbers_of_heads(const nn::bert_config& c,
                                                  const nn::layer_slots& s,
                                                  owned which,
                                                  const Read& read) {
  const std::size_t D = c.head_size();
  std::vector<std::vector<float>> rows;  // those of head h lie together, at h times their share
  if (which == owned::all) {
    for (const std::size_t i :
         {s.query_weight, s.key_weight, s.value_weight, s.query_bias, s.key_bias, s.value_bias}) {
      rows.push_back(read(i));
    }
  }
  const std::vector<float> output = read(s.output_weight);
  std::vector<float> out;
  for (std::size_t h = 0; h < c.heads; ++h) {
    for (const std::vector<float>& of_all : rows) {
      const std::size_t share = of_all.size() / c.heads;
      const auto part = std::span{of_all}.subspan(h * share, share);
      out.insert(out.end(), part.begin(), part.end());
    }
    append_columns(output, c.heads * D, h * D, D, out);
  }
  return out;
}

/// The same for the MLP of a layer.
template <class Read>
[[nodiscard]] std::vector<float> numbers_of_mlp(const nn::layer_slots& s,
                                                owned which,
                                                const Read& read) {
  std::vector<float> out;
  const auto append = [&](std::size_t i) {
    const std::vector<float> part = read(i);
    out.insert(out.end(), part.begin(), part.end());
  };
  if (which == owned::all) {
    append(s.up_weight);
    append(s.up_bias);
  }
  append(s.down_weight);
  append(s.down_bias);
  return out;
}

/// Scores of all layers, put together. heads: layer -> scores of its H heads; mlps likewise, of 1.
template <class Heads, class Mlps>
[[nodiscard]] std::vector<scores> layer_by_layer(const nn::bert_config& c,
                                                 const Heads& heads,
                                                 const Mlps& mlps) {
  const std::vector<group> groups = nn::gate_groups(c);
  std::vector<float> h, m;
  for (std::size_t l = 0; l < c.layers; ++l) {
    const scores of_heads = heads(l), of_mlp = mlps(l);
    h.insert(h.end(), of_heads.values().begin(), of_heads.values().end());
    m.push_back(of_mlp[0]);
  }
  return {scores{groups[0], std::move(h)}, scores{groups[1], std::move(m)}};
}

/// The heads of one layer, and its MLP, named for messages.
[[nodiscard]] inline group heads_of_layer(const nn::bert_config& c, std::size_t l) {
  return {"heads of layer " + std::to_string(l), {c.heads}};
}
[[nodiscard]] inline group mlp_of_layer(std::size_t l) {
  return {"MLP of layer " + std::to_string(l), {1}};
}

/// A parameter's effective weights by its place in the layout.
template <backend B>
[[nodiscard]] auto weights_reader(nn::bert<B>& model) {
  return [&model](std::size_t i) {
    const nn::slot& s = model.parameters().layout()[i];
    return nn::effective_weights(model, {s.name, {s.size()}});
  };
}

/// The same of the sums of gradients that statistics have.
template <backend B>
[[nodiscard]] auto gradients_reader(nn::bert<B>& model, const nn::weight_statistics& s) {
  return [&model, &s](std::size_t i) {
    const auto sums = s.gradient(s.index_of(model.parameters().layout()[i].name));
    return std::vector<float>(sums.begin(), sums.end());
  };
}

/// Wanda's scores of the matrix at this place of the layout, added up over the columns of each
/// unit.
template <backend B>
[[nodiscard]] scores wanda_of_columns(nn::bert<B>& model,
                                      const nn::weight_statistics& s,
                                      std::size_t place,
                                      const group& units) {
  const std::size_t g = s.index_of(model.parameters().layout()[place].name);
  const group& its = s.groups()[g];
  return sum_of_columns(wanda_criterion{}(its, nn::effective_weights(model, its), s.input_norms(g)),
                        units);
}

}  // namespace detail

/// The norm of each structure's parameters, under the model's ticket. No data, no pass.
/// Memory: the parameters of one layer. Source: H. Li et al., "Pruning filters for efficient
/// ConvNets", ICLR 2017 (a unit by the norm of its weights; here L2 unless asked otherwise).
template <backend B>
[[nodiscard]] std::vector<scores> magnitude_of_structures(
    nn::bert<B>& model,
    owned which = owned::all,
    magnitude_criterion::norm kind = magnitude_criterion::norm::l2) {
  const nn::bert_config& c = model.config();
  detail::require_whole(c);
  const magnitude_criterion norm{kind, normalisation::none};
  const auto read = detail::weights_reader(model);
  const auto& layers = model.slots().layers;
  return detail::layer_by_layer(
      c,
      [&](std::size_t l) {
        return norm(detail::heads_of_layer(c, l),
                    detail::numbers_of_heads(c, layers[l], which, read));
      },
      [&](std::size_t l) {
        return norm(detail::mlp_of_layer(l), detail::numbers_of_mlp(layers[l], which, read));
      });
}

/// What the loss, summed over the examples, changes by when a structure goes, to first order: from
/// weights and the sums of their gradients, in one of the forms of taylor_criterion.
///
/// Over the outgoing weights, absolute_of_sum is |dL / dgate| at a gate of 1: a factor on a head
/// equals one on its columns of W_o. Over all of them a structure is counted along its way in and
/// out; the sum then is no derivative at a gate. s: of this model, with gradients, over groups in
/// which these parameters are: nn::prunable::all has them. Throws input_error where they are not,
/// or where s has no gradients. Memory: weights and gradients of one layer, as floats.
template <backend B>
[[nodiscard]] std::vector<scores> taylor_of_structures(
    nn::bert<B>& model,
    const nn::weight_statistics& s,
    owned which = owned::outgoing,
    taylor_criterion::form form = taylor_criterion::form::absolute_of_sum) {
  const nn::bert_config& c = model.config();
  detail::require_whole(c);
  if (!s.wanted().gradients) {
    throw input_error("Taylor scores of heads and MLPs: the statistics have no gradients");
  }
  const taylor_criterion taylor{form};
  const auto weight = detail::weights_reader(model);
  const auto gradient = detail::gradients_reader(model, s);
  const auto& layers = model.slots().layers;
  return detail::layer_by_layer(
      c,
      [&](std::size_t l) {
        return taylor(detail::heads_of_layer(c, l),
                      detail::numbers_of_heads(c, layers[l], which, weight),
                      detail::numbers_of_heads(c, layers[l], which, gradient));
      },
      [&](std::size_t l) {
        return taylor(detail::mlp_of_layer(l), detail::numbers_of_mlp(layers[l], which, weight),
                      detail::numbers_of_mlp(layers[l], which, gradient));
      });
}

/// Wanda's scores of the weights that carry a structure out, added up: a head's columns of W_o, an
/// MLP's second matrix (its bias has no input).
///
/// s: of this model, with input norms, over groups in which these matrices are. Throws input_error
/// where they are not. Memory: a matrix and its scores.
/// Source: Y. An et al., "Fluctuation-based adaptive structured pruning", AAAI 2024 (Wanda-sp).
template <backend B>
[[nodiscard]] std::vector<scores> wanda_of_structures(nn::bert<B>& model,
                                                      const nn::weight_statistics& s) {
  const nn::bert_config& c = model.config();
  detail::require_whole(c);
  if (!s.wanted().input_norms) {
    throw input_error("Wanda scores of heads and MLPs: the statistics have no norms of inputs");
  }
  const auto& layers = model.slots().layers;
  return detail::layer_by_layer(
      c,
      [&](std::size_t l) {
        return detail::wanda_of_columns(model, s, layers[l].output_weight,
                                        detail::heads_of_layer(c, l));
      },
      [&](std::size_t l) {
        return detail::wanda_of_columns(model, s, layers[l].down_weight, detail::mlp_of_layer(l));
      });
}

/// Heads by how focused their attention is (attention_entropy::focus): low entropy counts as
/// important. One scores, `heads`; MLPs have no attention.
///
/// This is a heuristic, no published criterion that we know of. What speaks for it: heads whose
/// attention is sure of its token were found the important ones in translation (E. Voita et al.,
/// "Analyzing multi-head self-attention", ACL 2019, section 4, by the largest attention weight, a
/// relative of entropy). What speaks against: many of BERT's focused heads look at [SEP] and may do
/// nothing there (K. Clark et al., BlackboxNLP 2019, section 3.2).
template <backend B>
[[nodiscard]] scores focus_of_heads(nn::bert<B>& model, nn::attention_entropy<B>& e) {
  detail::require_whole(model.config());
  const std::vector<double> f = e.focus();
  return {nn::gate_groups(model.config())[0], std::vector<float>(f.begin(), f.end())};
}

}  // namespace tombola::experiment
