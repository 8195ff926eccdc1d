// config.json of a model.

#include "tests/fuzz/support.hpp"

#include "tombola/nn/config_file.hpp"

using namespace tombola;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& folder = fuzz::as_folder(fuzz::text_of(data, size), {"config.json"});
  auto read = fuzz::accepted([&] { return nn::read_config(folder); });
  if (!read) return 0;
  fuzz::hold(read->hidden == read->heads * read->head_size(), "heads divide the hidden size");
  // Each label is written with its name: many take long, and a masked LM has none.
  if (read->labels > 8) return 0;
  if (read->head == nn::head_kind::masked_lm) read->labels = 2;
  (void)fuzz::as_file(nn::config_json(*read).dump());
  fuzz::hold(nn::read_config(folder) == *read, "a config survives writing and reading");
  return 0;
}

void fuzz::make_seeds(seeds& to) {
  nn::bert_config c;
  to.add(nn::config_json(c).dump());
  c.labels = 1;
  c.head = nn::head_kind::regression;
  to.add(nn::config_json(c).dump());
  c.head = nn::head_kind::masked_lm;
  const std::string text = nn::config_json(c).dump();
  to.add(text);
  to.add(text, "\"gelu\"", "\"\\u001b[31m\"");
  to.add(text, "\"gelu\"", "null");
  to.add(text, "\"bert\"", "\"roberta\"");
  for (const nn::architecture* family : nn::architectures) {
    nn::bert_config other;
    other.family = family;
    if (family->keys.segments == nullptr) other.segments = 0;
    to.add(nn::config_json(other).dump());
  }
  to.add(text, "768", "769");
  to.add(text, "30522", "18446744073709551615");
  to.add(text, "0.1", "1e300");
  to.add(text, "{", R"({"pruned_heads": {"1": [0]}, )");
  to.add(text, "{", R"({"num_labels": 3, "is_decoder": false, "position_embedding_type": "x", )");
  to.words({"\"model_type\":",
            "\"architectures\":",
            "\"vocab_size\":",
            "\"max_position_embeddings\":",
            "\"type_vocab_size\":",
            "\"hidden_size\":",
            "\"num_hidden_layers\":",
            "\"num_attention_heads\":",
            "\"intermediate_size\":",
            "\"hidden_act\":",
            "\"layer_norm_eps\":",
            "\"hidden_dropout_prob\":",
            "\"attention_probs_dropout_prob\":",
            "\"classifier_dropout\":",
            "\"id2label\":",
            "\"num_labels\":",
            "\"is_decoder\":",
            "\"position_embedding_type\":",
            "\"pruned_heads\":",
            "\"pad_token_id\":",
            "\"add_cross_attention\":",
            "\"tie_word_embeddings\":",
            "\"n_layers\":",
            "\"dim\":",
            "\"seq_classif_dropout\":",
            "\"roberta\"",
            "\"distilbert\"",
            "BertForMaskedLM",
            "null",
            "true",
            "1e308",
            "-1"});
}
