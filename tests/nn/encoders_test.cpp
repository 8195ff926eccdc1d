// RoBERTa and DistilBERT: tiny models recorded with transformers (tests/recorded), their files, and
// what sets each apart.

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <set>
#include <string>

#include "tests/io/scratch.hpp"
#include "tests/nn/tiny_model.hpp"
#include "tests/support/bert_golden.hpp"
#include "tests/support/golden_backends.hpp"

#include "tombola/nn/checkpoint.hpp"

using namespace tombola;
using namespace tombola::test;
using nlohmann::json;

namespace {

using backend_type = reference_backend<double>;
using model_type = nn::bert<backend_type>;

const std::filesystem::path recorded = std::filesystem::path{TOMBOLA_SOURCE_DIR} / "tests/recorded";
constexpr const char* kinds[] = {"roberta", "roberta-mlm", "distilbert", "distilbert-mlm"};

std::vector<double> all(model_type& model) {
  return values_of(model.device(), model.parameters().stored());
}

std::set<std::string> names_in(const std::filesystem::path& file) {
  std::set<std::string> names;
  const io::safetensors_file f{file};
  for (const io::tensor_entry& t : f.tensors()) names.insert(t.name);
  return names;
}

/// The largest difference, over the largest number or 1.
template <class Values>
double distance(const Values& found, const std::vector<double>& expected) {
  if (std::size(found) != expected.size()) return INFINITY;
  double worst = 0.0, largest = 1.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(found[i]) - expected[i]));
    largest = std::max(largest, std::abs(expected[i]));
  }
  return worst / largest;
}

/// The sentence of refusal of a recorded config with one key changed.
std::string refusal(const char* kind, const std::string& key, const json& value) {
  scratch_folder folder;
  json j = io::read_json(recorded / kind / "config.json");
  value.is_discarded() ? j.erase(key) : (j[key] = value, std::size_t{1});
  const std::string file = (folder / "config.json").string();
  io::write_json(file, j);
  return sentence<format_error>([&] { (void)nn::read_config(folder.path()); }, file + ": ");
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("encoders give what transformers gave", "", golden_backends) {
  using B = TestType;
  using T = typename B::activation;
  const double within = std::is_same_v<T, double> ? 1e-12 : 1e-4;
  for (const char* kind : kinds) {
    INFO(kind);
    B b = make_backend<B>();
    nn::bert<B> model{b, nn::read_config(recorded / kind)};
    const nn::load_report report = nn::load_weights(model, recorded / kind, 1);
    CHECK(report.initialised.empty());
    CHECK(report.ignored.empty());
    const io::safetensors_file f{recorded / kind / "expected.safetensors"};
    const auto offsets = ints(f, "offsets"), ids = ints(f, "ids");
    std::vector<std::size_t> every(offsets.size() - 1);
    std::iota(every.begin(), every.end(), std::size_t{0});
    packed_batch batch = cut(ids, std::vector<std::int32_t>(ids.size(), 0), offsets, every);
    const bool lm = model.config().head == nn::head_kind::masked_lm;
    (lm ? batch.masked_ids : batch.labels) = ints(f, "wanted");
    if (lm) batch.masked_rows = ints(f, "masked_rows");

    nn::workspace<B> w{b,
                       model.config(),
                       {batch.tokens(), batch.sequences(), batch.masked_rows.size()},
                       nn::keep::gradients};
    w.batch.write(batch, model.config());
    CHECK(distance(host(b, model.forward(w)), doubles(f, "logits")) <= within);
    CHECK(distance(host(b, w.encoder.embedded.rows(batch.tokens())), doubles(f, "hidden.0")) <=
          within);
    for (std::size_t l = 0; l < model.config().layers; ++l) {
      CHECK(distance(host(b, w.encoder.layers[l].output.rows(batch.tokens())),
                     doubles(f, "hidden." + std::to_string(l + 1))) <= within);
    }
    const std::size_t n = lm ? batch.masked_rows.size() : batch.sequences();
    const auto losses = host(b, model.loss(w, 1.0 / static_cast<double>(n)));
    const double sum = std::accumulate(losses.begin(), losses.end(), 0.0);
    CHECK(distance(std::vector{sum / static_cast<double>(n)}, doubles(f, "loss")) <= within);
    model.backward(w, nn::gradients_of::weights);
    std::size_t compared = 0;
    for (std::size_t i = 0; i < model.parameters().layout().slots().size(); ++i) {
      const std::string name =
          nn::prefixed(*model.config().family, model.parameters().layout()[i].name);
      INFO(name);
      CHECK(distance(host(b, model.parameters().gradient(i)), doubles(f, "gradient." + name)) <=
            within);
      ++compared;
    }
    const auto names = names_in(f.path());
    CHECK(compared == static_cast<std::size_t>(std::count_if(
                          names.begin(), names.end(),
                          [](const std::string& s) { return s.starts_with("gradient."); })));
  }
}

TEST_CASE("encoders are saved under the names and numbers they were read from") {
  for (const char* kind : kinds) {
    INFO(kind);
    backend_type b;
    model_type model{b, nn::read_config(recorded / kind)};
    nn::load_weights(model, recorded / kind, 1);
    scratch_folder folder;
    nn::save_model(model, folder.path());
    CHECK(names_in(folder / "model.safetensors") ==
          names_in(recorded / kind / "model.safetensors"));
    nn::bert_config wanted = model.config();
    if (wanted.head == nn::head_kind::masked_lm) wanted.labels = 2;  // which are not written
    CHECK(nn::read_config(folder.path()) == wanted);
    const json was = io::read_json(recorded / kind / "config.json");
    const json now = io::read_json(folder / "config.json");
    for (const auto& [key, value] : now.items()) {
      INFO(key);
      if (key == "classifier_dropout" || key == "id2label" || key == "label2id") continue;
      CHECK(was.at(key) == value);
    }
    model_type again{b, nn::read_config(folder.path())};
    nn::load_weights(again, folder.path(), 1);
    CHECK(all(again) == all(model));
  }
}

TEST_CASE("configs of encoders come back as they were written") {
  scratch_folder folder;
  for (const nn::architecture* family : nn::architectures) {
    for (const auto head :
         {nn::head_kind::classification, nn::head_kind::regression, nn::head_kind::masked_lm}) {
      const nn::bert_config c = tiny_config(head, *family);
      io::write_json(folder / "config.json", nn::config_json(c));
      CHECK(nn::read_config(folder.path()) == c);
    }
  }
}

TEST_CASE("defaults of encoders are those of their kind") {
  scratch_folder folder;
  const auto read = [&](const char* kind, const std::vector<std::string>& without) {
    json j = io::read_json(recorded / kind / "config.json");
    for (const std::string& key : without) j.erase(key);
    io::write_json(folder / "config.json", j);
    return nn::read_config(folder.path());
  };
  const nn::bert_config d =
      read("distilbert", {"dropout", "attention_dropout", "seq_classif_dropout", "activation"});
  CHECK(d.family == &nn::distilbert_architecture);
  CHECK(d.hidden_dropout == 0.1);
  CHECK(d.attention_dropout == 0.1);
  CHECK(d.classifier_dropout == 0.2);
  CHECK(d.attended_dropout() == 0.0);
  CHECK(d.epsilon == 1e-12);
  CHECK(d.segments == 0);
  CHECK(d.positions == 11);
  CHECK(d.longest_sequence() == 11);
  const nn::bert_config r = read("roberta", {"layer_norm_eps"});
  CHECK(r.family == &nn::roberta_architecture);
  CHECK(r.epsilon == 1e-12);
  CHECK(r.classifier_dropout == 0.1);
  CHECK(r.attended_dropout() == 0.1);
  CHECK(r.segments == 1);
  CHECK(r.positions == 13);
  CHECK(r.longest_sequence() == 11);
  CHECK(read("roberta", {}).epsilon == 1e-5);
}

TEST_CASE("variants of encoders are refused by name") {
  const json none = json::value_t::discarded;
  CHECK(refusal("distilbert", "activation", "relu") == "activation is 'relu', expected 'gelu'");
  CHECK(refusal("roberta", "hidden_act", "gelu_new") ==
        "hidden_act is 'gelu_new', expected 'gelu'");
  CHECK(refusal("roberta", "position_embedding_type", "relative_key_query") ==
        "position_embedding_type is 'relative_key_query', expected 'absolute'");
  CHECK(refusal("roberta", "is_decoder", true) == "is_decoder is true, expected an encoder");
  CHECK(refusal("roberta", "add_cross_attention", true) ==
        "add_cross_attention is true, expected an encoder");
  CHECK(refusal("roberta", "pad_token_id", 0) ==
        "pad_token_id is 0, expected 1, behind which positions are counted");
  CHECK(refusal("roberta", "max_position_embeddings", 2) ==
        "model config: max_position_embeddings is 2, expected 3 to 1048576");
  CHECK(refusal("roberta", "type_vocab_size", 0) ==
        "model config: type_vocab_size is 0, expected 1 to 1024");
  CHECK(refusal("roberta-mlm", "tie_word_embeddings", false) ==
        "tie_word_embeddings is false, expected a decoder tied to the embeddings");
  CHECK(refusal("roberta", "tie_word_embeddings", false) == "(nothing was thrown)");
  CHECK(refusal("distilbert", "dim", none) == "has no 'dim', expected a whole number of 0 or more");
  CHECK(refusal("distilbert", "dim", 0) == "model config: dim is 0, expected 1 to 65536");
  CHECK(refusal("distilbert", "n_layers", 0) == "model config: n_layers is 0, expected 1 to 1024");
  CHECK(refusal("distilbert", "n_heads", 5) ==
        "model config: dim 12 is not a multiple of n_heads 5");
  CHECK(refusal("distilbert", "hidden_dim", 0) ==
        "model config: hidden_dim is 0, expected 1 to 262144");
  CHECK(refusal("distilbert", "model_type", "flaubert") ==
        "model_type is 'flaubert', expected one of 'bert', 'roberta', 'distilbert'");
  nn::bert_config c = tiny_config(nn::head_kind::classification, nn::distilbert_architecture);
  c.epsilon = 0.5;
  CHECK(sentence<input_error>([&] { nn::check(c); }) ==
        "model config: the layer norms' epsilon is 0.5, a model of type distilbert has 1e-12");
  c = tiny_config(nn::head_kind::classification, nn::distilbert_architecture);
  c.segments = 2;
  CHECK(sentence<input_error>([&] { nn::check(c); }) ==
        "model config: type_vocab_size is 2, expected 0 to 0");
}

TEST_CASE("a sine table that is not in the file is missed by name, one that is there is read") {
  scratch_folder folder;
  json j = io::read_json(recorded / "distilbert/config.json");
  j["sinusoidal_pos_embds"] = true;
  io::write_json(folder / "config.json", j);
  backend_type b;
  model_type model{b, nn::read_config(folder.path())};
  const io::safetensors_file f{recorded / "distilbert/model.safetensors"};
  const auto write = [&](const std::string& without) {
    std::vector<io::tensor_to_write> out;
    for (const io::tensor_entry& t : f.tensors()) {
      if (t.name != without) out.push_back({t.name, t.type, t.shape, t.bytes});
    }
    io::write_safetensors(folder / "model.safetensors", out);
  };
  write("");
  CHECK(nn::load_weights(model, folder.path(), 1).initialised.empty());
  write("distilbert.embeddings.position_embeddings.weight");
  CHECK(sentence<format_error>([&] { nn::load_weights(model, folder.path(), 1); },
                               (folder / "model.safetensors").string() + ": ") ==
        "has no tensor embeddings.position_embeddings.weight, which config.json announces");
}

TEST_CASE("an encoder without head and prefix is read, and its head is fresh") {
  backend_type b;
  for (const char* kind : {"roberta", "distilbert"}) {
    INFO(kind);
    const nn::bert_config c = nn::read_config(recorded / kind);
    scratch_folder folder;
    const io::safetensors_file f{recorded / kind / "model.safetensors"};
    std::vector<io::tensor_to_write> out;
    for (const io::tensor_entry& t : f.tensors()) {
      if (!t.name.starts_with(c.family->prefix)) continue;
      out.push_back({t.name.substr(c.family->prefix.size()), t.type, t.shape, t.bytes});
    }
    io::write_safetensors(folder / "model.safetensors", out);
    model_type model{b, c};
    const nn::load_report report = nn::load_weights(model, folder.path(), 3);
    const bool roberta = c.family == &nn::roberta_architecture;
    CHECK(report.initialised ==
          (roberta
               ? std::vector<std::string>{"classifier.dense.weight", "classifier.dense.bias",
                                          "classifier.out_proj.weight", "classifier.out_proj.bias"}
               : std::vector<std::string>{"pre_classifier.weight", "pre_classifier.bias",
                                          "classifier.weight", "classifier.bias"}));
    CHECK(report.ignored.empty());
  }
}

TEST_CASE("fresh layer norms multiply by 1 in every architecture") {
  backend_type b;
  for (const nn::architecture* family : nn::architectures) {
    model_type model{b, tiny_config(nn::head_kind::masked_lm, *family)};
    auto& p = model.parameters();
    nn::initialise(b, p, 5);
    std::size_t norms = 0;
    for (std::size_t i = 0; i < p.layout().slots().size(); ++i) {
      const std::string& name = p.layout()[i].name;
      const bool norm = name.ends_with("LayerNorm.weight") || name.ends_with("layer_norm.weight");
      if (norm) CHECK(values_of(b, p.stored(i)) == std::vector<double>(6, 1.0));
      norms += norm ? 1 : 0;
    }
    CHECK(norms == 6);
  }
}

TEST_CASE("tokens past the used positions are refused") {
  backend_type b;
  const nn::bert_config c = nn::read_config(recorded / "roberta");
  nn::device_batch<backend_type> batch{b, {20, 1, 0}};
  packed_batch h;
  h.add(std::vector<std::int32_t>(11, 5), std::vector<std::int32_t>(11, 0), 0);
  CHECK_NOTHROW(batch.write(h, c));
  h.clear();
  h.add(std::vector<std::int32_t>(12, 5), std::vector<std::int32_t>(12, 0), 0);
  CHECK(sentence<input_error>([&] { batch.write(h, c); }) ==
        "batch holds position 11, the model has 0 to 10");
  h.clear();
  h.add(std::vector<std::int32_t>(2, 5), std::vector<std::int32_t>{0, 1}, 0);
  CHECK(sentence<input_error>([&] { batch.write(h, c); }) ==
        "batch holds segment 1, the model has 0 to 0");
  CHECK_NOTHROW(batch.write(h, nn::read_config(recorded / "distilbert")));
}

TEST_CASE("weight groups have the names of the architecture's checkpoint") {
  const auto of = [](const nn::architecture& family, nn::prunable which) {
    std::vector<std::string> names;
    for (const group& g :
         nn::weight_groups(tiny_config(nn::head_kind::classification, family), which)) {
      if (g.name.find("layer.1.") != std::string::npos) names.push_back(g.name);
    }
    return names;
  };
  const std::string l = "transformer.layer.1.";
  CHECK(of(nn::distilbert_architecture, nn::prunable::weights) ==
        std::vector<std::string>{l + "attention.q_lin.weight", l + "attention.k_lin.weight",
                                 l + "attention.v_lin.weight", l + "attention.out_lin.weight",
                                 l + "ffn.lin1.weight", l + "ffn.lin2.weight"});
  CHECK(of(nn::distilbert_architecture, nn::prunable::study)[1] == l + "attention.k_lin.bias");
  CHECK(of(nn::roberta_architecture, nn::prunable::all) ==
        of(nn::bert_architecture, nn::prunable::all));

  // A ticket over them finds its weights.
  backend_type b;
  for (const nn::architecture* family : nn::architectures) {
    model_type model{b, tiny_config(nn::head_kind::classification, *family)};
    randomise(model, 3);
    ticket t{nn::weight_groups(model.config(), nn::prunable::all)};
    t.set(0, 4, false);
    model.apply(t, nn::weight_form::stored_zeros);
    const std::size_t i = model.parameters().layout().index_of(t.groups()[0].name);
    CHECK(values_of(b, model.parameters().stored(i))[4] == 0.0);
    CHECK(values_of(b, model.parameters().stored(i))[5] != 0.0);
  }
}

TEST_CASE("names of parameters in every architecture") {
  using nn::name_in;
  const nn::architecture &r = nn::roberta_architecture, &d = nn::distilbert_architecture;
  CHECK(name_in(d, "encoder.layer.11.output.LayerNorm.bias") ==
        "transformer.layer.11.output_layer_norm.bias");
  CHECK(name_in(r, "encoder.layer.11.output.LayerNorm.bias") ==
        "encoder.layer.11.output.LayerNorm.bias");
  CHECK(name_in(d, "embeddings.LayerNorm.weight") == "embeddings.LayerNorm.weight");
  CHECK(name_in(r, "classifier.bias") == "classifier.out_proj.bias");
  CHECK(name_in(r, "cls.predictions.bias") == "lm_head.bias");
  CHECK(name_in(d, "cls.predictions.bias") == "vocab_projector.bias");
  CHECK(nn::prefixed(nn::bert_architecture, "pooler.dense.bias") == "bert.pooler.dense.bias");
  CHECK(nn::prefixed(r, "classifier.dense.bias") == "classifier.dense.bias");
  CHECK(nn::prefixed(d, "transformer.layer.0.ffn.lin1.bias") ==
        "distilbert.transformer.layer.0.ffn.lin1.bias");
  CHECK(nn::prefixed(d, "pre_classifier.bias") == "pre_classifier.bias");
  CHECK(!nn::is_head(d, "transformer.layer.0.ffn.lin1.bias"));
  CHECK(nn::is_head(d, "vocab_projector.bias"));
  CHECK(nn::is_head(nn::bert_architecture, "pooler.dense.bias"));
}

TEST_CASE("the head of RoBERTa drops twice, that of the others once") {
  backend_type b;
  for (const nn::architecture* family : nn::architectures) {
    nn::bert_config c = tiny_config(nn::head_kind::classification, *family);
    c.hidden_dropout = c.attention_dropout = 0.0;
    c.classifier_dropout = 0.5;
    model_type model{b, c};
    randomise(model, 3);
    nn::workspace<backend_type> w{b, c, tiny_limits, nn::keep::gradients};
    w.batch.write(tiny_batch(nn::head_kind::classification), c);
    model.forward(w, {true, 4, 0});
    const auto first = host(b, w.sequence->first.rows(3));
    const auto pooled = host(b, w.sequence->pooled.rows(3));
    const auto dropped = host(b, w.sequence->dropped.rows(3));
    const auto zeros = [](const auto& v) { return std::count(v.begin(), v.end(), 0.0); };
    CHECK((zeros(first) > 0) == (family == &nn::roberta_architecture));
    CHECK((zeros(pooled) > 0) == (family == &nn::distilbert_architecture));
    CHECK(zeros(dropped) > zeros(pooled));
  }
}

TEST_CASE("DistilBERT drops nothing between attention and its layer norm") {
  backend_type b;
  for (const nn::architecture* family : nn::architectures) {
    nn::bert_config c = tiny_config(nn::head_kind::classification, *family);
    c.hidden_dropout = 0.5;
    c.attention_dropout = 0.0;
    model_type model{b, c};
    randomise(model, 3);
    nn::workspace<backend_type> w{b, c, tiny_limits, nn::keep::gradients};
    w.batch.write(tiny_batch(nn::head_kind::classification), c);
    model.forward(w, {true, 4, 0});
    auto& a = w.encoder.layers[0];
    const auto& s = model.slots().layers[0];
    const auto value = [&](std::size_t i) { return values_of(b, model.parameters().stored(i)); };
    const auto weight = value(s.output_weight), bias = value(s.output_bias);
    const auto scale = value(s.norm1_weight), shift = value(s.norm1_bias);
    const auto context = host(b, a.context.rows(8)), input = host(b, w.encoder.embedded.rows(8));
    std::vector<double> undropped(context.size());
    for (std::size_t t = 0; t < 8; ++t) {
      double* row = &undropped[t * 6];
      double mean = 0.0, variance = 0.0;
      for (std::size_t n = 0; n < 6; ++n) {
        row[n] = bias[n] + input[t * 6 + n];
        for (std::size_t k = 0; k < 6; ++k) row[n] += context[t * 6 + k] * weight[n * 6 + k];
        mean += row[n] / 6.0;
      }
      for (std::size_t n = 0; n < 6; ++n) variance += (row[n] - mean) * (row[n] - mean) / 6.0;
      for (std::size_t n = 0; n < 6; ++n) {
        row[n] = scale[n] * (row[n] - mean) / std::sqrt(variance + c.epsilon) + shift[n];
      }
    }
    const bool same = distance(host(b, a.after_attention.rows(8)), undropped) < 1e-12;
    CHECK(same == (family == &nn::distilbert_architecture));
  }
}
