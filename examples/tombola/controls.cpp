// controls: the random, bad and super tickets that good ones are held against.

#include "tombola/prune/controls.hpp"

#include <iostream>
#include <vector>

#include "examples/tombola/mask_commands.hpp"
#include "examples/tombola/read_weights.hpp"
#include <fmt/format.h>

#include "tombola/experiment/ticket_summary.hpp"
#include "tombola/io/ticket_file.hpp"

namespace tombola::driver {

namespace {

ticket make(const controls_options& o) {
  if (o.kind == "super") {
    std::vector<ticket> all;
    for (const auto& file : o.tickets) all.push_back(io::read_ticket(file));
    return super_of(all);
  }
  if (o.tickets.size() != 1) {
    throw input_error("controls: " + std::to_string(o.tickets.size()) + " tickets, expected one");
  }
  const ticket good = io::read_ticket(o.tickets.front());
  const std::string parent = io::fingerprint(good);
  const bool weights = experiment::family_of(good) == "weights";
  if (o.kind == "random") {
    return weights ? random_in_all(good, o.seed, parent) : random_like(good, o.seed, parent);
  }
  if (!weights) return bad_like(good, o.seed, parent);
  if (o.model.empty()) {
    throw input_error("controls: the bad ticket of weights needs their values, expected --model");
  }
  const std::vector<group> groups{good.groups().begin(), good.groups().end()};
  const auto values = read_weights(o.model, groups);
  std::vector<weight_span> spans;
  for (std::size_t g = 0; g < groups.size(); ++g) spans.push_back({groups[g], values[g]});
  return bad_weights_like(good, spans, parent);
}

}  // namespace

void controls(const controls_options& o, const common_options& c) {
  ticket t = make(o);
  io::write_ticket(o.out, t);
  nlohmann::json j = experiment::ticket_json(t, o.out.string());
  if (c.json) {
    std::cout << j.dump() << '\n';
    return;
  }
  std::cout << fmt::format("{} ticket: keeps {} of {} units\n{}\n", t.origin.kind, t.count(),
                           t.size(), o.out.string());
}

}  // namespace tombola::driver
