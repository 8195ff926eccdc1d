#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tombola::nn {

/// A parameter that another architecture calls otherwise than BERT: both names without what names
/// the layer before them and `.weight` or `.bias` behind.
struct renamed {
  std::string_view bert;
  std::string_view here;
};

/// What follows the dense layer of the head over a sequence's first token.
enum class head_activation : std::uint8_t { tanh, relu };

/// How a checkpoint's text becomes ids.
enum class tokenizer_kind : std::uint8_t {
  wordpiece,  ///< vocab.txt
  byte_bpe,   ///< vocab.json and merges.txt
};

/// What config.json calls a model's sizes and rates. A null key: there is none.
struct config_keys {
  const char* hidden = "hidden_size";
  const char* layers = "num_hidden_layers";
  const char* heads = "num_attention_heads";
  const char* intermediate = "intermediate_size";
  const char* segments = "type_vocab_size";
  const char* activation = "hidden_act";
  const char* epsilon = "layer_norm_eps";
  const char* hidden_dropout = "hidden_dropout_prob";
  const char* attention_dropout = "attention_probs_dropout_prob";
  const char* classifier_dropout = "classifier_dropout";
};

/// What sets one kind of encoder apart from BERT, as data. Of the parts that all share (attention,
/// MLP, layer norms behind them) nothing is said here.
///
/// A model holds a pointer to one of these for as long as it lives: make them constants.
struct architecture {
  const char* model_type;                  ///< of config.json
  const char* classification;              ///< class of transformers that config.json names
  const char* masked_lm;                   ///< the same, for the masked LM
  std::string_view prefix;                 ///< of the encoder's parameters in a whole model
  std::string_view layers;                 ///< before a layer's number
  std::span<const renamed> names;          ///< what is called otherwise than in BERT
  std::span<const std::string_view> bare;  ///< beginnings of the names that have no prefix
  config_keys keys = {};
  double epsilon = 1e-12;           ///< of layer norms where config.json has none
  double classifier_dropout = 0.0;  ///< where config.json has none; 0: the hidden one
  std::size_t pad_token = 0;        ///< id of the padding that nobody computes here
  std::size_t position_offset = 0;  ///< row of the position table for the first token
  bool drops_attended = true;       ///< whether what attention gives is dropped out
  bool drops_first = false;         ///< whether the head drops before its dense layer too
  head_activation activation = head_activation::tanh;
  tokenizer_kind tokenizer = tokenizer_kind::wordpiece;
};

namespace detail {

inline constexpr std::array<std::string_view, 2> bert_bare{"classifier.", "cls."};

inline constexpr std::array<renamed, 5> roberta_names{{
    {"pooler.dense", "classifier.dense"},
    {"classifier", "classifier.out_proj"},
    {"cls.predictions.transform.dense", "lm_head.dense"},
    {"cls.predictions.transform.LayerNorm", "lm_head.layer_norm"},
    {"cls.predictions", "lm_head"},
}};
inline constexpr std::array<std::string_view, 2> roberta_bare{"classifier.", "lm_head."};

inline constexpr std::array<renamed, 12> distilbert_names{{
    {"attention.self.query", "attention.q_lin"},
    {"attention.self.key", "attention.k_lin"},
    {"attention.self.value", "attention.v_lin"},
    {"attention.output.dense", "attention.out_lin"},
    {"attention.output.LayerNorm", "sa_layer_norm"},
    {"intermediate.dense", "ffn.lin1"},
    {"output.dense", "ffn.lin2"},
    {"output.LayerNorm", "output_layer_norm"},
    {"pooler.dense", "pre_classifier"},
    {"cls.predictions.transform.dense", "vocab_transform"},
    {"cls.predictions.transform.LayerNorm", "vocab_layer_norm"},
    {"cls.predictions", "vocab_projector"},
}};
inline constexpr std::array<std::string_view, 3> distilbert_bare{"pre_classifier.", "classifier.",
                                                                 "vocab_"};

}  // namespace detail

/// Source: Devlin et al., NAACL 2019; names and defaults of the public checkpoints.
inline constexpr architecture bert_architecture{
    .model_type = "bert",
    .classification = "BertForSequenceClassification",
    .masked_lm = "BertForMaskedLM",
    .prefix = "bert.",
    .layers = "encoder.layer.",
    .names = {},
    .bare = detail::bert_bare,
};

/// Positions are counted from the padding's id on: of a table of 514 rows 512 are used. The head
/// has no pooler: dropout, a dense layer, tanh, dropout, the projection to the labels.
/// Source: Liu et al., arXiv:1907.11692; names and defaults of the public checkpoints.
inline constexpr architecture roberta_architecture{
    .model_type = "roberta",
    .classification = "RobertaForSequenceClassification",
    .masked_lm = "RobertaForMaskedLM",
    .prefix = "roberta.",
    .layers = "encoder.layer.",
    .names = detail::roberta_names,
    .bare = detail::roberta_bare,
    .pad_token = 1,
    .position_offset = 2,
    .drops_first = true,
    .tokenizer = tokenizer_kind::byte_bpe,
};

/// No segments, no pooler, and no dropout between attention and its layer norm; the head's dense
/// layer is followed by a ReLU.
/// Source: Sanh et al., arXiv:1910.01108; names and defaults of the public checkpoints.
inline constexpr architecture distilbert_architecture{
    .model_type = "distilbert",
    .classification = "DistilBertForSequenceClassification",
    .masked_lm = "DistilBertForMaskedLM",
    .prefix = "distilbert.",
    .layers = "transformer.layer.",
    .names = detail::distilbert_names,
    .bare = detail::distilbert_bare,
    .keys = {.hidden = "dim",
             .layers = "n_layers",
             .heads = "n_heads",
             .intermediate = "hidden_dim",
             .segments = nullptr,
             .activation = "activation",
             .epsilon = nullptr,
             .hidden_dropout = "dropout",
             .attention_dropout = "attention_dropout",
             .classifier_dropout = "seq_classif_dropout"},
    .classifier_dropout = 0.2,
    .drops_attended = false,
    .activation = head_activation::relu,
};

/// All that config.json may name.
inline constexpr std::array<const architecture*, 3> architectures{
    &bert_architecture, &roberta_architecture, &distilbert_architecture};

/// What a checkpoint of this architecture calls BERT's parameter `name`, both without a prefix.
/// Cost: a look at every entry of the table of names.
[[nodiscard]] inline std::string name_in(const architecture& a, std::string_view name) {
  std::string out;
  if (name.starts_with(bert_architecture.layers)) {
    const std::size_t number = bert_architecture.layers.size(), dot = name.find('.', number);
    out.append(a.layers).append(name.substr(number, dot + 1 - number));
    name.remove_prefix(dot + 1);
  }
  const std::size_t ending = std::min(name.rfind('.'), name.size());
  for (const renamed& r : a.names) {
    if (r.bert == name.substr(0, ending)) return out.append(r.here).append(name.substr(ending));
  }
  return out.append(name);
}

/// A parameter's name in the file of a whole model: with the prefix, unless it stands without.
[[nodiscard]] inline std::string prefixed(const architecture& a, std::string_view name) {
  const bool bare = std::any_of(a.bare.begin(), a.bare.end(),
                                [&](std::string_view b) { return name.starts_with(b); });
  return std::string{bare ? std::string_view{} : a.prefix}.append(name);
}

/// What a tensor of a checkpoint's file is called as a parameter: without the prefix, and with
/// today's words, where old checkpoints say gamma and beta.
[[nodiscard]] inline std::string canonical_name(const architecture& a, std::string_view name) {
  if (name.starts_with(a.prefix)) name.remove_prefix(a.prefix.size());
  std::string s{name};
  const auto ending = [&](std::string_view old, std::string_view now) {
    if (s.ends_with(old)) s.replace(s.size() - old.size(), old.size(), now);
  };
  ending("LayerNorm.gamma", "LayerNorm.weight");
  ending("LayerNorm.beta", "LayerNorm.bias");
  return s;
}

/// Whether a parameter belongs to a head, and may thus be missing from a pretrained checkpoint.
[[nodiscard]] inline bool is_head(const architecture& a, std::string_view name) {
  return !name.starts_with("embeddings.") && !name.starts_with(a.layers);
}

}  // namespace tombola::nn
