// Archives that nobody should unpack, and those that are fine.

#include "tombola/fetch/unpack.hpp"

#include <filesystem>

#include "tests/fetch/archives.hpp"
#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

#include "tombola/fetch/mrpc.hpp"

using namespace tombola;
using namespace tombola::test;
namespace fs = std::filesystem;

namespace {

struct rig {
  scratch_folder here;
  fs::path archive = here / "a.zip", folder = here / "out";

  rig() { fs::create_directory(folder); }

  std::vector<std::string> unpack(const std::vector<made_member>& members,
                                  const std::string& inside = "",
                                  const std::vector<std::string>& wanted = {}) const {
    put(archive, archive_of(members));
    return fetch::unpack(archive, "a.zip", inside, wanted, folder);
  }
  [[nodiscard]] std::string refused(const std::vector<made_member>& members,
                                    const std::string& inside = "",
                                    const std::vector<std::string>& wanted = {}) const {
    return sentence<format_error>([&] { unpack(members, inside, wanted); }, "a.zip: ");
  }
};

const std::vector<made_member> good{{"T/", "", 040755, false},
                                    {"T/train.tsv", std::string(100'000, 'x')},
                                    {"T/more/dev.tsv", "dev", 0100600, false},
                                    {"T/\x01odd", "odd"},
                                    {"T/./a\\b", "odd"},
                                    {"empty", "", 0}};

}  // namespace

TEST_CASE("an archive is unpacked whole, or the members that are wanted") {
  const rig r;
  std::vector<made_member> plain = good;
  plain.erase(plain.begin() + 3, plain.begin() + 5);
  CHECK(r.unpack(plain) == std::vector<std::string>{"T/train.tsv", "T/more/dev.tsv", "empty"});
  CHECK((get(r.folder / "T/train.tsv") == std::string(100'000, 'x')));
  CHECK(get(r.folder / "T/more/dev.tsv") == "dev");
  CHECK(fs::file_size(r.folder / "empty") == 0);

  const rig some;
  // Names that are only odd do not hinder others.
  CHECK(some.unpack(good, "T", {"more/dev.tsv"}) == std::vector<std::string>{"more/dev.tsv"});
  CHECK(get(some.folder / "more/dev.tsv") == "dev");
  CHECK_FALSE(fs::exists(some.folder / "train.tsv"));
  CHECK(some.refused(good, "T", {"test.tsv"}) == "holds no 'T/test.tsv', expected it");
}

TEST_CASE("a member that leads out of the folder has the archive refused, wanted or not") {
  const std::string climbs = "', whose path climbs out of the folder";
  const std::string absolute = "', whose path is absolute";
  const std::string link = "', which is a link or device, expected files alone";
  const std::vector<std::pair<made_member, std::string>> bad{{{"../x", "x"}, climbs},
                                                             {{"..", "x"}, climbs},
                                                             {{"a/../../x", "x"}, climbs},
                                                             {{"a/..", "x"}, climbs},
                                                             {{"T/../x", "x"}, climbs},
                                                             {{"/etc/x", "x"}, absolute},
                                                             {{"/", "", 0, false}, absolute},
                                                             {{"l", "/etc", 0120777, false}, link},
                                                             {{"T/p", "", 0010644, false}, link}};
  for (const auto& [member, why] : bad) {
    const rig r;
    INFO(member.name);
    std::vector<made_member> members = good;
    members.push_back(member);
    CHECK(r.refused(members, "T", {"train.tsv"}) == "holds '" + member.name + why);
    CHECK(r.refused({member}) == "holds '" + member.name + why);
    CHECK(fs::is_empty(r.folder));
    CHECK(r.here.names().size() == 2);
  }
}

TEST_CASE("members that cannot be files are refused where they are wanted") {
  for (const std::string& name :
       {std::string{"a//b"}, std::string{"./a"}, std::string{"a\\b"}, std::string{"a\nb"},
        std::string{"\xC2\x9B"}, std::string{""}, std::string(2000, 'a')}) {
    const rig r;
    const std::string why = r.refused({{name, "x"}});
    INFO(name << why);
    CHECK(why.ends_with("expected a path of plain names with / between them"));
    CHECK(fs::is_empty(r.folder));
  }
  const rig r;
  CHECK(r.refused({{"a", "x"}, {"a/b", "x"}}) ==
        "holds 'a/b' where another member of it is a file or folder");
  const rig s;
  CHECK(s.refused({{"a/b", "x"}, {"a", "x"}}) ==
        "holds 'a' where another member of it is a file or folder");
}

TEST_CASE("damaged members are refused") {
  const rig r;
  for (const bool deflated : {false, true}) {
    std::string bytes = archive_of({{"a", std::string(1000, 'x') + "y", 0, deflated}});
    const std::size_t at = deflated ? 30 + 1 + 4 : bytes.find('y');
    bytes[at] = static_cast<char>(bytes[at] ^ 4);
    put(r.archive, bytes);
    const std::string why = sentence<format_error>(
        [&] { fetch::unpack(r.archive, "a.zip", "", {}, r.folder); }, "a.zip: holds 'a'");
    CHECK((why == " damaged: its checksum is another" || why.find("unpack") != why.npos ||
           why.find("broken") != why.npos));
    CHECK(fs::is_empty(r.folder));
  }
  put(r.archive, "PK\3\4");
  CHECK(sentence<format_error>([&] { fetch::unpack(r.archive, "a.zip", "", {}, r.folder); }) ==
        "a.zip: has no directory at its end, as where an archive is cut off");
}

TEST_CASE("the paraphrase corpus is split as GLUE splits it") {
  const rig r;
  const std::string names = "\xEF\xBB\xBFQuality\t#1 ID\t#2 ID\t#1 String\t#2 String";
  put(r.here / "train",
      names + "\r\n1\t10\t11\tA b.\t\"C\r\n0\t20\t21\tD\tE \r\n1\t11\t10\tF\tG\r\n");
  put(r.here / "test", names + "\r\n1\t30\t31\tH\tI\r\n0\t40\t41\tJ\tK");
  put(r.here / "ids", "20\t21\n99\t98\n");
  const auto split = [&] {
    fetch::write_mrpc(r.here / "train", r.here / "test", r.here / "ids", r.folder);
  };
  split();
  CHECK(get(r.folder / "train.tsv") == names + "\n1\t10\t11\tA b.\t\"C\n1\t11\t10\tF\tG\n");
  CHECK(get(r.folder / "dev.tsv") == names + "\n0\t20\t21\tD\tE\n");
  CHECK(get(r.folder / "test.tsv") ==
        "index\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t30\t31\tH\tI\n1\t40\t41\tJ\tK\n");

  put(r.here / "ids", "1\t2\n");
  CHECK(sentence<format_error>(split) == (r.here / "ids").string() + ": lists no pair of train");
  put(r.here / "test", names + "\n1\t30\t31\tH\n");
  put(r.here / "ids", "20\t21\n");
  CHECK(sentence<format_error>(split) ==
        (r.here / "test").string() + ": line 2: found 4 columns, expected 5");
}
