#include "tombola/checkpoint/choose.hpp"

#include <string>
#include <vector>

#include "tests/checkpoint/fabricated.hpp"

#include "tombola/checkpoint/tied.hpp"

using namespace tombola;
using namespace tombola::test;
using checkpoint::choose;
using checkpoint::source;
using io::dtype;

namespace {

std::vector<std::string> names(const std::vector<checkpoint::weights>& all) {
  std::vector<std::string> found;
  for (const auto& w : all) found.push_back(w.group.name);
  return found;
}
using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("without patterns the matrices are chosen, with patterns what matches") {
  const scratch_folder folder;
  write_checkpoint(folder / "m.safetensors", {{"enc.0.query.weight", dtype::f32, {1, 2}, {1, 2}},
                                              {"enc.0.query.bias", dtype::f32, {2}, {1, 2}},
                                              {"enc.0.conv", dtype::f32, {1, 1, 2}, {1, 2}},
                                              {"position_ids", dtype::i64, {1, 2}, {0, 1}}});
  const source s{folder / "m.safetensors"};
  const auto all = choose(s);
  CHECK(names(all.chosen) == strings{"enc.0.query.weight", "enc.0.conv"});
  CHECK(all.flat == 1);
  CHECK(all.not_floating == 1);
  CHECK(names(choose(s, strings{"*bias"}).chosen) == strings{"enc.0.query.bias"});
  CHECK(names(choose(s, strings{"enc.?.query.*"}).chosen) ==
        strings{"enc.0.query.weight", "enc.0.query.bias"});
  CHECK(names(choose(s, strings{"*.[qk]uery.weight", "*conv"}).chosen) ==
        strings{"enc.0.query.weight", "enc.0.conv"});
  CHECK(choose(s, strings{"*"}).not_floating == 1);
  const auto refused = [&](const strings& only) {
    return sentence_of(folder.path(), [&] { (void)choose(s, only); });
  };
  CHECK(refused({"*.weight", "key"}) == "m.safetensors: no tensor matches 'key'");
  CHECK(
      refused({"position*"}) ==
      "m.safetensors: has no weights to look at among 4 tensors, expected a match in F64, F32, F16 "
      "or BF16");
}

TEST_CASE("a parameter that PyTorch's pruning has split is one group under its own name") {
  const scratch_folder folder;
  const auto file = folder / "m.safetensors";
  write_checkpoint(file, {{"a.weight_orig", dtype::f32, {2, 2}, {1, 2, 3, 4}},
                          {"a.weight_mask", dtype::f32, {2, 2}, {1, 0, 1, 1}},
                          {"b_orig", dtype::f32, {1, 2}, {1, 2}},
                          {"c_mask", dtype::f32, {1, 2}, {1, 2}}});
  const source s{file};
  const auto all = choose(s).chosen;
  CHECK(names(all) == strings{"a.weight", "b_orig", "c_mask"});
  REQUIRE(all[0].mask);
  CHECK(s.tensors()[*all[0].mask].name == "a.weight_mask");
  CHECK_FALSE(all[1].mask);

  write_checkpoint(file, {{"w", dtype::f32, {1, 2}, {1, 2}},
                          {"w_orig", dtype::f32, {1, 2}, {1, 2}},
                          {"w_mask", dtype::f32, {1, 2}, {1, 0}}});
  CHECK(sentence_of(folder.path(), [&] { (void)choose(source{file}); }) ==
        "m.safetensors: has the parameter 'w' twice, whole and with a mask beside it");
}

TEST_CASE("tensors of the same bytes are tied, those of one value and other shapes are not") {
  const scratch_folder folder;
  const auto values = quarters(100'000, 1);
  auto other = values;
  other.back() += 1.0;  // found behind the first piece alone
  write_checkpoint(folder / "m.safetensors", {{"a", dtype::f32, {1000, 100}, values},
                                              {"b", dtype::f32, {1000, 100}, other},
                                              {"c", dtype::f32, {1000, 100}, values},
                                              {"d", dtype::f32, {100, 1000}, values},
                                              {"e", dtype::f32, {2, 2}, {0, 0, 0, 0}},
                                              {"f", dtype::f32, {2, 2}, {0, 0, 0, 0}},
                                              {"g", dtype::f32, {2, 2}, {1, 1, 1, 1}},
                                              {"h", dtype::f32, {2, 2}, {1, 1, 1, 1}}});
  const source s{folder / "m.safetensors"};
  const auto tied = checkpoint::tie(s, choose(s).chosen);
  CHECK(names(tied) == strings{"a", "b", "d", "e", "f", "g", "h"});
  REQUIRE(tied[0].copies.size() == 1);
  CHECK(s.tensors()[tied[0].copies[0]].name == "c");
  const auto last = checkpoint::tie(s, choose(s, strings{"c"}).chosen);  // its twin was not chosen
  REQUIRE(last.size() == 1);
  REQUIRE(last[0].copies.size() == 1);
  CHECK(s.tensors()[last[0].copies[0]].name == "a");
}
