// report: one self-contained HTML file on a folder of runs, or on a folder or table of masks.

#include <iostream>
#include <string>

#include "examples/tombola/json_line.hpp"
#include "examples/tombola/mask_commands.hpp"
#include <nlohmann/json.hpp>

#include "tombola/analysis/report_input.hpp"
#include "tombola/analysis/write_report.hpp"

namespace tombola::driver {

void report(const report_command& o, const common_options& c) {
  const analysis::report_input in = analysis::read_report_input(o.source);
  const bool table = o.source.extension() == ".csv";
  const std::filesystem::path beside = table ? o.source.parent_path() : o.source;
  const auto written = analysis::write_report(in, o.out.empty() ? beside : o.out);
  nlohmann::json findings = nlohmann::json::array();
  std::string heading;
  for (const analysis::verdict& v : written.numbers.verdicts) {
    const std::string about = v.task + ", " + analysis::in_words(v.family);
    findings.push_back({{"about", about}, {"finding", analysis::sentence(v)}});
    if (!c.json && about != heading) std::cout << about << '\n';
    if (!c.json) std::cout << "  " << analysis::sentence(v) << '\n';
    heading = about;
  }
  if (c.json) {
    std::cout << json_line({{"report", written.page.string()}, {"findings", findings}});
  } else {
    std::cout << written.page.string() << '\n';
  }
}

}  // namespace tombola::driver
