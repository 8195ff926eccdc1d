#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/io/malformed.hpp"

#include "tombola/io/ticket_file.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

using metadata = std::map<std::string, std::string>;

const metadata good{{"format", "tombola-ticket"},
                    {"version", "1"},
                    {"groups", R"([{"name": "heads", "extents": [2, 5]}])"},
                    {"provenance", R"({"task": "RTE", "seed": 7})"}};

/// A file with one tensor `heads` and this metadata.
std::string file_of(const metadata& about,
                    const std::vector<std::uint8_t>& bits = {0xFF, 0x03},
                    io::dtype type = io::dtype::u8) {
  const scratch_folder folder;
  const io::tensor_to_write t{"heads", type, {bits.size()}, std::as_bytes(std::span{bits})};
  io::write_safetensors(folder / "x", std::span{&t, 1}, about);
  return get(folder / "x");
}

std::string with(const std::string& key, const std::string& value) {
  metadata changed = good;
  changed[key] = value;
  return file_of(changed);
}

std::string without(const std::string& key) {
  metadata changed = good;
  changed.erase(key);
  return file_of(changed);
}

/// The good file with this JSON for its group's extents.
std::string extents(const std::string& list) {
  return with("groups", R"([{"name": "heads", "extents": )" + list + "}]");
}

void read_it(const std::filesystem::path& path) {
  (void)io::read_ticket(path);
}

}  // namespace

TEST_CASE("malformed tickets: what they say about themselves") {
  refuse_each(
      {
          {file_of({}), ": names no format, expected 'tombola-ticket'"},
          {with("format", "Tombola-Ticket"),
           ": is of format 'Tombola-Ticket', expected 'tombola-ticket'"},
          {with("version", "1.0"), ": is of version '1.0' of its format, expected '1'"},
          {without("version"), ": has no 'version' in its metadata"},
          {without("groups"), ": has no 'groups' in its metadata"},
          {without("provenance"), ": has no 'provenance' in its metadata"},
          {with("groups", "[\n3,]"), " (groups in its metadata): is not JSON: line 2, column 3: *"},
          {with("provenance", ""),
           " (provenance in its metadata): is not JSON: line 1, column 1: *"},
          {with("groups", std::string(65, '[')),
           " (groups in its metadata): JSON is nested more than 64 levels deep"},
          {with("provenance", R"({"seed": 1, "seed": 2})"),
           " (provenance in its metadata): JSON object has the key 'seed' twice"},
          {with("provenance", R"({"seed": 1e400})"),
           " (provenance in its metadata): is not JSON that can be used: *"},
          {with("provenance", "\"RTE\""),
           ": found '\"RTE\"' where an object with 'task' was expected"},
          {with("provenance", R"({"task": 3})"), ": 'task' is '3', expected a string"},
          {with("provenance", R"({"kind": ["good"]})"), ": 'kind' is a list, expected a string"},
          {with("provenance", R"({"search": true})"), ": 'search' is 'true', expected a string"},
          {with("provenance", R"({"seed": "7"})"),
           ": 'seed' is '\"7\"', expected a whole number of 0 or more"},
          {with("provenance", R"({"seed": 1.5})"),
           ": 'seed' is '1.5', expected a whole number of 0 or more"},
          {with("provenance", R"({"seed": -7})"),
           ": 'seed' is '-7', expected a whole number of 0 or more"},
          {with("provenance", R"({"seed": 18446744073709551616})"),
           ": 'seed' is '1.8446744073709552e+19', expected a whole number of 0 or more"},
      },
      read_it);
}

TEST_CASE("malformed tickets: groups and bits") {
  const std::string whole = ", expected a list, each a whole number of 0 or more";
  refuse_each(
      {
          {with("groups", R"({"heads": [2, 5]})"),
           ": found an object as its groups, expected a list"},
          {with("groups", "null"), ": found 'null' as its groups, expected a list"},
          {with("groups", "[[2, 5]]"), ": found a list where an object with 'name' was expected"},
          {with("groups", "[\"heads\"]"),
           ": found '\"heads\"' where an object with 'name' was expected"},
          {with("groups", R"([{"extents": [2, 5]}])"), ": has no 'name', expected a string"},
          {with("groups", R"([{"name": null, "extents": [2, 5]}])"),
           ": 'name' is 'null', expected a string"},
          {with("groups", R"([{"name": "heads"}])"), ": has no 'extents'" + whole},
          {extents("10"), ": 'extents' is '10'" + whole},
          {extents("{}"), ": 'extents' is an object" + whole},
          {extents("[2, 2.5]"), ": 'extents' has '2.5' as element 1" + whole},
          {extents("[-2, -5]"), ": 'extents' has '-2' as element 0" + whole},
          {extents("[2, [5]]"), ": 'extents' has a list as element 1" + whole},
          {extents("[18446744073709551615, 2, 0]"),
           ": group 'heads' has extents (18446744073709551615, 2, 0), whose product does not fit "
           "64 "
           "bits"},
          {extents("[2, 9]"),
           ": tensor 'heads' is U8 (2,), expected the packed bits of 18 units, U8 (3,)"},
          {extents("[8]"),
           ": tensor 'heads' is U8 (2,), expected the packed bits of 8 units, U8 (1,)"},
          {file_of(good, {0xFF, 0x03}, io::dtype::i8),
           ": tensor 'heads' is I8 (2,), expected the packed bits of 10 units, U8 (2,)"},
          {file_of(good, {0xFF, 0x07}),
           ": group 'heads' of 10 units has bits set past its end, expected 0"},
          {extents("[3, 3]"), ": group 'heads' of 9 units has bits set past its end, expected 0"},
          {with("groups", "[]"), ": has 1 tensors for 0 groups, expected one each"},
          {with("groups", R"([{"name": "heads", "extents": [9]}, {"name": "b", "extents": []}])"),
           ": has 1 tensors for 2 groups, expected one each"},
          {with("groups", R"([{"name": "a", "extents": []}, {"name": "a", "extents": []}])"),
           ": has two groups 'a', expected each name once"},
          {with("groups", R"([{"name": "Heads", "extents": [10]}])"), ": has no tensor 'Heads'"},
      },
      read_it);
}

TEST_CASE("malformed tickets: cut or with a bit turned over") {
  const scratch_folder folder;
  io::write_ticket(folder / "x", ticket{{{"heads", {2, 5}}, {"mlps", {3}}}});
  const std::string whole = get(folder / "x");
  const auto t = damage_each(whole, [&](const auto& path) {
    const ticket read = io::read_ticket(path);
    CHECK(read.groups().size() == 2);
    CHECK(read.count() <= read.size());
    CHECK(std::filesystem::file_size(path) == whole.size());  // no cut file comes this far
  });
  CHECK(t.read > 0);
  CHECK(t.refused > 5 * t.read);
}
