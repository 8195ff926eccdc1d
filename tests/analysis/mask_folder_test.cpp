#include "tombola/analysis/mask_folder.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include "tests/analysis/fabricated.hpp"
#include "tests/support/catch.hpp"

#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/io/npy.hpp"

using namespace tombola;
using namespace tombola::analysis;

namespace {

void put(const std::filesystem::path& folder,
         std::vector<int> heads,
         std::vector<int> mlps,
         std::vector<std::size_t> shape = {2, 2}) {
  std::filesystem::create_directories(folder);
  if (!heads.empty())
    io::write_mask_npy(folder / "head_mask.npy", shape, mask::from_values(heads),
                       io::mask_number::float32);
  if (!mlps.empty())
    io::write_mask_npy(folder / "mlp_mask.npy", {mlps.size()}, mask::from_values(mlps),
                       io::mask_number::float32);
}

std::string refusal(const std::filesystem::path& folder) {
  try {
    static_cast<void>(read_mask_sets(folder));
  } catch (const format_error& e) {
    const std::string what = e.what();
    REQUIRE(what.starts_with(folder.string()));
    return what.substr(folder.string().size());
  }
  return "accepted";
}

}  // namespace

TEST_CASE("masks in the study's layout: tasks by name, seeds by number") {
  const test::temporary_folder dir;
  put(dir.path() / "RTE/seed_1337", {1, 0, 0, 1}, {1, 0});
  put(dir.path() / "RTE/seed_42", {1, 1, 1, 1}, {0, 0});
  put(dir.path() / "CoLA/seed_42", {0, 0, 0, 0}, {1, 1});
  std::filesystem::create_directories(dir.path() / "RTE/seed_x");
  std::filesystem::create_directories(dir.path() / "notes");
  const auto sets = read_mask_sets(dir.path());
  REQUIRE(sets.size() == 1);
  CHECK(sets[0].name == dir.path().filename().string());
  REQUIRE(sets[0].tasks.size() == 2);
  CHECK(sets[0].tasks[0].task == "CoLA");
  REQUIRE(sets[0].tasks[1].seeds.size() == 2);
  CHECK(sets[0].tasks[1].seeds[0].seed == "42");
  const seed_ticket& s = sets[0].tasks[1].seeds[1];
  CHECK(s.seed == "1337");
  CHECK(s.value.at("heads") == mask::from_values(std::vector<int>{1, 0, 0, 1}));
  CHECK(s.value.groups()[0].extents == std::vector<std::size_t>{2, 2});
  CHECK(s.value.at("mlps").count() == 1);
  CHECK(s.files.size() == 2);
  CHECK(read_mask_set(dir.path() / "").name == sets[0].name);
}

TEST_CASE("a folder of several sets, and one kind of mask alone") {
  const test::temporary_folder dir;
  put(dir.path() / "heads/RTE/seed_1", {1, 0, 0, 1}, {});
  put(dir.path() / "mlps/RTE/seed_1", {}, {1, 0});
  std::filesystem::create_directories(dir.path() / "other/folder");
  const auto sets = read_mask_sets(dir.path());
  REQUIRE(sets.size() == 2);
  CHECK(sets[0].name == "heads");
  CHECK(sets[1].tasks[0].seeds[0].value.groups()[0].name == "mlps");
  CHECK(read_mask_sets(dir.path() / "other").empty());
}

TEST_CASE("masks that do not fit are named") {
  const test::temporary_folder dir;
  put(dir.path() / "RTE/seed_1", {1, 0, 0, 1}, {1, 0});
  put(dir.path() / "RTE/seed_2", {1, 0, 0, 1}, {1, 0}, {1, 4});
  CHECK(refusal(dir.path()) == "/RTE/seed_2/head_mask.npy: does not fit " +
                                   (dir.path() / "RTE/seed_1/head_mask.npy").string() +
                                   ": tickets differ in group 0: heads (2 x 2) and heads (1 x 4)");
  put(dir.path() / "RTE/seed_2", {1, 0, 0, 1}, {1, 0}, {4});
  CHECK(refusal(dir.path()) ==
        "/RTE/seed_2/head_mask.npy: has shape (4,), expected layers x heads");
  std::filesystem::remove(dir.path() / "RTE/seed_2/head_mask.npy");
  std::filesystem::remove(dir.path() / "RTE/seed_2/mlp_mask.npy");
  CHECK(refusal(dir.path()) ==
        "/RTE/seed_2: has neither head_mask.npy nor mlp_mask.npy, expected one at least");
  test::write_text(dir.path() / "RTE/seed_2/head_mask.npy", "nonsense");
  CHECK(refusal(dir.path()).starts_with("/RTE/seed_2/head_mask.npy: "));
}
