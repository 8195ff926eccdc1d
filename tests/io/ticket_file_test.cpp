#include "tombola/io/ticket_file.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

ticket example() {
  ticket t{{{"heads", {3, 4}}, {"mlps", {3}}, {"w/\"q\"", {5, 13}}, {"whole", {}}, {"none", {0}}}};
  t.set(0, 1, false);
  t.set(0, 11, false);
  t.set(1, 0, false);
  for (std::size_t i = 0; i < 65; i += 2) t.set(2, i, false);
  t.origin = {.task = "SST-2",
              .seed = 18446744073709551615U,
              .criterion = "cumulative",
              .search = "mode study, guard 0.9",
              .kind = "good",
              .parent = "",
              .model = "m \xC3\xA9",
              .data = "d"};
  return t;
}

/// A ticket file put together by hand: one group `g` of six units, 0b00101101 unless told
/// otherwise.
struct by_hand {
  std::map<std::string, std::string> metadata{{"format", "tombola-ticket"},
                                              {"version", "1"},
                                              {"groups", R"([{"name": "g", "extents": [2, 3]}])"},
                                              {"provenance", R"({"task": "RTE"})"}};
  std::vector<std::uint8_t> bits{0x2D};
  io::dtype type = io::dtype::u8;
  std::vector<std::size_t> shape{1};
  std::string tensor = "g";

  void write(const std::filesystem::path& path) const {
    const io::tensor_to_write t{tensor, type, shape, std::as_bytes(std::span{bits})};
    io::write_safetensors(path, std::span{&t, 1}, metadata);
  }
  by_hand with(const std::string& key, const std::string& value) const {
    by_hand other = *this;
    other.metadata[key] = value;
    return other;
  }
  by_hand without(const std::string& key) const {
    by_hand other = *this;
    other.metadata.erase(key);
    return other;
  }
};

}  // namespace

TEST_CASE("ticket file: what is written is read back") {
  const scratch_folder folder;
  const auto path = folder / "t.safetensors";
  const ticket t = example();
  io::write_ticket(path, t);
  CHECK(io::read_ticket(path) == t);
  const ticket plain;
  io::write_ticket(path, plain);
  CHECK(io::read_ticket(path) == plain);
  // The same ticket gives the same bytes.
  io::write_ticket(folder / "a", t);
  io::write_ticket(folder / "b", t);
  CHECK(get(folder / "a") == get(folder / "b"));
}

TEST_CASE("ticket file: bit i is bit i % 8 of byte i / 8") {
  const scratch_folder folder;
  const auto path = folder / "t.safetensors";
  by_hand{}.write(path);
  const ticket t = io::read_ticket(path);
  CHECK(t.groups()[0] == group{"g", {2, 3}});
  CHECK(t[0] == mask::from_values(std::vector<int>{1, 0, 1, 1, 0, 1}));
  provenance expected;
  expected.task = "RTE";
  CHECK(t.origin == expected);
  io::write_ticket(path, ticket{{{"g", {10}}}});
  const io::safetensors_file file{path};
  CHECK(io::to_doubles(file.at("g")) == std::vector<double>{255, 3});
}

TEST_CASE("ticket file: what is malformed is refused, each with its sentence") {
  const scratch_folder folder;
  const auto path = folder / "t.safetensors";
  const auto refused = [&](const by_hand& file) {
    file.write(path);
    return sentence<format_error>([&] { (void)io::read_ticket(path); }, path.string());
  };
  const by_hand good;
  CHECK(refused(good.without("format")) == ": names no format, expected 'tombola-ticket'");
  CHECK(refused(good.with("format", "pt")) == ": is of format 'pt', expected 'tombola-ticket'");
  CHECK(refused(good.with("version", "2")) == ": is of version '2' of its format, expected '1'");
  CHECK(refused(good.without("version")) == ": has no 'version' in its metadata");
  CHECK(refused(good.without("groups")) == ": has no 'groups' in its metadata");
  CHECK(refused(good.without("provenance")) == ": has no 'provenance' in its metadata");
  CHECK(refused(good.with("groups", "["))
            .starts_with(" (groups in its metadata): is not JSON: line 1, column 2: "));
  CHECK(refused(good.with("groups", "{}")) == ": found an object as its groups, expected a list");
  CHECK(refused(good.with("groups", "[]")) == ": has 1 tensors for 0 groups, expected one each");
  CHECK(refused(good.with("groups", "[3]")) ==
        ": found '3' where an object with 'name' was expected");
  CHECK(refused(good.with("groups", R"([{"name": "g"}])")) ==
        ": has no 'extents', expected a list, each a whole number of 0 or more");
  CHECK(refused(good.with("groups", R"([{"name": "g", "extents": [-1]}])")) ==
        ": 'extents' has '-1' as element 0, expected a list, each a whole number of 0 or more");
  CHECK(refused(good.with("groups", R"([{"name": "h", "extents": [6]}])")) ==
        ": has no tensor 'h'");
  CHECK(refused(good.with("groups",
                          R"([{"name": "g", "extents": [6]}, {"name": "g", "extents": [6]}])")) ==
        ": has two groups 'g', expected each name once");
  CHECK(refused(good.with("groups", R"([{"name": "g", "extents": [4294967296, 4294967296]}])")) ==
        ": group 'g' has extents (4294967296, 4294967296), whose product does not fit 64 bits");
  CHECK(refused(good.with("groups", R"([{"name": "g", "extents": [9]}])")) ==
        ": tensor 'g' is U8 (1,), expected the packed bits of 9 units, U8 (2,)");
  CHECK(refused(good.with("groups", R"([{"name": "g", "extents": [18446744073709551615]}])")) ==
        ": tensor 'g' is U8 (1,), expected the packed bits of 18446744073709551615 units, U8 "
        "(2305843009213693952,)");
  CHECK(refused(good.with("groups", R"([{"name": "g", "extents": [5]}])")) ==
        ": group 'g' of 5 units has bits set past its end, expected 0");
  CHECK(refused(good.with("provenance", "[]")) ==
        ": found a list where an object with 'task' was expected");
  CHECK(refused(good.with("provenance", R"({"seed": -1})")) ==
        ": 'seed' is '-1', expected a whole number of 0 or more");
  CHECK(refused(good.with("provenance", R"({"kind": 1})")) == ": 'kind' is '1', expected a string");
  std::string many = "[";
  for (int i = 0; i < 100001; ++i) many += "0,";
  many.back() = ']';
  CHECK(refused(good.with("groups", many)) == ": has 100001 groups, expected at most 100000");
  by_hand other = good;
  other.type = io::dtype::boolean;
  CHECK(refused(other) ==
        ": tensor 'g' is BOOL (1,), expected the packed bits of 6 units, U8 (1,)");
  other = good;
  other.shape = {1, 1};
  CHECK(refused(other) ==
        ": tensor 'g' is U8 (1, 1), expected the packed bits of 6 units, U8 (1,)");
  CHECK(sentence<input_error>([&] { (void)io::read_ticket(folder / "no"); }) ==
        (folder / "no").string() + ": cannot be opened for reading: No such file or directory");
}

TEST_CASE("ticket file: what cannot be written is refused and leaves no file") {
  const scratch_folder folder;
  const auto path = folder / "t";
  const auto refused = [&](const ticket& t) {
    return sentence<input_error>([&] { io::write_ticket(path, t); }, path.string());
  };
  ticket t = example();
  t.origin.task = "\xFF";
  CHECK(refused(t).starts_with(": cannot be written as JSON: "));
  CHECK(refused(ticket{{{"__metadata__", {2}}}}) == ": the tensor name '__metadata__' is taken");
  std::vector<group> groups;
  for (int i = 0; i < 100001; ++i) groups.push_back({std::to_string(i), {1}});
  CHECK(refused(ticket{groups}) == ": a ticket of 100001 groups, expected at most 100000");
  groups.pop_back();
  const ticket most{groups};
  io::write_ticket(path, most);
  CHECK((io::read_ticket(path) == most));
}

TEST_CASE("fingerprint: of groups and bits, not of provenance") {
  ticket t = example();
  const std::string print = io::fingerprint(t);
  CHECK(print.size() == 64);
  t.origin = {};
  CHECK(io::fingerprint(t) == print);
  t.set(0, 0, false);
  CHECK(io::fingerprint(t) != print);
  t.set(0, 0, true);
  CHECK(io::fingerprint(t) == print);
  const std::vector<std::vector<group>> alike{{{"g", {2, 3}}},          {{"g", {6}}},
                                              {{"g", {3, 2}}},          {{"gh", {6}}},
                                              {{"g", {3}}, {"h", {3}}}, {{"h", {3}}, {"g", {3}}},
                                              {{"g", {6, 1}}},          {}};
  std::map<std::string, std::size_t> seen;
  for (const auto& groups : alike) ++seen[io::fingerprint(ticket{groups})];
  CHECK(seen.size() == alike.size());
  // The documented bytes, hashed by hand; tickets of other programs must agree with it.
  const auto number = [](std::uint64_t n) { return bytes_of(n); };
  const ticket one{{{"heads", {2, 5}}}};
  CHECK(io::fingerprint(one) == io::sha256_hex("tombola-ticket" + number(1) + number(5) + "heads" +
                                               number(2) + number(2) + number(5) + "\xFF\x03"));
}
