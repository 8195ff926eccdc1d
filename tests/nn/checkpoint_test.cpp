// Configurations and checkpoints: what is read, what is written, and every sentence of refusal.

#include "tombola/nn/checkpoint.hpp"

#include <cmath>
#include <functional>
#include <map>

#include "tests/io/scratch.hpp"
#include "tests/nn/tiny_model.hpp"

using namespace tombola;
using namespace tombola::test;
using nlohmann::json;

namespace {

using backend_type = reference_backend<double>;
using model_type = nn::bert<backend_type>;

/// Weights that are floats already, so that a file holds them exactly.
void round_to_floats(model_type& model) {
  auto values = values_of(model.device(), model.parameters().stored());
  for (double& x : values) x = static_cast<double>(static_cast<float>(x));
  model.device().write(std::span<const double>{values}, model.parameters().stored());
}

std::vector<double> all(model_type& model) {
  return values_of(model.device(), model.parameters().stored());
}

/// Tensors of a checkpoint, to be changed and written again by hand.
using tensors = std::map<std::string, std::pair<std::vector<std::size_t>, std::vector<float>>>;

tensors read_tensors(const std::filesystem::path& file) {
  tensors all;
  const io::safetensors_file f{file};
  for (const io::tensor_entry& t : f.tensors()) all[t.name] = {t.shape, io::to_floats(t)};
  return all;
}

void write_tensors(const std::filesystem::path& file,
                   const tensors& all,
                   const std::vector<io::tensor_to_write>& more = {}) {
  std::vector<io::tensor_to_write> out = more;
  for (const auto& [name, t] : all) {
    out.push_back({name, io::dtype::f32, t.first, std::as_bytes(std::span{t.second})});
  }
  io::write_safetensors(file, out);
}

/// A saved model of one kind and what its file holds.
struct saved {
  backend_type b;
  model_type model;
  scratch_folder folder;
  std::string file = (folder / "model.safetensors").string();
  tensors content;

  explicit saved(nn::head_kind head = nn::head_kind::classification) : model{b, tiny_config(head)} {
    randomise(model, 3);
    round_to_floats(model);
    nn::save_model(model, folder.path());
    content = read_tensors(file);
  }

  /// The sentence of refusal after a change to the tensors, without the file's name.
  std::string refusal(const std::function<void(tensors&)>& change) {
    tensors t = content;
    change(t);
    write_tensors(file, t);
    return sentence<format_error>([&] { load(); }, file + ": ");
  }

  nn::load_report load(std::uint64_t seed = 1) {
    loaded = std::make_unique<model_type>(b, nn::read_config(folder.path()));
    return nn::load_weights(*loaded, folder.path(), seed);
  }
  std::unique_ptr<model_type> loaded;
};

json tiny_json() {
  return nn::config_json(tiny_config(nn::head_kind::classification));
}

const std::string query = "bert.encoder.layer.1.attention.self.query.weight";

}  // namespace

TEST_CASE("a config comes back as it was written") {
  scratch_folder folder;
  for (const auto head :
       {nn::head_kind::classification, nn::head_kind::regression, nn::head_kind::masked_lm}) {
    const nn::bert_config c = tiny_config(head);
    io::write_json(folder / "config.json", nn::config_json(c));
    CHECK(nn::read_config(folder.path()) == c);
  }
}

TEST_CASE("a config's defaults, and keys that other tools write") {
  scratch_folder folder;
  const auto read = [&](const json& j) {
    io::write_json(folder / "config.json", j);
    return nn::read_config(folder.path());
  };
  json j = tiny_json();
  for (const char* key : {"id2label", "label2id", "layer_norm_eps", "hidden_dropout_prob",
                          "attention_probs_dropout_prob", "classifier_dropout", "model_type",
                          "architectures", "hidden_act"}) {
    j.erase(key);
  }
  const nn::bert_config c = read(j);
  CHECK(c.labels == 2);
  CHECK(c.head == nn::head_kind::classification);
  CHECK(c.epsilon == 1e-12);
  CHECK(c.hidden_dropout == 0.1);
  CHECK(c.attention_dropout == 0.1);
  CHECK(c.classifier_dropout == 0.1);
  j["hidden_dropout_prob"] = 0.3;
  j["classifier_dropout"] = nullptr;
  CHECK(read(j).classifier_dropout == 0.3);
  j["num_labels"] = 5;
  j["id2label"] = {{"0", "a"}, {"1", "b"}, {"2", "c"}};
  CHECK(read(j).labels == 5);
  j.erase("num_labels");
  CHECK(read(j).labels == 3);
  j["id2label"] = {{"0", "a"}};
  CHECK(read(j).head == nn::head_kind::regression);
  j["architectures"] = {"BertForMaskedLM"};
  j["pruned_heads"] = json::object();
  j["transformers_version"] = "4.0";
  CHECK(read(j).head == nn::head_kind::masked_lm);
}

TEST_CASE("a config that no model can have is refused by name") {
  scratch_folder folder;
  const std::string file = (folder / "config.json").string();
  const auto refusal = [&](const std::string& key, const json& value) {
    json j = tiny_json();
    value.is_discarded() ? j.erase(key) : (j[key] = value, std::size_t{1});
    io::write_json(file, j);
    return sentence<format_error>([&] { (void)nn::read_config(folder.path()); }, file + ": ");
  };
  const json none = json::value_t::discarded;
  CHECK(refusal("hidden_size", none) ==
        "has no 'hidden_size', expected a whole number of 0 or more");
  CHECK(refusal("vocab_size", -3) == "'vocab_size' is '-3', expected a whole number of 0 or more");
  CHECK(refusal("num_hidden_layers", "two") ==
        "'num_hidden_layers' is '\"two\"', expected a whole number of 0 or more");
  const auto range = [](const std::string& found, const std::string& most) {
    return "model config: " + found + ", expected 1 to " + most;
  };
  CHECK(refusal("vocab_size", 0) == range("vocab_size is 0", "16777216"));
  CHECK(refusal("max_position_embeddings", 0) == range("max_position_embeddings is 0", "1048576"));
  CHECK(refusal("type_vocab_size", 1025) == range("type_vocab_size is 1025", "1024"));
  CHECK(refusal("hidden_size", 65537) == range("hidden_size is 65537", "65536"));
  CHECK(refusal("num_hidden_layers", 1025) == range("num_hidden_layers is 1025", "1024"));
  CHECK(refusal("num_attention_heads", 0) == range("num_attention_heads is 0", "1024"));
  CHECK(refusal("intermediate_size", 262145) == range("intermediate_size is 262145", "262144"));
  CHECK(refusal("num_labels", 0) == range("number of labels is 0", "65536"));
  CHECK(refusal("num_attention_heads", 4) ==
        "model config: hidden_size 6 is not a multiple of num_attention_heads 4");
  CHECK(refusal("layer_norm_eps", 0.0) ==
        "model config: layer_norm_eps is 0, expected a number from 1.2e-38 to 1");
  for (const double eps : {-1.0, 1e-300, 1e300}) {
    CHECK(refusal("layer_norm_eps", eps).starts_with("model config: layer_norm_eps is "));
  }
  for (const char* key :
       {"hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"}) {
    CHECK(refusal(key, 1.0) ==
          "model config: " + std::string{key} + " is 1, expected a rate in [0, 1)");
    CHECK(refusal(key, -0.5) ==
          "model config: " + std::string{key} + " is -0.5, expected a rate in [0, 1)");
  }
  CHECK(refusal("problem_type", "multi_label_classification") ==
        "problem_type is 'multi_label_classification', expected single_label_classification or "
        "regression");
  CHECK(refusal("pruned_heads", nlohmann::json::array({1})) ==
        "pruned_heads is not empty, expected a model with all its heads");
  for (const char* type : {"albert", "electra", "deberta-v2", "xlm-roberta"}) {
    CHECK(refusal("model_type", type) == "model_type is '" + std::string{type} +
                                             "', expected one of 'bert', 'roberta', 'distilbert'");
  }
  CHECK(refusal("hidden_act", "relu") == "hidden_act is 'relu', expected 'gelu'");
  CHECK(refusal("hidden_act", "\x1B[31m") == "hidden_act is '?[31m', expected 'gelu'");
  CHECK(refusal("position_embedding_type", "relative_key") ==
        "position_embedding_type is 'relative_key', expected 'absolute'");
  CHECK(refusal("is_decoder", true) == "is_decoder is true, expected an encoder");
  CHECK(refusal("add_cross_attention", true) == "add_cross_attention is true, expected an encoder");
  CHECK(refusal("pruned_heads", {{"1", {0, 2}}}) ==
        "pruned_heads is not empty, expected a model with all its heads");
  put(file, "[1, 2]");
  CHECK(sentence<format_error>([&] { (void)nn::read_config(folder.path()); }, file + ": ") ==
        "holds a list, expected an object");
  std::filesystem::remove(file);
  CHECK_THROWS_AS(nn::read_config(folder.path()), input_error);

  backend_type b;
  nn::bert_config c = tiny_config(nn::head_kind::classification);
  c.heads = 5;
  CHECK(sentence<input_error>([&] {
          model_type{b, c};
        }) == "model config: hidden_size 6 is not a multiple of num_attention_heads 5");
}

TEST_CASE("a checkpoint comes back with the same weights") {
  for (const auto head :
       {nn::head_kind::classification, nn::head_kind::regression, nn::head_kind::masked_lm}) {
    saved s{head};
    const nn::load_report report = s.load();
    CHECK(report.initialised.empty());
    CHECK(report.ignored.empty());
    CHECK(s.loaded->config() == s.model.config());
    CHECK(all(*s.loaded) == all(s.model));
  }
}

TEST_CASE("names in a checkpoint are the public ones") {
  saved s;
  CHECK(s.content.size() == 5 + 2 * 16 + 4);
  CHECK(s.content.contains("bert.embeddings.word_embeddings.weight"));
  CHECK(s.content.contains("bert.pooler.dense.bias"));
  CHECK(s.content.at("classifier.weight").first == std::vector<std::size_t>{3, 6});
  CHECK(s.content.at("bert.encoder.layer.0.output.dense.weight").first ==
        std::vector<std::size_t>{6, 7});
  saved m{nn::head_kind::masked_lm};
  CHECK(m.content.at("cls.predictions.bias").first == std::vector<std::size_t>{11});
}

TEST_CASE("other spellings of the same names") {
  saved s;
  tensors other;
  for (const auto& [name, t] : s.content) {
    std::string n = name.starts_with("bert.") ? name.substr(5) : name;
    for (const auto& [now, old] :
         {std::pair<std::string, std::string>{"LayerNorm.weight", "LayerNorm.gamma"},
          {"LayerNorm.bias", "LayerNorm.beta"}}) {
      if (n.ends_with(now)) n = n.substr(0, n.size() - now.size()) + old;
    }
    other[n] = t;
  }
  write_tensors(s.file, other);
  const nn::load_report report = s.load();
  CHECK(report.initialised.empty());
  CHECK(report.ignored.empty());
  CHECK(all(*s.loaded) == all(s.model));
}

TEST_CASE("a head that is missing is initialised and said so; strangers are named") {
  saved s;
  tensors t = s.content;
  for (const char* name : {"bert.pooler.dense.weight", "bert.pooler.dense.bias",
                           "classifier.weight", "classifier.bias"}) {
    t.erase(name);
  }
  t["cls.seq_relationship.bias"] = {{2}, {1, 2}};
  const std::vector<std::int64_t> ids{0, 1, 2};
  write_tensors(
      s.file, t,
      {{"bert.embeddings.position_ids", io::dtype::i64, {1, 3}, std::as_bytes(std::span{ids})}});
  const nn::load_report report = s.load(4);
  CHECK(report.initialised == std::vector<std::string>{"pooler.dense.weight", "pooler.dense.bias",
                                                       "classifier.weight", "classifier.bias"});
  CHECK(report.ignored ==
        std::vector<std::string>{"cls.seq_relationship.bias", "bert.embeddings.position_ids"});
  auto& p = s.loaded->parameters();
  const auto value = [&](const char* name) {
    return values_of(s.b, p.stored(p.layout().index_of(name)));
  };
  const auto fresh = value("classifier.weight");
  CHECK(value("classifier.bias") == std::vector<double>(3, 0.0));
  for (const double x : fresh) {
    CHECK(x != 0.0);
    CHECK(std::abs(x) < 0.1);
  }
  s.load(4);
  CHECK(values_of(s.b, s.loaded->parameters().stored(s.loaded->slots().classifier_weight)) ==
        fresh);
  s.load(5);
  CHECK(values_of(s.b, s.loaded->parameters().stored(s.loaded->slots().classifier_weight)) !=
        fresh);
}

TEST_CASE("a checkpoint that does not fit its config, or holds no weights, is refused by name") {
  saved s;
  CHECK(s.refusal([](tensors& t) { t.erase(query); }) ==
        "has no tensor encoder.layer.1.attention.self.query.weight, which config.json announces");
  CHECK(s.refusal([](tensors& t) {
    for (const char* name :
         {"word_embeddings.weight", "position_embeddings.weight", "token_type_embeddings.weight",
          "LayerNorm.weight", "LayerNorm.bias"}) {
      t.erase(std::string{"bert.embeddings."} + name);
    }
  }) == "has no tensor embeddings.word_embeddings.weight, "
        "embeddings.position_embeddings.weight, embeddings.token_type_embeddings.weight and "
        "2 more, which config.json announces");
  CHECK(s.refusal([](tensors& t) {
    t[query] = {{6, 5}, std::vector<float>(30)};
  }) == "tensor " + query + " is [6, 5], config.json announces [6, 6]");
  CHECK(s.refusal([](tensors& t) { t[query].first = {36}; }) ==
        "tensor " + query + " is [36], config.json announces [6, 6]");
  CHECK(s.refusal([](tensors& t) {
    t["classifier.bias"].first = {3, 1};
  }) == "tensor classifier.bias is [3, 1], config.json announces [3]");
  CHECK(s.refusal([](tensors& t) { t[query].second[17] = NAN; }) ==
        "tensor " + query + " holds NaN at index 17, expected finite weights");
  CHECK(s.refusal([](tensors& t) { t["classifier.bias"].second[2] = -INFINITY; }) ==
        "tensor classifier.bias holds an infinite value at index 2, expected finite weights");
  CHECK(s.refusal([](tensors& t) { t[query.substr(5)] = t[query]; }).find(" under two names") !=
        std::string::npos);
  CHECK(s.refusal([](tensors& t) { t["\x1B[31m"] = t["bert.\x1B[31m"] = t[query]; }) ==
        "holds tensor 'bert.?[31m' under two names");
  tensors t = s.content;
  t.erase("classifier.bias");
  const std::vector<std::int32_t> whole{1, 2, 3};
  write_tensors(s.file, t,
                {{"classifier.bias", io::dtype::i32, {3}, std::as_bytes(std::span{whole})}});
  CHECK(sentence<format_error>([&] { s.load(); }, s.file + ": ") ==
        "tensor classifier.bias holds I32, expected F32, F16, BF16 or F64");
  CHECK(s.refusal([](tensors&) {}) == "(nothing was thrown)");
}
