// Tickets.

#include "tombola/core/ticket.hpp"

#include <vector>

#include "tests/fuzz/safetensors_mutator.hpp"
#include "tests/fuzz/support.hpp"

#include "tombola/io/ticket_file.hpp"

using namespace tombola;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& path = fuzz::as_file(fuzz::text_of(data, size));
  const auto read = fuzz::accepted([&] { return io::read_ticket(path); });
  if (!read) return 0;
  for (const mask& m : read->masks()) fuzz::check_mask(m);
  const auto again = fuzz::scratch() / "again.safetensors";
  io::write_ticket(again, *read);
  const ticket same = io::read_ticket(again);
  fuzz::hold(same == *read, "a ticket survives writing and reading");
  fuzz::hold(io::fingerprint(same) == io::fingerprint(*read), "one ticket has one fingerprint");
  return 0;
}

void fuzz::make_seeds(seeds& to) {
  const auto file = [](const ticket& t) {
    return written([&](const auto& path) { io::write_ticket(path, t); });
  };
  to.add(file({}));
  ticket t{{{"heads", {3, 4}}, {"mlps", {3}}, {"one", {}}, {"none", {0, 5}}}};
  to.add(file(t));
  t.set(0, 5, false);
  t.set(1, 0, false);
  t.origin = {.task = "SST-2",
              .seed = 3,
              .criterion = "magnitude",
              .search = "mode standard, guard 0.9",
              .kind = "good",
              .parent = "00",
              .model = "11",
              .data = "22"};
  const std::string full = file(t);
  to.add(full);
  to.add(full, "tombola-ticket", "tombola-trace ");
  to.add(full, R"("version":"1")", R"("version":"2")");
  to.add(full, "[3,4]", "[4,3]");
  to.add(full, "[3,4]", "[4,4]");
  to.add(full, "heads", "he\\n\\t");
  to.add(file(ticket{{{"a name, \xC3\xA4 and \x1B[31m", {65}}}}));
  to.words({"__metadata__",
            "tombola-ticket",
            "format",
            "version",
            "groups",
            "provenance",
            "\"name\":",
            "\"extents\":",
            "\"task\":",
            "\"seed\":",
            "\"criterion\":",
            "\"search\":",
            "\"kind\":",
            "\"parent\":",
            "\"model\":",
            "\"data\":",
            "[]",
            "{}",
            "null",
            "18446744073709551615",
            "4294967296",
            "\"\\u001b\"",
            "\\\"",
            "\"dtype\":\"U8\"",
            "\"shape\":",
            "\"data_offsets\":"});
}
