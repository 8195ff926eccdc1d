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
#include "tombola/experiment/ticket_summary.hpp"
#include "tombola/io/json.hpp"
#include "tombola/io/ticket_file.hpp"

namespace tombola::experiment {

/// Who computed a result: written down, never part of what is computed.
struct provenance_of_run {
  std::string commit;  ///< of the program; empty where not known
  std::string machine = machine_in_words();
};

[[nodiscard]] inline nlohmann::json inputs_json(const std::vector<run_input>& inputs) {
  nlohmann::json list = nlohmann::json::array();
  for (const run_input& i : inputs) {
    list.push_back({{"name", i.name}, {"path", io::path_json(i.path)}, {"sha256", i.sha256}});
  }
  return list;
}

/// Score and metrics of a task. Where the data do not define one it is 0, as the study has it (spec
/// 2.5), and `undefined` says why.
inline void put_scores(nlohmann::json& result,
                       const data::task_description& task,
                       const scores_of_task& s) {
  result["metric"] = data::to_string(task.selection);
  result["score"] = s.selection.value;
  result["metrics"] = nlohmann::json::object();
  for (const data::metric_value& m : s.reported) {
    result["metrics"][std::string{m.name}] = m.value;
    if (!m.reason.empty()) result["undefined"][std::string{m.name}] = m.reason;
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
