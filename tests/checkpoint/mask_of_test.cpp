#include "tombola/checkpoint/mask_of.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "tests/checkpoint/fabricated.hpp"

#include "tombola/checkpoint/structures.hpp"
#include "tombola/io/ticket_file.hpp"

using namespace tombola;
using namespace tombola::test;
using checkpoint::choose;
using checkpoint::source;
using io::dtype;
using strings = std::vector<std::string>;

namespace {

/// Tensors of all floating types; the longer ones take several pieces and end within a word.
std::vector<made_tensor> all_types() {
  return {{"f64", dtype::f64, {311, 321}, quarters(311 * 321, 1)},
          {"f32", dtype::f32, {7, 30001}, quarters(7 * 30001, 2)},
          {"f16", dtype::f16, {401, 3, 331}, quarters(401 * 3 * 331, 3)},
          {"bf16", dtype::bf16, {1, 5}, quarters(5, 4)},
          {"flat", dtype::f32, {65}, quarters(65, 5)},
          {"none", dtype::f32, {0, 4}, {}}};
}

mask nonzero(const std::vector<double>& values) {
  mask m{values.size()};
  for (std::size_t i = 0; i < values.size(); ++i) m.set(i, values[i] != 0.0);
  return m;
}

}  // namespace

TEST_CASE("the ticket of what is not zero, whatever the type and the threads") {
  const scratch_folder folder;
  const auto tensors = all_types();
  write_checkpoint(folder / "m.safetensors", tensors);
  const source s{folder / "m.safetensors"};
  const auto all = choose(s, strings{"*"}).chosen;
  for (const std::size_t threads : {1U, 2U, 3U, 8U}) {
    std::uint64_t last = 0, of = 0;
    const ticket t =
        checkpoint::mask_of(s, all, {threads, [&](std::uint64_t done, std::uint64_t bytes) {
                                       CHECK(done >= last);
                                       last = done, of = bytes;
                                     }});
    REQUIRE(t.groups().size() == tensors.size());
    for (const made_tensor& made : tensors) {
      const auto g = static_cast<std::size_t>(
          std::find_if(t.groups().begin(), t.groups().end(),
                       [&](const group& x) { return x.name == made.name; }) -
          t.groups().begin());
      CHECK(t.groups()[g].extents == made.shape);
      CHECK(t[g] == nonzero(made.values));
    }
    CHECK(last > 0);
    CHECK(of == 8 * 311 * 321 + 4 * 7 * 30001 + 2 * 401 * 3 * 331 + 2 * 5 + 4 * 65);
    const auto kept = checkpoint::write_mask_of(s, all, folder / "t.safetensors", {threads, {}});
    const ticket back = io::read_ticket(folder / "t.safetensors");
    CHECK(back.origin == t.origin);
    REQUIRE_NOTHROW(require_same_groups(back, t));
    for (std::size_t g = 0; g < t.groups().size(); ++g) {
      CHECK(back[g] == t[g]);
      CHECK(kept[g] == t[g].count());
    }
  }
}

TEST_CASE("a mask beside weights says what is kept, and must be of 0 and 1") {
  const scratch_folder folder;
  const auto file = folder / "m.safetensors";
  const std::vector<double> weights{0, 1, 2, 3, 4, 5};
  for (const dtype type : {dtype::f32, dtype::bf16, dtype::u8, dtype::boolean}) {
    write_checkpoint(file, {{"w_orig", dtype::f32, {2, 3}, weights},
                            {"w_mask", type, {2, 3}, {1, 0, 1, 1, 0, 0}}});
    const source s{file};
    const ticket t = checkpoint::mask_of(s, choose(s).chosen);
    CHECK(t.groups()[0].name == "w");
    CHECK(t[0] == mask::from_values(std::vector<int>{1, 0, 1, 1, 0, 0}));
  }
  write_checkpoint(file, {{"w_orig", dtype::f32, {2, 3}, weights},
                          {"w_mask", dtype::f32, {2, 3}, {1, 0, 1, 1, 0.5, 0}}});
  const source s{file};
  CHECK(sentence_of(folder.path(), [&] { (void)checkpoint::mask_of(s, choose(s).chosen); }) ==
        "m.safetensors: mask 'w_mask' has 0.5 as element 4, expected 0 or 1");
  CHECK(sentence_of(folder.path(), [&] {
          checkpoint::write_mask_of(s, choose(s).chosen, folder / "t.safetensors");
        }) != "");
  CHECK_FALSE(std::filesystem::exists(folder / "t.safetensors"));
  CHECK(folder.names() == strings{"m.safetensors"});
}

TEST_CASE("who watches a pass can end it") {
  const scratch_folder folder;
  write_checkpoint(folder / "m.safetensors", all_types());
  const source s{folder / "m.safetensors"};
  const auto all = choose(s).chosen;
  for (const std::size_t threads : {1U, 2U}) {
    CHECK_THROWS_WITH(
        checkpoint::write_mask_of(
            s, all, folder / "t.safetensors",
            {threads, [](std::uint64_t, std::uint64_t) { throw runtime_failure("enough"); }}),
        "enough");
  }
  CHECK(folder.names() == strings{"m.safetensors"});
}

TEST_CASE("the structure of a checkpoint is that of its ticket") {
  const scratch_folder folder;
  auto tensors = all_types();
  for (std::size_t i = 0; i < 30001; ++i) tensors[1].values[3 * 30001 + i] = 0;  // an empty row
  for (std::size_t r = 0; r < 311; ++r) tensors[0].values[r * 321 + 17] = 0;     // a column
  write_checkpoint(folder / "m.safetensors", tensors);
  const source s{folder / "m.safetensors"};
  const auto all = choose(s, strings{"*"}).chosen;
  const ticket t = checkpoint::mask_of(s, all);
  for (const std::size_t threads : {1U, 2U, 5U}) {
    for (const n_of_m pattern : {n_of_m{2, 4}, n_of_m{1, 3}, n_of_m{1, 1}}) {
      const auto found = checkpoint::structures_of(s, all, pattern, {threads, {}});
      for (std::size_t g = 0; g < all.size(); ++g) {
        INFO(all[g].group.name);
        const structure expected = structure_of(t.groups()[g], t[g], pattern);
        CHECK(found[g].kept == t[g].count());
        CHECK(found[g].size == t[g].size());
        CHECK(found[g].empty_rows == expected.empty_rows);
        CHECK(found[g].empty_columns == expected.empty_columns);
        CHECK(found[g].blocks == expected.blocks);
        CHECK(found[g].fitting_blocks == expected.fitting_blocks);
        if (all[g].group.name == "f32") CHECK(found[g].empty_rows == 1U);
        if (all[g].group.name == "f64") CHECK(found[g].empty_columns == 1U);
      }
    }
  }
}
