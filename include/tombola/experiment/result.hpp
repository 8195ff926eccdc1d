#pragma once

// Heavy to include: holds JSON values.

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tombola/core/ticket.hpp"
#include "tombola/experiment/machine.hpp"
#include "tombola/experiment/run.hpp"
#include "tombola/experiment/task_data.hpp"
#include "tombola/io/ticket_file.hpp"

namespace tombola::experiment {

/// Who computed a result: written down, never part of what is computed.
struct provenance_of_run {
  std::string commit;  ///< of the program; empty where not known
  std::string machine = machine_in_words();
};

/// Which units a ticket is about: `heads`, `mlps`, `heads_mlps` or `weights`.
[[nodiscard]] inline std::string family_of(const ticket& t) {
  bool heads = false, mlps = false, weights = false;
  for (const group& g : t.groups()) {
    heads = heads || g.name == "heads";
    mlps = mlps || g.name == "mlps";
    weights = weights || (g.name != "heads" && g.name != "mlps");
  }
  if (weights) return "weights";
  return heads && mlps ? "heads_mlps" : heads ? "heads" : "mlps";
}

/// What a result says about a ticket. Weights of all groups are counted together.
[[nodiscard]] inline nlohmann::json ticket_json(const ticket& t, const std::string& file) {
  const std::string family = family_of(t);
  std::map<std::string, std::size_t> kept, size;
  for (std::size_t i = 0; i < t.groups().size(); ++i) {
    const std::string name = family == "weights" ? "weights" : t.groups()[i].name;
    kept[name] += t[i].count();
    size[name] += t[i].size();
  }
  return {{"file", file},     {"kind", t.origin.kind.empty() ? "good" : t.origin.kind},
          {"family", family}, {"fingerprint", io::fingerprint(t)},
          {"kept", kept},     {"size", size}};
}

[[nodiscard]] inline nlohmann::json inputs_json(const std::vector<run_input>& inputs) {
  nlohmann::json list = nlohmann::json::array();
  for (const run_input& i : inputs) {
    list.push_back({{"name", i.name}, {"path", i.path}, {"sha256", i.sha256}});
  }
  return list;
}

/// Score and metrics of a task; null where the data do not define one.
inline void put_scores(nlohmann::json& result,
                       const data::task_description& task,
                       const scores_of_task& s) {
  const auto number = [](double value, std::string_view reason) {
    return reason.empty() ? nlohmann::json(value) : nlohmann::json(nullptr);
  };
  result["metric"] = data::to_string(task.selection);
  result["score"] = number(s.selection.value, s.selection.reason);
  result["metrics"] = nlohmann::json::object();
  for (const data::metric_value& m : s.reported) {
    result["metrics"][std::string{m.name}] = number(m.value, m.reason);
  }
}

/// The members that every result has beside its scores.
inline void put_common(nlohmann::json& result,
                       const provenance_of_run& who,
                       const std::vector<run_input>& inputs,
                       double seconds,
                       double tokens) {
  result["seconds"] = seconds;
  result["tokens_per_second"] = seconds > 0.0 ? tokens / seconds : 0.0;
  result["machine"] = who.machine;
  result["commit"] = who.commit;
  result["inputs"] = inputs_json(inputs);
}

}  // namespace tombola::experiment
