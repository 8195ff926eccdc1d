// Files of masks: what they hold, and what is written to them.

#include "examples/tombola/mask_files.hpp"

#include <algorithm>
#include <cmath>
#include <system_error>
#include <utility>

#include "examples/tombola/checkpoint_commands.hpp"
#include "examples/tombola/terminal.hpp"
#include <fmt/format.h>

#include "tombola/analysis/folder.hpp"
#include "tombola/analysis/mask_table.hpp"
#include "tombola/checkpoint/checkpoint.hpp"
#include "tombola/checkpoint/choose.hpp"
#include "tombola/checkpoint/mask_of.hpp"
#include "tombola/io/npz.hpp"
#include "tombola/io/safetensors.hpp"
#include "tombola/io/ticket_file.hpp"

namespace tombola::driver {

namespace {

namespace fs = std::filesystem;

/// Files that one command takes from folders: more are a mistake in the name of the folder.
constexpr std::size_t most_files = 100'000;
/// Folders inside folders.
constexpr int deepest = 16;

bool holds_masks(const fs::path& file) {
  const std::string extension = file.extension().string();
  if (extension == ".npy") return file.stem().string().ends_with("mask");
  if (extension == ".npz") return true;
  return extension == ".safetensors" && format_of(file) == "tombola-ticket";
}

constexpr const char *heads_file = "head_mask.npy", *mlps_file = "mlp_mask.npy";

/// Whether a folder holds one ticket as two arrays, as the study wrote them for each seed.
bool holds_two_arrays(const fs::path& folder) {
  std::error_code code;
  return fs::is_regular_file(folder / heads_file, code) &&
         fs::is_regular_file(folder / mlps_file, code);
}

void add_files_in(const fs::path& folder, int depth, std::vector<fs::path>& files) {
  if (depth > deepest) {
    throw input_error(folder.string() + ": folders lie in each other more than " +
                      std::to_string(deepest) + " deep");
  }
  std::vector<fs::path> here;
  std::error_code code;
  fs::directory_iterator at{folder, code};
  for (; !code && at != fs::directory_iterator{}; at.increment(code)) {
    std::error_code gone;  // what vanishes meanwhile is no file
    const std::string name = at->path().filename().string();
    if (at->is_regular_file(gone) && !name.starts_with('.')) here.push_back(at->path());
  }
  if (code) throw input_error(folder.string() + ": cannot be read: " + code.message());
  std::sort(here.begin(), here.end());
  const bool two_arrays = holds_two_arrays(folder);
  if (two_arrays) files.push_back(folder);
  for (fs::path& file : here) {
    const fs::path name = file.filename();
    if (two_arrays && (name == heads_file || name == mlps_file)) continue;
    if (holds_masks(file)) files.push_back(std::move(file));
  }
  if (files.size() > most_files) {
    throw input_error(folder.string() + ": more than " + std::to_string(most_files) +
                      " files of masks");
  }
  for (const fs::path& inner : analysis::folders_in(folder)) add_files_in(inner, depth + 1, files);
}

ticket one_group(std::string name, io::npy_mask m) {
  std::vector<mask> masks;
  masks.push_back(std::move(m.mask));
  return {{{std::move(name), std::move(m.extents)}}, std::move(masks)};
}

ticket read_two_arrays(const fs::path& folder) {
  io::npy_mask heads = io::read_mask_npy(folder / heads_file);
  io::npy_mask mlps = io::read_mask_npy(folder / mlps_file);
  std::vector<group> groups{{"heads", std::move(heads.extents)}, {"mlps", std::move(mlps.extents)}};
  return {std::move(groups), {std::move(heads.mask), std::move(mlps.mask)}};
}

ticket read_archive(const fs::path& file) {
  const io::npz_file archive{file};
  std::vector<group> groups;
  std::vector<mask> masks;
  for (const std::string& name : archive.names()) {
    io::npy_mask m = archive.mask(name);
    groups.push_back({name, std::move(m.extents)});
    masks.push_back(std::move(m.mask));
  }
  if (groups.empty()) throw format_error(file.string(), "holds no array, expected masks");
  return {std::move(groups), std::move(masks)};
}

/// Whether a file is to be read as a checkpoint: an index, a folder without two arrays of masks, or
/// safetensors that are neither ticket nor trace.
bool is_checkpoint(const fs::path& file) {
  std::error_code code;
  const std::string extension = file.extension().string();
  if (extension == ".npy" || extension == ".npz") return false;
  if (fs::is_directory(file, code)) return !holds_two_arrays(file);
  return extension == ".json" || !checkpoint::is_mask_format(format_of(file));
}

/// array_name: of the group of a .npy file.
ticket read_any(const fs::path& file, std::string array_name, const checkpoint_reading& how) {
  if (file.extension() == ".npy") return one_group(std::move(array_name), io::read_mask_npy(file));
  if (file.extension() == ".npz") return read_archive(file);
  if (!is_checkpoint(file)) {
    return holds_two_arrays(file) ? read_two_arrays(file) : io::read_ticket(file);
  }
  const checkpoint::source from{file};
  return checkpoint::mask_of(from, checkpoint::choose(from, how.only).chosen, how.manner);
}

/// The same. A ticket file may hold no group, but there is nothing that a command can do with it.
ticket read_as(const fs::path& file, std::string array_name, const checkpoint_reading& how) {
  ticket t = read_any(file, std::move(array_name), how);
  if (t.groups().empty()) {
    throw format_error(file.string(), "the ticket has no group, expected at least one");
  }
  return t;
}

}  // namespace

std::string format_of(const fs::path& file) {
  const io::safetensors_file f{file};
  const auto format = f.metadata().find("format");
  return format == f.metadata().end() ? "" : format->second;
}

std::vector<fs::path> mask_files_of(const std::vector<fs::path>& named) {
  std::vector<fs::path> files;
  for (const fs::path& each : named) {
    std::error_code code;
    if (!fs::is_directory(each, code) || checkpoint::holds_weights(each)) {
      files.push_back(each);
      continue;
    }
    const std::size_t before = files.size();
    add_files_in(each, 0, files);
    if (files.size() == before) {
      throw input_error(
          each.string() +
          ": no file of masks in it, expected *mask.npy, .npz, tickets or a checkpoint");
    }
  }
  return files;
}

ticket read_masks(const fs::path& file, const checkpoint_reading& how) {
  return read_as(file, "mask", how);
}

ticket read_named_masks(const fs::path& file) {
  return read_as(file, analysis::group_named_by(file), {});
}

std::vector<ticket> read_masks(const std::vector<fs::path>& files, const checkpoint_reading& how) {
  std::vector<ticket> all;
  for (const fs::path& file : files) {
    all.push_back(read_masks(file, how));
    try {
      require_same_groups(all.front(), all.back());
    } catch (const shape_error& e) {
      // One of the two was cut to size, the other perhaps not.
      const bool is_cut = !how.only.empty() && is_checkpoint(file) != is_checkpoint(files.front());
      throw input_error(
          file.string() + ": does not fit " + files.front().string() + ": " + e.what() +
          (is_cut ? "; --only chooses tensors of checkpoints, a ticket is taken whole" : ""));
    }
  }
  return all;
}

std::vector<ticket> read_masks_of(const std::vector<fs::path>& files,
                                  const comparison_options& o,
                                  const common_options& c,
                                  const std::string& what) {
  if (!o.only.empty() && std::none_of(files.begin(), files.end(), is_checkpoint)) {
    throw input_error(what +
                      ": --only chooses tensors of checkpoints, but there is none among the " +
                      std::to_string(files.size()) + " files");
  }
  terminal screen{c.quiet || c.json};
  return read_masks(files, {o.only, manner_of(c, screen, what)});
}

void write_masks(const fs::path& file,
                 const ticket& t,
                 io::mask_number number,
                 const std::string& instead) {
  if (file.extension() == ".npy") {
    if (t.groups().size() != 1) {
      throw input_error(file.string() + ": " + std::to_string(t.groups().size()) +
                        " groups, but .npy holds one array; " + instead);
    }
    io::write_mask_npy(file, t.groups()[0].extents, t[0], number);
  } else if (file.extension() == ".npz") {
    std::vector<io::npz_member> members;
    for (std::size_t g = 0; g < t.groups().size(); ++g) {
      members.push_back({t.groups()[g].name, t.groups()[g].extents, t[g], number});
    }
    io::write_npz(file, members, io::npz_compression::deflated);
  } else {
    io::write_ticket(file, t);
  }
}

void put(nlohmann::json& object, const char* key, const estimate& e) {
  if (e.defined()) {
    object[key] = e.value;
  } else {
    object[key] = nullptr;
    object["undefined"][key] = to_string(e.why);
  }
}

std::string probability(double p, double log_p) {
  return p > 1e-300 ? fmt::format("{:.3g}", p) : fmt::format("1e{:.0f}", log_p / std::log(10.0));
}

std::string text_of(const estimate& e) {
  return e.defined() ? fmt::format("{:.4f}", e.value) : "undefined: " + to_string(e.why);
}

}  // namespace tombola::driver
