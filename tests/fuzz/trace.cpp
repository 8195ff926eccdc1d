// Traces of searches.

#include "tombola/core/trace.hpp"

#include <limits>

#include "tests/fuzz/safetensors_mutator.hpp"
#include "tests/fuzz/support.hpp"

#include "tombola/io/trace_file.hpp"

using namespace tombola;

namespace {

std::string as_bytes(const trace& t) {
  return fuzz::written([&](const auto& path) { io::write_trace(path, t); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& path = fuzz::as_file(fuzz::text_of(data, size));
  const auto read = fuzz::accepted([&] { return io::read_trace(path); });
  if (!read) return 0;
  for (const trace_step& s : read->steps) {
    for (const mask& m : s.candidate.masks()) fuzz::check_mask(m);
    for (const scores& of : s.scores) {
      fuzz::hold(of.size() == of.group().size(), "scores cover their group");
    }
  }
  const std::string bytes = as_bytes(*read);
  // By bytes: a metric that is NaN differs from itself.
  fuzz::hold(as_bytes(io::read_trace(fuzz::as_file(bytes))) == bytes,
             "a trace survives writing and reading");
  return 0;
}

void fuzz::make_seeds(seeds& to) {
  to.add(as_bytes({}));
  constexpr double infinity = std::numeric_limits<double>::infinity();
  trace t{.baseline = 1, .threshold = -infinity, .steps = {}};
  ticket candidate{{{"heads", {3, 4}}, {"mlps", {3}}}};
  t.steps.push_back({"heads", candidate, 0.95, true, {{{"mlps", {3}}, {1, 2, 3}}}});
  candidate.set(0, 7, false);
  candidate.origin.task = "RTE";
  candidate.origin.seed = 1;
  t.steps.push_back({"mlps", candidate, std::numeric_limits<double>::quiet_NaN(), false, {}});
  const std::string full = as_bytes(t);
  to.add(full);
  to.add(full, "tombola-trace", "tombola-tickt");
  to.add(full, R"(\"kept\":11)", R"(\"kept\":12)");
  to.add(full, "1/mask/heads", "1/mask/haeds");
  to.add(full, R"(\"-inf\")", R"(\"+inf\")");
  // Scores that are no number, of a group whose name a terminal would obey.
  std::string unknown = as_bytes({.steps = {{"", {}, 0, true, {{{"\x1B[31m", {1}}, {1}}}}}});
  to.add(unknown);
  unknown.replace(unknown.size() - 4, 4, "\xFF\xFF\xFF\xFF");
  to.add(unknown);
  to.words({"__metadata__",
            "tombola-trace",
            "\\\"baseline\\\":",
            "\\\"threshold\\\":",
            "\\\"steps\\\":",
            "\\\"phase\\\":",
            "\\\"metric\\\":",
            "\\\"accepted\\\":",
            "\\\"groups\\\":",
            "\\\"kept\\\":",
            "\\\"scores\\\":",
            "\\\"provenance\\\":",
            "0/mask/",
            "0/scores/",
            "inf",
            "-inf",
            "nan",
            "null",
            "true",
            "18446744073709551615",
            "\xFF\xFF\xC0\x7F",
            "\"dtype\":\"F32\"",
            "\"shape\":",
            "\"data_offsets\":"});
}
