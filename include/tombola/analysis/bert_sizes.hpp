#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"

namespace tombola::analysis {

/// The numbers that a BERT's parameters are counted from; the defaults are bert-base-uncased with a
/// classifier of two labels. MNLI has three labels, a regression such as STS-B one.
struct bert_architecture {
  std::size_t layers = 12;
  std::size_t heads = 12;  ///< of a layer
  std::size_t hidden = 768;
  std::size_t intermediate = 3072;
  std::size_t vocabulary = 30522;
  std::size_t positions = 512;
  std::size_t segments = 2;
  std::size_t labels = 2;
};

/// The largest that each number of an architecture may be: sums of products of three of them then
/// fit 64 bits.
inline constexpr std::size_t most_of_architecture = std::size_t{1} << 20;

/// Parameters by what they belong to, and what two ways of pruning may take.
struct bert_parameters {
  std::size_t embeddings = 0;      ///< word, position and segment tables, and their layer norm
  std::size_t head = 0;            ///< rows of Q, K, V with biases, columns of the output
  std::size_t attention_bias = 0;  ///< of a layer's attention output: no head's own
  std::size_t layer_norm = 0;      ///< one of the two of each layer
  std::size_t mlp = 0;             ///< both matrices with biases
  std::size_t pooler = 0;
  std::size_t classifier = 0;
  std::size_t total = 0;
  std::size_t prunable_weights = 0;  ///< matrices and biases of all attentions and MLPs
  std::size_t output_biases = 0;     ///< of these, the biases of all MLP outputs
};

/// Counts the parameters. BERT-base: 109,483,778, of them 23,837,184 embeddings.
///
/// Throws input_error, naming the number, where one is 0 or above most_of_architecture, and where
/// the hidden width is no multiple of the heads.
/// Source: J. Devlin et al., "BERT: pre-training of deep bidirectional transformers", NAACL 2019.
[[nodiscard]] inline bert_parameters parameters_of(const bert_architecture& a) {
  for (const auto& [name, n] :
       {std::pair{"layers", a.layers}, std::pair{"heads", a.heads}, std::pair{"hidden", a.hidden},
        std::pair{"intermediate", a.intermediate}, std::pair{"vocabulary", a.vocabulary},
        std::pair{"positions", a.positions}, std::pair{"segments", a.segments},
        std::pair{"labels", a.labels}}) {
    if (n == 0 || n > most_of_architecture) {
      throw input_error(std::string{"architecture: "} + name + " is " + std::to_string(n) +
                        ", expected 1 to " + std::to_string(most_of_architecture));
    }
  }
  if (a.hidden % a.heads != 0) {
    throw input_error("architecture: hidden is " + std::to_string(a.hidden) +
                      ", expected a multiple of the " + std::to_string(a.heads) + " heads");
  }
  const std::size_t d = a.hidden / a.heads;
  bert_parameters p;
  p.embeddings = (a.vocabulary + a.positions + a.segments) * a.hidden + 2 * a.hidden;
  p.head = 4 * a.hidden * d + 3 * d;
  p.attention_bias = a.hidden;
  p.layer_norm = 2 * a.hidden;
  p.mlp = 2 * a.hidden * a.intermediate + a.intermediate + a.hidden;
  p.pooler = a.hidden * a.hidden + a.hidden;
  p.classifier = a.labels * (a.hidden + 1);
  p.prunable_weights = a.layers * (a.heads * p.head + p.attention_bias + p.mlp);
  p.output_biases = a.layers * a.hidden;
  p.total =
      p.embeddings + p.prunable_weights + a.layers * 2 * p.layer_norm + p.pooler + p.classifier;
  return p;
}

/// What is left when the heads and MLPs that two masks prune are taken out of the model. A layer
/// without any head loses its attention altogether, the output's bias too.
///
/// Throws shape_error, naming both numbers, unless heads has layers x heads units and mlps layers.
/// Source: what structural pruning removes in S. Prasanna, A. Rogers, A. Rumshisky, EMNLP 2020.
[[nodiscard]] inline std::size_t parameters_left(const bert_architecture& a,
                                                 const mask& heads,
                                                 const mask& mlps) {
  const bert_parameters p = parameters_of(a);
  if (heads.size() != a.layers * a.heads || mlps.size() != a.layers) {
    throw shape_error("parameters_left: masks over " + std::to_string(heads.size()) +
                      " heads and " + std::to_string(mlps.size()) + " MLPs, expected " +
                      std::to_string(a.layers * a.heads) + " and " + std::to_string(a.layers));
  }
  std::size_t left = p.total - p.prunable_weights + heads.count() * p.head + mlps.count() * p.mlp;
  for (std::size_t l = 0; l < a.layers; ++l) {
    bool any = false;
    for (std::size_t h = 0; h < a.heads; ++h) any = any || heads[l * a.heads + h];
    if (any) left += p.attention_bias;
  }
  return left;
}

/// How the share of the embeddings, which no ticket prunes, is left out of a size.
enum class embedding_share {
  exact,             ///< embeddings over all parameters: 0.2177 for BERT-base
  rounded_as_study,  ///< 0.21 for every model: sizes come out 0.8 points too high
};

/// The size of a subnetwork of so many parameters: its parameters but the embeddings, over those of
/// the whole model. In [0, 1); the whole model has one less the embeddings' share.
///
/// Throws input_error if the parameters are no number from 0 to the whole model's.
/// Source: the sizes in the figures of S. Prasanna, A. Rogers, A. Rumshisky, EMNLP 2020, which take
/// 0.21 for the share and count layer norms, pooler and classifier as kept.
[[nodiscard]] inline double subnetwork_size(const bert_architecture& a,
                                            double parameters,
                                            embedding_share share = embedding_share::exact) {
  const bert_parameters p = parameters_of(a);
  const double total = static_cast<double>(p.total);
  if (!(parameters >= 0.0 && parameters <= total)) {
    throw input_error("subnetwork_size: " + std::to_string(parameters) +
                      " parameters, expected 0 to " + std::to_string(p.total));
  }
  return share == embedding_share::rounded_as_study
             ? parameters / total - 0.21
             : (parameters - static_cast<double>(p.embeddings)) / total;
}

/// Whether a search over weights ranks the biases of the MLPs' outputs with them. The study's masks
/// do, its code as published does not.
enum class output_biases { ranked, left_alone };

/// Parameters left when a share of the weights that a search ranks is kept, the rest of the model
/// being whole. Not rounded: a share such as 0.95^k is that of no whole number of weights.
///
/// Throws input_error unless 0 <= share <= 1. How many weights are left after each step of a search
/// says survivors() in prune/schedule.hpp.
[[nodiscard]] inline double parameters_left_of_weights(
    const bert_architecture& a, double share, output_biases biases = output_biases::ranked) {
  if (!(share >= 0.0 && share <= 1.0)) {
    throw input_error("parameters_left_of_weights: the share kept is " + std::to_string(share) +
                      ", expected a number from 0 to 1");
  }
  const bert_parameters p = parameters_of(a);
  const double ranked = static_cast<double>(
      p.prunable_weights - (biases == output_biases::ranked ? 0 : p.output_biases));
  return static_cast<double>(p.total) - ranked + share * ranked;
}

}  // namespace tombola::analysis
