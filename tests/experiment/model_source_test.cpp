// Folders of all three encoders: opened with their tokenizers, loaded for a task, saved and opened
// again, and refused where their files do not fit each other.

#include "tombola/experiment/model_source.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/nn/tiny_model.hpp"
#include "tests/support/catch.hpp"

#include "tombola/data/features.hpp"
#include "tombola/experiment/predict.hpp"
#include "tombola/experiment/train.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

using backend_type = reference_backend<float>;

const std::filesystem::path recorded =
    std::filesystem::path{TOMBOLA_SOURCE_DIR} / "tests/recorded/byte_bpe";

/// A folder with a random model without a trained head, and a vocabulary of its kind.
struct folder_of {
  scratch_folder folder;
  backend_type b;

  explicit folder_of(const nn::architecture& family) {
    nn::bert_config c = tiny_config(nn::head_kind::masked_lm, family);
    c.positions += 10;
    if (family.tokenizer == nn::tokenizer_kind::byte_bpe) {
      c.vocabulary = 480;
      for (const char* name : {"vocab.json", "merges.txt"}) {
        std::filesystem::copy_file(recorded / name, folder / name);
      }
    } else {
      put(folder / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\ncat\nsees\na\ndog\n");
    }
    nn::bert<backend_type> model{b, c};
    randomise(model, 8);
    nn::save_model(model, folder.path());
  }

  [[nodiscard]] experiment::model_source open() const {
    return experiment::open_model(folder.path());
  }
  [[nodiscard]] std::string refusal(const std::string& file) const {
    return sentence<error>([&] { (void)open(); }, (folder / file).string() + ": ");
  }
  void change_config(const char* key, const nlohmann::json& value) const {
    nlohmann::json j = io::read_json(folder / "config.json");
    j[key] = value;
    io::write_json(folder / "config.json", j);
  }
};

}  // namespace

TEST_CASE("a folder of any encoder is opened, loaded for a task, saved, and opened the same") {
  const std::vector<data::example> rows{{"the cat", "a dog sees", 1, 0}, {"dog", "the the", 0, 0}};
  for (const nn::architecture* family : nn::architectures) {
    INFO(family->model_type);
    const folder_of f{*family};
    const experiment::model_source source = f.open();
    CHECK(source.config.family == family);
    const bool bytes = family->tokenizer == nn::tokenizer_kind::byte_bpe;
    CHECK(source.tokenizer.marks().between == (bytes ? 2 : 1));

    const data::encoded_set set =
        data::encode_examples(data::find_task("MRPC"), rows, source.tokenizer, 12);
    CHECK(set.truncated() == 0);
    CHECK(set[1].ids.size() == 1 + source.tokenizer.encode("dog").size() + (bytes ? 2 : 1) +
                                   source.tokenizer.encode("the the").size() + 1);
    backend_type b;
    std::vector<std::string> said;
    experiment::observer watch;
    watch.note = [&](const std::string& s) { said.push_back(s); };
    const auto model = experiment::load_for_task(b, source, 3, 5, watch);
    REQUIRE(said.size() == 1);
    CHECK(said[0].starts_with("initialised from the seed: " +
                              nn::name_in(*family, "pooler.dense.weight")));
    auto w = experiment::evaluation_workspace(*model, set, 2);
    const auto before = experiment::predict(*model, w, set, 2);

    const scratch_folder out;
    experiment::save_model_folder(*model, source.tokenizer.files(), out / "model");
    const experiment::model_source again = experiment::open_model(out / "model");
    CHECK(again.tokenizer.encode("the cat") == source.tokenizer.encode("the cat"));
    CHECK(again.fingerprint != source.fingerprint);
    CHECK(again.config.head == nn::head_kind::classification);
    const auto loaded = experiment::load_for_task(b, again, 3, 5, watch);
    CHECK(said.size() == 1);
    auto w2 = experiment::evaluation_workspace(*loaded, set, 2);
    CHECK(experiment::predict(*loaded, w2, set, 2).classes == before.classes);
    CHECK(values_of(b, loaded->parameters().stored()) ==
          values_of(b, model->parameters().stored()));
    // A classifier of three outputs is no good for a task of two.
    CHECK_THROWS_WITH(experiment::load_for_task(b, again, 2, 5, watch),
                      (out / "model").string() +
                          ": the classifier has 3 outputs, the task 2; expected a model with as "
                          "many, or without a classifier");
  }
}

TEST_CASE("files of a folder that do not fit each other are refused by name") {
  const folder_of r{nn::roberta_architecture};
  CHECK(r.refusal("") == "(nothing was thrown)");
  r.change_config("vocab_size", 479);
  CHECK(r.refusal("vocab.json") == "has 480 pieces, config.json announces 479");
  r.change_config("vocab_size", 480);
  nlohmann::json pieces = io::read_json(r.folder / "vocab.json");
  std::swap(pieces["<s>"], pieces["<pad>"]);
  put(r.folder / "vocab.json", pieces.dump());
  CHECK(r.refusal("vocab.json") ==
        "gives the padding the id 0, expected 1, behind which positions are counted");
  std::filesystem::remove(r.folder / "merges.txt");
  CHECK(r.refusal("merges.txt").starts_with("cannot be opened"));
  std::filesystem::remove(r.folder / "vocab.json");
  CHECK(r.refusal("vocab.json").starts_with("cannot be opened"));

  const folder_of d{nn::distilbert_architecture};
  d.change_config("vocab_size", 8);
  CHECK(d.refusal("vocab.txt") == "has 9 pieces, config.json announces 8");
  d.change_config("vocab_size", 1 << 20);
  CHECK(d.refusal("model.safetensors").find("config.json announces") != std::string::npos);
  d.change_config("model_type", "albert");
  CHECK(d.refusal("config.json") ==
        "model_type is 'albert', expected one of 'bert', 'roberta', 'distilbert'");
}

TEST_CASE("a fingerprint follows the vocabulary's files") {
  const folder_of r{nn::roberta_architecture};
  const std::string before = r.open().fingerprint;
  CHECK(r.open().fingerprint == before);
  std::string merges = io::read_text(r.folder / "merges.txt", 1 << 20);
  put(r.folder / "merges.txt", merges.substr(0, merges.rfind('\n', merges.size() - 2) + 1));
  CHECK(r.open().fingerprint != before);
}
