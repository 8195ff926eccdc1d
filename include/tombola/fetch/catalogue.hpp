#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/core/error.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::fetch {

/// A file somewhere, and what it has to be.
struct remote_file {
  std::string name;        ///< under which it is kept
  std::string address;     ///< http or https
  std::uint64_t size = 0;  ///< bytes; 0 where nobody knows
  std::string sha256;      ///< 64 lower-case hexadecimal digits
};

/// What a thing is to tombola.
enum class kind {
  checkpoint,  ///< a model: config.json, vocab.txt, model.safetensors
  glue_task,   ///< train.tsv, dev.tsv, test.tsv, or those of MNLI
  other,
};

/// How a folder is made of the files that came.
enum class packing {
  plain,  ///< they are its files
  zip,    ///< one zip archive: its members are
  mrpc,   ///< the three files of the paraphrase corpus, split as GLUE splits them
};

/// Something that can be fetched by name: a checkpoint or a GLUE task.
struct thing {
  std::string name;  ///< of the folder, too
  std::string what;  ///< one line for a person
  kind is = kind::other;
  packing form = packing::plain;
  std::vector<remote_file> files;
  std::string inside = {};                ///< the folder in a zip archive that holds the members
  std::vector<std::string> members = {};  ///< to unpack; all, where none is named

  /// Bytes to be had from elsewhere.
  [[nodiscard]] std::uint64_t size() const {
    std::uint64_t all = 0;
    for (const remote_file& f : files) all += f.size;
    return all;
  }
};

namespace detail {

/// A BERT folder at one commit of a public model repository, so that it never changes. The
/// vocabulary is the same in all of the uncased models.
[[nodiscard]] inline thing checkpoint(std::string name,
                                      std::string what,
                                      const std::string& commit,
                                      std::pair<std::uint64_t, std::string> config,
                                      std::pair<std::uint64_t, std::string> weights) {
  const std::string at = "https://huggingface.co/" + commit + "/";
  thing t;
  t.name = std::move(name);
  t.what = std::move(what);
  t.is = kind::checkpoint;
  // The large one last: whoever has another mirror learns early that a small one is missing.
  t.files = {
      {"config.json", at + "config.json", config.first, std::move(config.second)},
      {"vocab.txt", at + "vocab.txt", 231508,
       "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"},
      {"model.safetensors", at + "model.safetensors", weights.first, std::move(weights.second)}};
  return t;
}

[[nodiscard]] inline thing glue_task(std::string name,
                                     std::string what,
                                     const std::string& archive,
                                     std::uint64_t size,
                                     std::string sha256,
                                     std::vector<std::string> members = {"train.tsv", "dev.tsv",
                                                                         "test.tsv"}) {
  thing t;
  t.inside = name;
  t.name = std::move(name);
  t.what = std::move(what);
  t.is = kind::glue_task;
  t.form = packing::zip;
  t.files = {
      {archive, "https://dl.fbaipublicfiles.com/glue/data/" + archive, size, std::move(sha256)}};
  t.members = std::move(members);
  return t;
}

[[nodiscard]] inline std::vector<thing> make_catalogue() {
  const std::string public_files = "https://dl.fbaipublicfiles.com/";
  const std::string senteval = public_files + "senteval/senteval_data/";
  return {
      checkpoint("bert-base-uncased", "BERT, 12 layers of 768, 110 million weights",
                 "google-bert/bert-base-uncased/resolve/86b5e0934494bd15c9632b12f734a8a67f723594",
                 {570, "7160e1553ad2ca51d8c1cb066be533db31826e12d173824c1bb0cb1a4f187d20"},
                 {440449768, "68d45e234eb4a928074dfd868cead0219ab85354cc53d20e772753c6bb9169d3"}),
      checkpoint("bert-large-uncased", "BERT, 24 layers of 1024, 336 million weights",
                 "google-bert/bert-large-uncased/resolve/6da4b6a26a1877e173fca3225479512db81a5e5b",
                 {571, "f9a38c9ffa369f288c3206d0bf352dfed11d7bdee93aa5b2de6d7fdc7bff7871"},
                 {1344951957, "28349a5c57338d0dca591bb95de533897c2399095c69d61e09604b46f444a4c4"}),
      checkpoint(
          "all-MiniLM-L6-v2", "BERT, 6 layers of 384, trained for sentences, 23 million weights",
          "sentence-transformers/all-MiniLM-L6-v2/resolve/1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
          {612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"},
          {90868376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"}),
      checkpoint(
          "distilbert-base-uncased", "DistilBERT, 6 layers of 768, 66 million weights",
          "distilbert/distilbert-base-uncased/resolve/12040accade4e8a0f71eabdb258fecc2e7e948be",
          {483, "69c94b0222d5d1f4b0ad027ca7416cdafb98378cbbb8305d0bf47c9365c60c83"},
          {267954768, "5e3f1108e3cb34ee048634875d8482665b65ac713291a7e32396fb18f6ff0063"}),
      glue_task("CoLA", "is a sentence acceptable", "CoLA.zip", 376971,
                "f212fcd832b8f7b435fb991f101abf89f96b933ab400603bf198960dfc32cbff"),
      glue_task("SST-2", "sentiment of film reviews", "SST-2.zip", 7439277,
                "d67e16fb55739c1b32cdce9877596db1c127dc322d93c082281f64057c16deaa"),
      {"MRPC",
       "do two sentences of news say the same",
       kind::glue_task,
       packing::mrpc,
       {{"mrpc_dev_ids.tsv", public_files + "glue/data/mrpc_dev_ids.tsv", 6222,
         "971d7767d81b997fd9060ade0ec23c4fc31cbb226a55d1bd4a1bac474eb81dc7"},
        {"msr_paraphrase_train.txt", senteval + "msr_paraphrase_train.txt", 1047044,
         "60a9b09084528f0673eedee2b69cb941920f0b8cd0eeccefc464a98768457f89"},
        {"msr_paraphrase_test.txt", senteval + "msr_paraphrase_test.txt", 441275,
         "a04e271090879aaba6423d65b94950c089298587d9c084bf9cd7439bd785f784"}}},
      glue_task("STS-B", "how alike are two sentences", "STS-B.zip", 802872,
                "e60a6393de5a8b5b9bac5020a1554b54e3691f9d600b775bd131e613ac179c85"),
      glue_task("QQP", "do two questions ask the same", "QQP-clean.zip", 41696084,
                "40e7c862c04eb26ee04b67fd900e76c45c6ba8e6d8fab4f8f1f8072a1a3fbae0"),
      glue_task("MNLI", "does one sentence follow from another", "MNLI.zip", 312783507,
                "e7c1d896d26ed6caf700110645df426cc2d8ebf02a5ab743d5a5c68ac1c83633",
                {"train.tsv", "dev_matched.tsv", "dev_mismatched.tsv", "test_matched.tsv",
                 "test_mismatched.tsv"}),
      glue_task("QNLI", "does a sentence answer a question", "QNLIv2.zip", 10627589,
                "e634e78627a29adaecd4f955359b22bf5e70f2cbd93b493f2d624138a0c0e5f5"),
      glue_task("RTE", "does one sentence follow from another", "RTE.zip", 697150,
                "6bf86de103ecd335f3441bd43574d23fef87ecc695977a63b82d5efb206556ee"),
      glue_task("WNLI", "what does a pronoun stand for", "WNLI.zip", 28999,
                "ae0e8e4d16f4d46d4a0a566ec7ecceccfd3fbfaa4a7a4b4e02848c0f2561ac46")};
}

/// Letters of ASCII alone: names of things have no others.
[[nodiscard]] inline std::string lower_case(std::string_view text) {
  std::string s{text};
  for (char& c : s) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return s;
}

}  // namespace detail

/// Everything that is known by name: the public checkpoints, then the nine tasks of GLUE.
///
/// Source of sizes and checksums: of the GLUE files the checksum tables of TensorFlow Datasets
/// (`url_checksums/glue.txt`) and of Hugging Face Datasets (`glue/dataset_infos.json`), which agree
/// where both have a file;
/// of the weights the SHA-256 under which the model repository keeps them, as published by users
/// who pin it; configurations and vocabularies were hashed. docs/fetch.md says it file by file.
[[nodiscard]] inline const std::vector<thing>& catalogue() {
  static const std::vector<thing> all = detail::make_catalogue();
  return all;
}

/// The thing of this name, whatever the case of its letters. Throws input_error, naming those that
/// there are.
[[nodiscard]] inline const thing& find_thing(std::string_view name) {
  std::string known;
  for (const thing& t : catalogue()) {
    if (detail::lower_case(t.name) == detail::lower_case(name)) return t;
    known += (known.empty() ? "" : ", ") + t.name;
  }
  throw input_error("fetch: nothing is known by the name " + io::shown(name) + ", expected " +
                    known + " or an http(s) address");
}

}  // namespace tombola::fetch
