// mask-of and prune: tickets of any checkpoint, and any checkpoint pruned.

#include "examples/tombola/checkpoint_commands.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iostream>
#include <utility>

#include "examples/tombola/json_line.hpp"
#include "examples/tombola/percent.hpp"
#include "examples/tombola/terminal.hpp"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tombola/checkpoint/checkpoint.hpp"
#include "tombola/checkpoint/choose.hpp"
#include "tombola/checkpoint/mask_of.hpp"
#include "tombola/checkpoint/tied.hpp"

namespace tombola::driver {

namespace {

namespace fs = std::filesystem;

/// What was passed over, in words; nothing where that was nothing.
void note_left_out(const checkpoint::choice& c, terminal& screen) {
  if (c.flat + c.not_floating == 0) return;
  screen.note(fmt::format(
      "left out: {} with fewer than two extents (--only takes them), {} not of F64, F32, F16 or "
      "BF16",
      c.flat, c.not_floating));
}

nlohmann::json counts_of(const std::vector<group>& groups, const std::vector<std::uint64_t>& kept) {
  nlohmann::json each = nlohmann::json::object();
  std::uint64_t all_kept = 0, all = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    each[groups[g].name] = {{"kept", kept[g]}, {"size", groups[g].size()}};
    all_kept += kept[g], all += groups[g].size();
  }
  return {{"kept", all_kept}, {"size", all}, {"groups", std::move(each)}};
}

void print(const nlohmann::json& j, const std::string& where, bool as_json) {
  if (as_json) {
    std::cout << json_line(j);
    return;
  }
  const auto kept = j["kept"].get<std::uint64_t>(), size = j["size"].get<std::uint64_t>();
  const std::size_t groups = j["groups"].size();
  const std::string share =
      size == 0 ? "" : fmt::format(" ({} are zero)", percent(size - kept, size));
  std::cout << fmt::format("keeps {} of {} weights in {} group{}{}\n{}\n", kept, size, groups,
                           groups == 1 ? "" : "s", share, where);
}

/// What other tools look for beside the weights: settings and vocabularies, not weights of other
/// kinds.
std::vector<fs::path> companions_in(const fs::path& folder, const fs::path& weights) {
  std::vector<fs::path> files;
  std::error_code unreadable;  // what cannot be listed has no companions
  fs::directory_iterator at{folder, unreadable};
  for (; !unreadable && at != fs::directory_iterator{}; at.increment(unreadable)) {
    const fs::directory_entry& entry = *at;
    const fs::path& file = entry.path();
    const std::string name = file.filename().string(), ending = file.extension().string();
    const bool is_text = ending == ".json" || ending == ".txt" || ending == ".model" ||
                         ending == ".jinja" || ending == ".md";
    std::error_code gone;
    if (is_text && !name.starts_with('.') && !name.ends_with(".index.json") && file != weights &&
        entry.is_regular_file(gone) && entry.file_size(gone) <= io::max_json_bytes) {
      files.push_back(file);
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

n_of_m pattern_of(const std::string& text, const std::string& option) {
  std::array<std::size_t, 2> numbers{};
  const char *from = text.data(), *to = text.data() + text.size();
  const auto first = std::from_chars(from, to, numbers[0]);
  if (first.ec == std::errc{} && first.ptr != to && *first.ptr == ':') {
    const auto second = std::from_chars(first.ptr + 1, to, numbers[1]);
    const bool sensible = numbers[0] <= numbers[1] && numbers[0] > 0;
    if (second.ec == std::errc{} && second.ptr == to && sensible) return {numbers[0], numbers[1]};
  }
  throw input_error(option + " is " + text + ", expected N:M such as 2:4, N from 1 to M");
}

checkpoint::manner manner_of(const common_options& c, terminal& screen, const std::string& what) {
  return {static_cast<std::size_t>(c.threads), bytes_watch(screen, what)};
}

void mask_of(const mask_of_options& o, const common_options& c) {
  terminal screen{c.quiet || c.json};
  if (o.out.extension() == ".npy" || o.out.extension() == ".npz") {
    throw input_error(o.out.string() + ": a ticket has another format, expected .safetensors; " +
                      "`tombola convert` makes arrays of it");
  }
  const checkpoint::source from{o.checkpoint};
  const checkpoint::choice choice = checkpoint::choose(from, o.only);
  const auto kept =
      checkpoint::write_mask_of(from, choice.chosen, o.out, manner_of(c, screen, "mask-of"));
  screen.clear_line();
  note_left_out(choice, screen);
  nlohmann::json j = counts_of(checkpoint::groups_of(choice.chosen), kept);
  j["file"] = o.out.string();
  j["left_out"] = {{"flat", choice.flat}, {"not_floating", choice.not_floating}};
  print(j, o.out.string(), c.json);
}

void prune(const prune_options& o, const common_options& c) {
  terminal screen{c.quiet || c.json};
  checkpoint::magnitude_pruning what = o.what;
  if (!o.keep_of.empty()) what.pattern = pattern_of(o.keep_of, "prune: --nm");
  const checkpoint::source from{o.checkpoint};
  const checkpoint::choice choice = checkpoint::choose(from, o.only);
  const auto chosen = checkpoint::tie(from, choice.chosen);
  std::size_t tied = 0;
  for (const checkpoint::weights& w : chosen) tied += w.copies.size();
  std::error_code code;
  const auto others = fs::is_directory(o.checkpoint, code)
                          ? companions_in(o.checkpoint, from.path())
                          : std::vector<fs::path>{};
  const checkpoint::pruned result = checkpoint::prune_by_magnitude(
      from, chosen, what, o.out, others, manner_of(c, screen, "prune"));
  screen.clear_line();
  note_left_out(choice, screen);
  if (tied > 0) screen.note(fmt::format("tied to others and pruned with them: {}", tied));
  nlohmann::json j = counts_of(result.groups, result.kept);
  j["folder"] = o.out.string();
  j["tied"] = tied;
  j["left_out"] = {{"flat", choice.flat}, {"not_floating", choice.not_floating}};
  print(j, o.out.string(), c.json);
}

}  // namespace tombola::driver
