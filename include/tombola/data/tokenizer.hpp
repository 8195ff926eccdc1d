#pragma once

// Heavy to include: parses JSON.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "tombola/core/error.hpp"
#include "tombola/data/byte_bpe.hpp"
#include "tombola/data/byte_vocabulary.hpp"
#include "tombola/data/sequence_marks.hpp"
#include "tombola/data/vocabulary.hpp"
#include "tombola/data/wordpiece.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/sentence.hpp"

namespace tombola::data {

/// The tokenizer of a model's folder, whichever kind it is.
///
/// Threads: any number at once. Cost: one choice of kind per text.
class tokenizer {
public:
  /// From vocab.txt. A tokenizer_config.json beside it may say that upper case stays
  /// (`do_lower_case`); without one it is lowered.
  ///
  /// Throws as vocabulary::read, and format_error where tokenizer_config.json asks for what
  /// wordpiece does not do.
  [[nodiscard]] static tokenizer read_wordpiece(const std::filesystem::path& folder) {
    const auto [config, file] = config_of(folder);
    const bool lowers = io::optional_member<bool>(config, "do_lower_case", file).value_or(true);
    expect(config, file, "strip_accents", lowers);
    expect(config, file, "tokenize_chinese_chars", true);
    return {folder,
            {"vocab.txt"},
            wordpiece{vocabulary::read(folder / "vocab.txt"),
                      lowers ? letter_case::lowered : letter_case::kept}};
  }

  /// From vocab.json and merges.txt. Throws as byte_vocabulary::read, and format_error where a
  /// tokenizer_config.json beside them asks for what byte_bpe does not do.
  [[nodiscard]] static tokenizer read_byte_bpe(const std::filesystem::path& folder) {
    const auto [config, file] = config_of(folder);
    expect(config, file, "add_prefix_space", false);
    return {folder, {"vocab.json", "merges.txt"}, byte_bpe{byte_vocabulary::read(folder)}};
  }

  void append(std::string_view text, std::vector<std::int32_t>& ids) const {
    std::visit([&](const auto& t) { t.append(text, ids); }, kind_);
  }
  [[nodiscard]] std::vector<std::int32_t> encode(std::string_view text) const {
    std::vector<std::int32_t> ids;
    append(text, ids);
    return ids;
  }
  [[nodiscard]] sequence_marks marks() const noexcept {
    return std::visit([](const auto& t) { return t.marks(); }, kind_);
  }

  /// Entries of the vocabulary.
  [[nodiscard]] std::size_t size() const noexcept {
    return std::visit([](const auto& t) { return t.pieces().size(); }, kind_);
  }
  /// Id of the entry that fills up sequences where somebody does so.
  [[nodiscard]] std::int32_t pad() const noexcept {
    return std::visit([](const auto& t) { return t.pieces().pad(); }, kind_);
  }

  /// The file that names the entries, for messages.
  [[nodiscard]] std::filesystem::path vocabulary_file() const { return folder_ / names_.front(); }
  /// Names of the files in the folder that make the vocabulary.
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

  /// Names and texts of the files that make the tokenizer: the vocabulary's, and
  /// tokenizer_config.json if there is one. Throws input_error where one cannot be read.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> files() const {
    std::vector<std::pair<std::string, std::string>> all;
    for (const std::string& name : names_) {
      all.emplace_back(name, io::read_text(folder_ / name, vocabulary::longest_file));
    }
    if (is_there(folder_ / config_name)) {
      all.emplace_back(config_name, io::read_text(folder_ / config_name, io::max_json_bytes));
    }
    return all;
  }

private:
  static constexpr const char* config_name = "tokenizer_config.json";

  using kinds = std::variant<wordpiece, byte_bpe>;

  tokenizer(std::filesystem::path folder, std::vector<std::string> names, kinds kind)
      : folder_{std::move(folder)}, names_{std::move(names)}, kind_{std::move(kind)} {}

  /// What tokenizer_config.json says, nothing where there is none, and its name.
  [[nodiscard]] static std::pair<nlohmann::json, std::filesystem::path> config_of(
      const std::filesystem::path& folder) {
    const std::filesystem::path file = folder / config_name;
    if (!is_there(file)) return {nlohmann::json::object(), file};
    return {io::read_json(file), file};
  }

  /// Where that cannot be told, reading the file says why.
  [[nodiscard]] static bool is_there(const std::filesystem::path& file) {
    std::error_code code;
    return std::filesystem::exists(file, code) || code;
  }

  static void expect(const nlohmann::json& config,
                     const std::filesystem::path& file,
                     const char* key,
                     bool wanted) {
    if (io::optional_member<bool>(config, key, file).value_or(wanted) == wanted) return;
    throw format_error(file.string(), io::shown(key) + " is " + (wanted ? "false" : "true") +
                                          ", expected " + (wanted ? "true" : "false"));
  }

  std::filesystem::path folder_;
  std::vector<std::string> names_;
  kinds kind_;
};

static_assert(text_tokenizer<tokenizer>);

}  // namespace tombola::data
