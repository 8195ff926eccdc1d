// inspect: what is in a file, without loading a model.

#include <algorithm>
#include <iostream>
#include <map>
#include <string>

#include "examples/tombola/checkpoint_commands.hpp"
#include "examples/tombola/inspect_checkpoint.hpp"
#include "examples/tombola/json_line.hpp"
#include "examples/tombola/mask_commands.hpp"
#include "examples/tombola/mask_files.hpp"
#include <fmt/format.h>

#include "tombola/checkpoint/checkpoint.hpp"
#include "tombola/experiment/ticket_summary.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/npy.hpp"
#include "tombola/io/npz.hpp"
#include "tombola/io/ticket_file.hpp"
#include "tombola/io/trace_file.hpp"

namespace tombola::driver {

namespace {

namespace fs = std::filesystem;

nlohmann::json describe_ticket(const ticket& t, const std::string& file, n_of_m pattern) {
  nlohmann::json j = experiment::ticket_json(t, file);
  j["what"] = "ticket";
  // A result takes a ticket without a kind for a good one; what a file says is what it says.
  if (t.origin.kind.empty()) j["kind"] = nullptr;
  j["origin"] = {{"task", t.origin.task},
                 {"seed", t.origin.seed ? nlohmann::json(*t.origin.seed) : nlohmann::json(nullptr)},
                 {"criterion", t.origin.criterion},
                 {"search", t.origin.search},
                 {"kind", t.origin.kind},
                 {"parent", t.origin.parent},
                 {"model", t.origin.model},
                 {"data", t.origin.data}};
  j["groups"] = nlohmann::json::array();
  for (std::size_t g = 0; g < t.groups().size(); ++g) {
    nlohmann::json each{{"name", t.groups()[g].name}, {"extents", t.groups()[g].extents}};
    put(each, structure_of(t.groups()[g], t[g], pattern), pattern);
    j["groups"].push_back(std::move(each));
  }
  return j;
}

nlohmann::json describe_trace(const trace& t) {
  nlohmann::json steps = nlohmann::json::array();
  for (const trace_step& s : t.steps) {
    steps.push_back({{"phase", s.phase},
                     {"kept", s.candidate.count()},
                     {"size", s.candidate.size()},
                     {"metric", s.metric},
                     {"accepted", s.accepted}});
  }
  nlohmann::json j{
      {"what", "trace"}, {"baseline", t.baseline}, {"threshold", t.threshold}, {"steps", steps}};
  // Bounds would pass for metrics without it.
  if (!t.measure.empty()) j["measure"] = t.measure;
  return j;
}

nlohmann::json describe_array(const io::npy_array& a) {
  const auto kept = std::count(a.values.begin(), a.values.end(), 1.0);
  const auto pruned = std::count(a.values.begin(), a.values.end(), 0.0);
  nlohmann::json j{{"what", "array"}, {"extents", a.extents}, {"type", io::info(a.type).name}};
  if (static_cast<std::size_t>(kept + pruned) == a.values.size()) {
    j["what"] = "mask";
    j["kept"] = kept;
    j["size"] = a.values.size();
  } else {
    const auto [low, high] = std::minmax_element(a.values.begin(), a.values.end());
    j["lowest"] = *low;
    j["highest"] = *high;
  }
  return j;
}

nlohmann::json describe_archive(const fs::path& file) {
  const io::npz_file archive{file};
  nlohmann::json arrays = nlohmann::json::array();
  for (const std::string& name : archive.names()) {
    nlohmann::json j = describe_array(archive.array(name));
    j["name"] = name;
    arrays.push_back(std::move(j));
  }
  return {{"what", "archive"}, {"arrays", std::move(arrays)}};
}

nlohmann::json describe(const fs::path& file, n_of_m pattern, const common_options& c) {
  std::error_code code;
  if (fs::is_directory(file, code)) {
    if (fs::exists(file / "result.json", code)) {
      nlohmann::json j = io::read_json(file / "result.json");
      j["what"] = "run";
      return j;
    }
    if (!checkpoint::find_weights(file)) {
      throw input_error(file.string() +
                        ": has neither a result.json nor *.safetensors with weights of its own, "
                        "expected the folder of a run or a checkpoint, or a file");
    }
    return describe_checkpoint(file, pattern, c);
  }
  if (file.extension() == ".npy") return describe_array(io::read_npy(file));
  if (file.extension() == ".npz") return describe_archive(file);
  if (file.extension() == ".json") return describe_checkpoint(file, pattern, c);
  const std::string kind = format_of(file);
  if (kind == "tombola-ticket")
    return describe_ticket(io::read_ticket(file), file.string(), pattern);
  if (kind == "tombola-trace") return describe_trace(io::read_trace(file));
  return describe_checkpoint(file, pattern, c);
}

/// A value on a line. What a file says of itself may be an order to a terminal.
std::string text_of(const nlohmann::json& value) {
  using errors = nlohmann::json::error_handler_t;
  const std::string text = value.is_null()     ? "none"
                           : value.is_string() ? value.get<std::string>()
                                               : value.dump(-1, ' ', false, errors::replace);
  return printable(text, text.size());
}

/// One line per member; lists of objects one line per entry.
void print(const nlohmann::json& j) {
  for (const auto& [key, value] : j.items()) {
    if (value.is_array() && !value.empty() && value.front().is_object()) {
      std::cout << fmt::format("{} ({}):\n", key, value.size());
      for (const auto& entry : value) {
        if (entry.contains("name") && (key == "tensors" || key == "groups")) {
          std::cout << line_of(entry) << '\n';
          continue;
        }
        std::string line;
        for (const auto& [name, v] : entry.items()) {
          line += fmt::format("  {} {}", name, text_of(v));
        }
        std::cout << line << '\n';
      }
    } else if (key != "sparsity" || !value.is_null()) {  // of no weights there is no share
      std::cout << fmt::format("{}: {}\n", key, text_of(value));
    }
  }
}

}  // namespace

void inspect(const inspect_options& o, const common_options& c) {
  const nlohmann::json j = describe(o.file, pattern_of(o.pattern, "inspect: --nm"), c);
  if (c.json) {
    std::cout << json_line(j);
  } else {
    print(j);
  }
}

}  // namespace tombola::driver
