// Compact models on disk: back as they were written, and every sentence about one that is wrong.

#include <functional>

#include "tests/io/scratch.hpp"
#include "tests/nn/tiny_model.hpp"

#include "tombola/nn/checkpoint.hpp"
#include "tombola/nn/compact.hpp"
#include "tombola/nn/compact_config_file.hpp"

using namespace tombola;
using namespace tombola::test;
using nlohmann::json;

namespace {

using backend_type = reference_backend<double>;
using model_type = nn::bert<backend_type>;

/// Layer 0 with one head of three and no neuron, layer 1 without heads and without MLP.
nn::bert_config compact_config(nn::head_kind head) {
  nn::bert_config c = tiny_config(head);
  c.shapes = {{1, 0, true, true}, {0, 0, false, false}};
  return c;
}

}  // namespace

TEST_CASE("a compact model comes back from disk") {
  for (const auto head :
       {nn::head_kind::classification, nn::head_kind::regression, nn::head_kind::masked_lm}) {
    for (const auto& shapes :
         {compact_config(head).shapes,
          std::vector<nn::layer_shape>{{0, 7, true, true}, {3, 4, true, true}}}) {
      nn::bert_config c = compact_config(head);
      c.shapes = shapes;
      backend_type b;
      model_type model{b, c};
      randomise(model, 8);
      auto values = values_of(b, model.parameters().stored());
      for (double& x : values) x = static_cast<double>(static_cast<float>(x));
      b.write(std::span<const double>{values}, model.parameters().stored());
      scratch_folder folder;
      nn::save_model(model, folder.path());
      CHECK(nn::read_config(folder.path()) == c);
      model_type again{b, nn::read_config(folder.path())};
      const auto report = nn::load_weights(again, folder.path(), 1);
      CHECK(report.initialised.empty());
      CHECK(report.ignored.empty());
      CHECK(values_of(b, again.parameters().stored()) == values);
    }
  }
}

TEST_CASE("a compact model's folder carries the marker where other tools look") {
  backend_type b;
  model_type model{b, compact_config(nn::head_kind::classification)};
  randomise(model, 8);
  scratch_folder folder;
  nn::save_model(model, folder.path(), std::vector<std::string>{"classifier.weight"});
  const json j = io::read_json(folder / "config.json");
  CHECK(j["model_type"] == "tombola-compact-bert");
  CHECK(j["format_version"] == 1);
  CHECK(!j.contains("hidden_size"));
  CHECK(!j.contains("architectures"));
  CHECK(!j["whole"].contains("model_type"));
  const io::safetensors_file file{folder / "model.safetensors"};
  CHECK(file.metadata().at("format") == "tombola-compact-bert");
  CHECK(file.find("bert.encoder.layer.0.attention.self.query.weight")->shape ==
        std::vector<std::size_t>{2, 6});
  CHECK(file.find("bert.encoder.layer.1.attention.self.query.weight") == nullptr);
  CHECK(file.find("bert.encoder.layer.1.output.dense.bias") == nullptr);
  CHECK(file.find("classifier.weight") == nullptr);
  CHECK(file.find("classifier.bias") != nullptr);
}

TEST_CASE("a compact config that is wrong is refused by name") {
  scratch_folder folder;
  const std::string file = (folder / "config.json").string();
  const auto refusal = [&](const std::function<void(json&)>& change) {
    json j = nn::config_json(compact_config(nn::head_kind::classification));
    change(j);
    io::write_json(file, j);
    return sentence<format_error>([&] { (void)nn::read_config(folder.path()); }, file + ": ");
  };
  CHECK(refusal([](json&) {}) == "(nothing was thrown)");
  CHECK(refusal([](json& j) { j["format_version"] = 2; }) == "format_version is 2, expected 1");
  CHECK(refusal([](json& j) { j.erase("format_version"); }) ==
        "has no 'format_version', expected a whole number of 0 or more");
  CHECK(refusal([](json& j) { j.erase("whole"); }) == "has no 'whole', expected a value");
  CHECK(refusal([](json& j) { j["whole"] = 3; }) == "'whole' is '3', expected an object");
  CHECK(refusal([](json& j) {
          j["whole_model_type"] = j["model_type"];
        }).starts_with("model_type is 'tombola-compact-bert', expected "));
  CHECK(refusal([](json& j) { j.erase("whole_model_type"); }) ==
        "has no 'whole_model_type', expected a string");
  CHECK(refusal([](json& j) { j.erase("layers"); }) ==
        "has no 'layers', expected a list, each a value");
  CHECK(refusal([](json& j) { j["layers"] = json::array(); }) ==
        "'layers' is empty, expected one entry for each layer");
  CHECK(refusal([](json& j) { j["layers"][1] = 2; }) == "'layers' holds '2', expected objects");
  CHECK(refusal([](json& j) { j["layers"].push_back(j["layers"][0]); }) ==
        "model config: sizes of 3 layers, expected those of num_hidden_layers 2");
  CHECK(refusal([](json& j) { j["layers"][0]["heads"] = -1; }) ==
        "'heads' is '-1', expected a whole number of 0 or more");
  CHECK(refusal([](json& j) { j["layers"][0].erase("mlp"); }) ==
        "has no 'mlp', expected true or false");
  CHECK(refusal([](json& j) { j["layers"][0]["heads"] = 4; }) ==
        "model config: layer 0 has 4 heads, expected at most num_attention_heads 3");
  CHECK(refusal([](json& j) { j["layers"][0]["intermediate"] = 8; }) ==
        "model config: layer 0 has 8 neurons, expected at most intermediate_size 7");
  CHECK(refusal([](json& j) { j["layers"][1]["heads"] = 1; }) ==
        "model config: layer 1 has 1 heads and no attention, expected none");
  CHECK(refusal([](json& j) { j["layers"][1]["intermediate"] = 1; }) ==
        "model config: layer 1 has 1 neurons and no MLP, expected none");
  CHECK(refusal([](json& j) {
          j["model_type"] = "bert";
        }).starts_with("hidden_act is 'tombola-compact-bert', expected "));
}

TEST_CASE("weights that do not have a compact model's shapes are refused by name") {
  backend_type b;
  model_type model{b, compact_config(nn::head_kind::classification)};
  randomise(model, 8);
  scratch_folder folder;
  nn::save_model(model, folder.path());
  const std::string file = (folder / "model.safetensors").string();
  const auto refusal = [&](const nn::bert_config& c) {
    model_type other{b, c};
    return sentence<format_error>([&] { (void)nn::load_weights(other, folder.path(), 1); },
                                  file + ": ");
  };
  nn::bert_config c = compact_config(nn::head_kind::classification);
  c.shapes[0].heads = 2;
  CHECK(refusal(c) ==
        "tensor bert.encoder.layer.0.attention.self.query.weight is [2, 6], config.json announces "
        "[4, 6]");
  c = compact_config(nn::head_kind::classification);
  c.shapes[1].attention = true;
  CHECK(refusal(c) ==
        "has no tensor encoder.layer.1.attention.output.dense.bias, which config.json announces");
}
