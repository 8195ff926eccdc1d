#include "tombola/analysis/mask_table.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include "tests/analysis/fabricated.hpp"
#include "tests/support/catch.hpp"

#include "tombola/analysis/report_input.hpp"
#include "tombola/io/npy.hpp"
#include "tombola/io/ticket_file.hpp"

using namespace tombola;
using namespace tombola::analysis;
using tombola::test::temporary_folder;
using tombola::test::write_text;

namespace {

struct scratch {
  temporary_folder folder;
  std::filesystem::path table = folder.path() / "masks.csv";

  void array(const std::string& name,
             const std::vector<std::size_t>& extents,
             const std::vector<int>& bits) const {
    std::filesystem::create_directories((folder.path() / name).parent_path());
    io::write_mask_npy(folder.path() / name, extents, mask::from_values(bits),
                       io::mask_number::uint8);
  }
  std::vector<ticket_set> read(const std::string& text) const {
    write_text(table, text);
    return read_mask_table(table);
  }
  std::string refused(const std::string& text) const {
    write_text(table, text);
    try {
      (void)read_mask_table(table);
    } catch (const error& e) {
      std::string s = e.what();
      const std::string here = folder.path().string() + "/";
      for (auto at = s.find(here); at != s.npos; at = s.find(here)) s.erase(at, here.size());
      return s;
    }
    return "(nothing was thrown)";
  }
};

}  // namespace

TEST_CASE("a table maps files to sets, tasks and seeds") {
  const scratch s;
  s.array("one/head_mask.npy", {2, 2}, {1, 0, 1, 1});
  s.array("one/mlp_mask.npy", {2}, {0, 1});
  s.array("h2.npy", {2, 2}, {1, 1, 1, 1});
  ticket t{{{"heads", {2, 2}}, {"mlps", {2}}}};
  t.set(0, 3, false);
  io::write_ticket(s.folder.path() / "t.safetensors", t);
  const auto sets = s.read(
      "note,file,task,seed,set\n"
      "x,t.safetensors,RTE,12,good\n"
      "x,one/head_mask.npy,RTE,3,good\n"
      "x," +
      (s.folder.path() / "one/mlp_mask.npy").string() +
      ",RTE,3,good\n"
      "x,h2.npy,MRPC,1,\"other, one\"\n");
  REQUIRE(sets.size() == 2);
  CHECK(sets[0].name == "good");
  CHECK(sets[1].name == "other, one");
  CHECK(sets[1].tasks.at(0).seeds.at(0).value.groups()[0] == group{"mask", {2, 2}});
  REQUIRE(sets[0].tasks.size() == 1);
  const auto& seeds = sets[0].tasks[0].seeds;
  REQUIRE(seeds.size() == 2);
  CHECK(seeds[0].seed == "3");  // by number, not by row
  CHECK(seeds[1].seed == "12");
  CHECK(seeds[0].value.at("heads").count() == 3);
  CHECK(seeds[0].value.at("mlps").count() == 1);
  CHECK(seeds[0].files.size() == 2);
  CHECK(seeds[0].value.origin.task == "RTE");
  CHECK(seeds[1].value.at("heads").count() == 3);
  CHECK(s.read("file,task,seed\nh2.npy,a,1\n")[0].name == "masks");
  const auto grouped = s.read("file,task,seed,group\nh2.npy,a,1,x\none/mlp_mask.npy,a,1,\n");
  CHECK(grouped[0].tasks[0].seeds[0].value.groups()[0].name == "x");
  CHECK(grouped[0].tasks[0].seeds[0].value.groups()[1].name == "mlps");
}

TEST_CASE("a table makes a report") {
  const scratch s;
  s.array("a.npy", {3}, {1, 0, 1});
  s.array("b.npy", {3}, {1, 1, 0});
  write_text(s.table, "file,task,seed\na.npy,t,1\nb.npy,t,2\n");
  const report_input in = read_report_input(s.table);
  CHECK(in.sets.size() == 1);
  REQUIRE(in.files.size() == 2);
  CHECK(in.files[1].name == "masks, t, seed 2");
  CHECK(in.important.empty());
  CHECK_FALSE(in.published);
}

TEST_CASE("a table that cannot be read says where") {
  const scratch s;
  s.array("a.npy", {3}, {1, 0, 1});
  s.array("b/a.npy", {3}, {1, 0, 1});
  s.array("long.npy", {4}, {1, 0, 1, 1});
  CHECK(s.refused("file,task\na.npy,t\n") == "masks.csv: has no column 'seed', but 'file', 'task'");
  CHECK(s.refused("file,task,seed\n") == "masks.csv: names no file, expected one in each row");
  CHECK(s.refused("file,task,seed\n,t,1\n") ==
        "masks.csv: line 2: an empty file name, expected a file of masks");
  CHECK(s.refused("file,task,seed\n\x1B[31m,t,1\n") ==
        "masks.csv: line 2: the file name '?[31m' has control characters, expected none");
  CHECK(s.refused("file,task,seed\na.npy,t,one\n") ==
        "masks.csv: line 2, column 'seed': 'one', expected a whole number of 64 bits from 0 up");
  CHECK(s.refused("file,task,seed\na.npy,t,1\nb/a.npy,t,1\n") ==
        "masks.csv: line 3: b/a.npy has a group 'mask' that a.npy or a file after it has too, for "
        "one "
        "task and seed; a column 'group' can tell arrays apart");
  CHECK(s.refused("file,task,seed\na.npy,t,1\nlong.npy,t,2\n")
            .starts_with("long.npy: does not fit a.npy: "));
  CHECK(s.refused("file,task,seed\na.npy,t,1\na.npy,,2\n") ==
        "masks.csv: line 3: an empty task, expected the name of one");
  CHECK(s.refused("file,task,seed\na.npy,t,1\nnone.npy,t,2\n")
            .starts_with("masks.csv: line 3: none.npy: cannot be opened"));
  write_text(s.folder.path() / "x.txt", "not a mask");
  CHECK(s.refused("file,task,seed\nx.txt,t,1\n").starts_with("masks.csv: line 2: x.txt: "));
}
