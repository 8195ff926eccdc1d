// compact: a model with its pruned units physically gone, proved and saved.

#include "examples/tombola/compact_command.hpp"

#include <iostream>
#include <map>
#include <string>

#include "examples/tombola/json_line.hpp"
#include "examples/tombola/option_kinds.hpp"
#include "examples/tombola/steps.hpp"
#include "examples/tombola/terminal.hpp"
#include <fmt/format.h>

namespace tombola::driver {

namespace {

void print(const nlohmann::json& j, const std::string& folder, int threads) {
  std::string text = fmt::format("{:<8} {:>13} {:>16} {:>13} {:>12}\n", "", "parameters",
                                 "FLOPs per token", "bytes", "latency");
  for (const auto& c : j.at("costs")) {
    text +=
        fmt::format("{:<8} {:>13} {:>16.0f} {:>13} {:>9.2f} ms\n", c.at("model").get<std::string>(),
                    c.at("parameters").get<std::uint64_t>(), c.at("flops_per_token").get<double>(),
                    c.at("bytes").get<std::uint64_t>(), c.at("milliseconds").get<double>());
  }
  const auto& t = j.at("timing");
  text += fmt::format(
      "FLOPs: of the products, in sequences of {} tokens. Latency: median of {} passes over {} "
      "sequences ({} tokens, {}), {} thread{}.\n",
      j.at("flops_tokens").get<std::size_t>(), t.at("repetitions").get<std::size_t>(),
      t.at("sequences").get<std::size_t>(), t.at("tokens").get<std::size_t>(),
      t.at("probes").get<std::string>(), threads, threads == 1 ? "" : "s");
  for (const auto& p : j.at("proofs")) {
    text += fmt::format(
        "{} and {} differ by at most {:.2g} on {} sequences ({}); allowed {:.2g}, largest logit "
        "{:.3g}\n",
        p.at("first").get<std::string>(), p.at("second").get<std::string>(),
        p.at("difference").get<double>(), p.at("sequences").get<std::size_t>(),
        p.at("probes").get<std::string>(), p.at("tolerance").get<double>(),
        p.at("largest_logit").get<double>());
  }
  std::cout << text << folder << '\n';
}

void compact(const experiment::compact_settings& s, const common_options& c) {
  stop_politely_at_ctrl_c();
  terminal screen{c.quiet};
  const experiment::observer watch = screen.observer();
  const auto prepared = experiment::prepare(s);
  nlohmann::json j = run(prepared, device{c.threads}, watch);
  for (const auto& name : j.at("not_saved")) {
    watch.say("not saved, because the model has none: " + name.get<std::string>());
  }
  screen.clear_line();
  j["folder"] = s.out.string();
  j["timing"]["threads"] = c.threads;
  if (c.json) {
    std::cout << json_line(j);
  } else {
    print(j, s.out.string(), c.threads);
  }
}

}  // namespace

void add_compact_command(CLI::App& root, compact_command_options& o) {
  using nn::study::removal;
  static const std::map<std::string, removal> modes{
      {"exact", removal::exact}, {"study", removal::pruned}, {"study_reloaded", removal::reloaded}};
  experiment::compact_settings& s = o.settings;
  CLI::App* app =
      root.add_subcommand("compact", "Remove a ticket's heads, MLPs and neurons physically");
  app->footer(
      "Example: tombola compact --run runs/train-SST-2-s1-0123456789ab --ticket good.safetensors "
      "--out "
      "small\n"
      "For other tools: ... --padded --out full-size");
  app->add_option("--run", s.from, "Folder of a training run, or of a model")->required();
  app->add_option("--ticket", s.ticket,
                  "Masks of heads, mlps or neurons; without it those the run was trained under");
  app->add_option("--data", s.data, "Folder of the tasks, if it has moved");
  app->add_option("--out", s.out, "New folder for the model")->required();
  app->add_flag(
      "--padded", s.padded,
      "Write it at full size with zeros, so that any tool loads it; also of a compact model");
  app->add_option("--mode", s.how,
                  "exact; study: a layer without heads loses its bias; study_reloaded: also layers "
                  "with half their heads lose the others")
      ->transform(one_of(modes))
      ->default_str("exact");
  app->add_option("--probes", s.probes,
                  "Also write random ids and the saved model's logits to this safetensors file");
  counted(app, "--tokens", s.tokens, "Tokens of the sequences that FLOPs are stated for");
  counted(app, "--repetitions", s.repetitions, "Passes that the latency is the median of");
  add_threads(app, o.common);
  add_common(app, o.common);
  app->callback([&o] { compact(o.settings, o.common); });
}

}  // namespace tombola::driver
