// report: one self-contained HTML file on a folder of runs, or on a folder of masks.

#include <iostream>

#include "examples/tombola/mask_commands.hpp"
#include <nlohmann/json.hpp>

#include "tombola/analysis/report_input.hpp"
#include "tombola/analysis/write_report.hpp"

namespace tombola::driver {

void report(const report_command& o, const common_options& c) {
  const analysis::report_input in = analysis::read_report_input(o.folder);
  const auto file = analysis::write_report(in, o.out.empty() ? o.folder : o.out).page;
  if (c.json) {
    std::cout << nlohmann::json{{"report", file.string()}}.dump() << '\n';
  } else {
    std::cout << file.string() << '\n';
  }
}

}  // namespace tombola::driver
