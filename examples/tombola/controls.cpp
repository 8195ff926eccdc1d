// controls: the random, bad and super tickets that good ones are held against.

#include "tombola/prune/controls.hpp"

#include <algorithm>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "examples/tombola/json_line.hpp"
#include "examples/tombola/mask_commands.hpp"
#include "examples/tombola/mask_files.hpp"
#include "examples/tombola/read_weights.hpp"
#include "examples/tombola/study_controls.hpp"
#include <fmt/format.h>

#include "tombola/experiment/ticket_fits.hpp"
#include "tombola/experiment/ticket_summary.hpp"
#include "tombola/io/ticket_file.hpp"
#include "tombola/nn/config_file.hpp"
#include "tombola/prune/super_controls.hpp"

namespace tombola::driver {

namespace {

/// A control, and whether it prunes the same as the ticket that it is to be held against: then a
/// comparison of the two says nothing.
struct made {
  ticket value;
  bool same = false;
};

made held_against(const ticket& other, ticket t) {
  const bool same = std::ranges::equal(t.masks(), other.masks());
  return {std::move(t), same};
}

/// What several tickets have in common, and its opposites, which are held against it.
made make_of_all(const controls_options& o) {
  const auto files = mask_files_of(o.tickets);
  // What survives in one ticket is the ticket itself: its opposites are those that `bad` and
  // `random` make.
  if (files.size() < 2) {
    throw input_error("controls: found 1 ticket for kind " + o.kind + ", expected at least 2");
  }
  const std::vector<ticket> all = read_masks(files);
  ticket super = super_of(all);
  if (o.kind == "super") return {std::move(super), false};
  return held_against(
      super, o.kind == "bizzaro" ? super_bad_of(all, o.seed) : super_random_of(all, o.seed));
}

ticket bad_weights(const controls_options& o, const ticket& given, const std::string& parent) {
  if (o.model.empty()) {
    throw input_error("controls: the bad ticket of weights needs their values, expected --model");
  }
  const nn::bert_config config = nn::read_config(o.model);
  const ticket good = experiment::with_parameter_names(given, *config.family);
  const std::vector<group> groups{good.groups().begin(), good.groups().end()};
  experiment::require_ticket_fits(good, o.tickets.front(), config, o.model);
  const auto values = read_weights(o.model, groups);
  std::vector<weight_span> spans;
  for (std::size_t g = 0; g < groups.size(); ++g) spans.push_back({groups[g], values[g]});
  return bad_weights_like(good, spans, parent);
}

made make_of_one(const controls_options& o) {
  if (o.tickets.size() != 1) {
    throw input_error("controls: " + std::to_string(o.tickets.size()) + " tickets, expected one");
  }
  const ticket good = read_masks(o.tickets.front());
  const std::string parent = io::fingerprint(good);
  // Arrays do not say what their units are; tickets of weights do.
  const bool weights =
      good.groups().front().name != "mask" && experiment::family_of(good) == "weights";
  const auto draw = [&] {
    if (o.kind == "layers") return random_in_layers_like(good, o.seed, parent);
    if (o.kind == "inverted") return inverted_like(good, parent);
    if (o.kind == "random") {
      return weights ? random_in_all(good, o.seed, parent) : random_like(good, o.seed, parent);
    }
    return weights ? bad_weights(o, good, parent) : bad_like(good, o.seed, parent);
  };
  return held_against(good, draw());
}

}  // namespace

void controls(const controls_options& o, const common_options& c) {
  if (o.mode == controls_options::source::study) {
    study_controls(o, c);
    return;
  }
  const bool of_all = o.kind == "super" || o.kind == "bizzaro" || o.kind == "midling";
  const auto [t, same] = of_all ? make_of_all(o) : make_of_one(o);
  write_masks(o.out, t, io::mask_number::float32);
  const std::string other = of_all ? "the super ticket" : "the ticket it was drawn from";
  if (same && !c.quiet && !c.json) {
    std::cerr << "controls: this " << t.origin.kind << " ticket keeps the same units as " << other
              << "; there is nothing to compare\n";
  }
  nlohmann::json j = experiment::ticket_json(t, o.out.string());
  if (o.kind != "super") j["same_as_given"] = same;
  if (c.json) {
    std::cout << json_line(j);
    return;
  }
  std::cout << fmt::format("{} ticket: keeps {} of {} units\n{}\n", t.origin.kind, t.count(),
                           t.size(), o.out.string());
}

}  // namespace tombola::driver
