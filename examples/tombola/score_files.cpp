// Files of scores: what `select` ranks.

#include "examples/tombola/score_files.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "examples/tombola/mask_files.hpp"

#include "tombola/analysis/mask_table.hpp"
#include "tombola/io/csv.hpp"
#include "tombola/io/npy.hpp"
#include "tombola/io/npz.hpp"
#include "tombola/io/safetensors.hpp"

namespace tombola::driver {

namespace {

namespace fs = std::filesystem;

scores scores_of(const fs::path& file, group g, const std::vector<double>& values) {
  std::vector<float> narrow;
  narrow.reserve(values.size());
  for (const double x : values) narrow.push_back(static_cast<float>(x));
  try {
    return {std::move(g), std::move(narrow)};
  } catch (const input_error& e) {
    throw format_error(file.string(), e.what());
  }
}

std::vector<scores> read_table(const fs::path& file) {
  const io::csv_table table = io::read_csv(file);
  const std::size_t unit = table.column("unit"), score = table.column("score");
  const auto& header = table.header();
  const auto named = std::find(header.begin(), header.end(), "group");
  struct listed {
    std::string name;
    std::map<std::uint64_t, double> values;
  };
  std::vector<listed> groups;
  std::map<std::string, std::size_t> place;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string name{
        named == header.end() ? analysis::group_named_by(file)
                              : table.field(row, static_cast<std::size_t>(named - header.begin()))};
    const auto [at, fresh] = place.emplace(name, groups.size());
    if (fresh) groups.push_back({name, {}});
    const auto u = table.number_of<std::uint64_t>(row, unit);
    if (!groups[at->second].values.emplace(u, table.number_of(row, score)).second) {
      throw format_error(table.file(), "line " + std::to_string(table.line(row)) + ": unit " +
                                           std::to_string(u) + " of " + io::shown(name) +
                                           " has a score already");
    }
  }
  std::vector<scores> all;
  for (const listed& g : groups) {
    std::vector<double> values;
    for (const auto& [u, x] : g.values) {
      if (u != values.size()) {
        throw format_error(table.file(), "unit " + std::to_string(values.size()) + " of " +
                                             io::shown(g.name) +
                                             " has no score, expected one for each up to " +
                                             std::to_string(g.values.rbegin()->first));
      }
      values.push_back(x);
    }
    all.push_back(scores_of(file, {g.name, {values.size()}}, values));
  }
  return all;
}

std::vector<scores> read_tensors(const fs::path& file) {
  std::vector<scores> all;
  const io::safetensors_file f{file};
  for (const io::tensor_entry& t : f.tensors()) {
    try {
      all.emplace_back(group{t.name, t.shape}, io::to_floats(t));
    } catch (const input_error& e) {
      throw format_error(file.string(), e.what());
    }
  }
  return all;
}

std::vector<scores> read_archive(const fs::path& file) {
  std::vector<scores> all;
  const io::npz_file archive{file};
  for (const std::string& name : archive.names()) {
    const io::npy_array a = archive.array(name);
    all.push_back(scores_of(file, {name, a.extents}, a.values));
  }
  return all;
}

std::vector<scores> read_scores(const fs::path& file) {
  const fs::path extension = file.extension();
  if (extension == ".csv") return read_table(file);
  if (extension == ".npz") return read_archive(file);
  if (extension == ".safetensors") return read_tensors(file);
  const io::npy_array a = io::read_npy(file);
  return {scores_of(file, {analysis::group_named_by(file), a.extents}, a.values)};
}

}  // namespace

std::vector<scores> read_scores(const std::vector<fs::path>& files) {
  std::vector<scores> all;
  std::set<std::string> names;
  for (const fs::path& file : files) {
    std::vector<scores> found = read_scores(file);
    if (found.empty()) throw format_error(file.string(), "holds no scores");
    for (scores& s : found) {
      if (!names.insert(s.group().name).second) {
        throw input_error(file.string() + ": has scores of a group " + io::shown(s.group().name) +
                          " that another file has too, expected each once");
      }
      all.push_back(std::move(s));
    }
  }
  return all;
}

}  // namespace tombola::driver
