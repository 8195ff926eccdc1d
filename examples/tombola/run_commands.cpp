// pretrain, train, find-masks, evaluate: prepare, run, and say what came out.

#include "examples/tombola/run_commands.hpp"

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>
#include <utility>

#include "examples/tombola/json_line.hpp"
#include "examples/tombola/steps.hpp"
#include "examples/tombola/terminal.hpp"
#include <fmt/format.h>

#include "tombola/core/printable.hpp"
#include "tombola/io/json.hpp"

namespace tombola::driver {

namespace {

namespace fs = std::filesystem;

/// A member of a result that may be null, for a person.
std::string number(const nlohmann::json& object, const char* key, const fs::path& file) {
  const auto x = io::optional_member<double>(object, key, file);
  return x ? fmt::format("{:.4f}", *x) : "undefined";
}

/// `45 of 72 heads, 4 of 6 mlps`
std::string kept_text(const nlohmann::json& ticket, const fs::path& file) {
  const auto kept = io::require<nlohmann::json>(ticket, "kept", file);
  const auto size = io::require<nlohmann::json>(ticket, "size", file);
  std::string text;
  for (const auto& [name, units] : kept.items()) {
    text += fmt::format("{}{} of {} {}", text.empty() ? "" : ", ",
                        io::require<std::uint64_t>(kept, name, file),
                        io::require<std::uint64_t>(size, name, file), printable(name));
  }
  return text;
}

/// What a result says to a person. Throws format_error where it is none: a finished run is read as
/// it lies there, and it may have been damaged since.
std::string result_text(const nlohmann::json& result, const fs::path& file) {
  const auto metric = io::require<std::string>(result, "metric", file);
  const auto metrics = io::require<nlohmann::json>(result, "metrics", file);
  const auto ticket = io::optional_member<nlohmann::json>(result, "ticket", file);
  static_cast<void>(io::require<nlohmann::json>(result, "score", file));  // null, but there
  std::string text = fmt::format("{} {}", printable(metric), number(result, "score", file));
  if (io::optional_member<double>(result, "majority", file)) {
    text += fmt::format(" (majority class {})", number(result, "majority", file));
  }
  if (const auto loss = io::optional_member<double>(metrics, "unigram_loss", file)) {
    text += fmt::format(" (by the frequencies of words alone {:.4f})", -*loss);
  }
  if (ticket) {
    const auto kind = io::require<std::string>(*ticket, "kind", file);
    text += fmt::format(", {} ticket: {}", printable(kind), kept_text(*ticket, file));
  }
  return text;
}

void print_result(const fs::path& folder, const common_options& c) {
  const fs::path file = folder / "result.json";
  nlohmann::json result = io::read_json(file);
  const std::string text = result_text(result, file);
  if (c.json) {
    result["folder"] = folder.string();
    std::cout << json_line(result);
  } else {
    std::cout << text << '\n' << folder.string() << '\n';
  }
}

/// Says that a search found nothing to remove, because the model itself is below the guard.
void print_guard(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "result.json";
  const auto search = io::optional_member<nlohmann::json>(io::read_json(file), "search", file);
  if (!search) return;
  const auto metric = io::optional_member<double>(*search, "metric", file);
  const auto threshold = io::optional_member<double>(*search, "threshold", file);
  if (!metric || !threshold || *metric >= *threshold) return;
  std::cout << fmt::format(
      "the model itself does not pass the guard: {:.4f}, expected at least {:.4f}; nothing was "
      "removed\n",
      *metric, *threshold);
}

/// Settles `--precision auto` for a prepared run: what was begun goes on as it was begun, because
/// near the bound between them another measurement may say otherwise; else the faster one here.
template <class Prepared>
void settle_precision(Prepared& p, const run_command& c, const experiment::observer& watch) {
  const auto key_with = [&](product_precision precision) {
    experiment::run_key key = p.key;
    key.settings.erase("precision");
    experiment::put_precision(key.settings, precision);
    return key;
  };
  const auto begun = [&](product_precision precision) {
    std::error_code code;
    return std::filesystem::exists(c.out / key_with(precision).folder_name(), code);
  };
  product_precision& precision = p.settings.precision;
  if (begun(product_precision::float32)) {
    precision = product_precision::float32;
  } else if (begun(product_precision::bfloat16)) {
    precision = product_precision::bfloat16;
  } else {
    precision = faster_precision_here(c.common.threads);
  }
  p.key = key_with(precision);
  watch.say(fmt::format("precision {}", to_string(precision)));
}

template <class Settings>
void carry_out(Settings s, const run_command& c) {
  stop_politely_at_ctrl_c();
  terminal screen{c.common.quiet};
  const experiment::observer watch = screen.observer();
  if (c.precision == precision_choice::bfloat16) s.precision = product_precision::bfloat16;
  auto prepared = experiment::prepare(std::move(s));
  if (c.precision == precision_choice::automatic) settle_precision(prepared, c, watch);
  experiment::provenance_of_run who{TOMBOLA_COMMIT};
  who.machine += ", " + products_in_words();
  const auto folder = run(prepared, {c.out, {c.common.threads}, who}, watch);
  screen.clear_line();
  if (!c.common.json) print_guard(folder);
  print_result(folder, c.common);
}

}  // namespace

void pretrain(experiment::pretrain_settings s, const run_command& c) {
  carry_out(std::move(s), c);
}
void train(experiment::train_settings s, const run_command& c) {
  carry_out(std::move(s), c);
}
void find_masks(experiment::search_settings s, const run_command& c) {
  carry_out(std::move(s), c);
}
void evaluate(experiment::evaluation_settings s, const run_command& c) {
  carry_out(std::move(s), c);
}

}  // namespace tombola::driver
