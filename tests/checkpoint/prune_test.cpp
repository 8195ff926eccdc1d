#include "tombola/checkpoint/prune.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "tests/checkpoint/fabricated.hpp"

#include "tombola/checkpoint/mask_of.hpp"
#include "tombola/checkpoint/tied.hpp"
#include "tombola/io/ticket_file.hpp"

using namespace tombola;
using namespace tombola::test;
using checkpoint::choose;
using checkpoint::magnitude_pruning;
using checkpoint::scope;
using checkpoint::source;
using io::dtype;
using strings = std::vector<std::string>;

namespace {

/// Clears the k smallest of values[begin + step * i], i < n; of equal ones the last go first.
void remove_smallest(std::vector<double>& values, std::size_t begin, std::size_t n, std::size_t k) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), begin);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const double x = std::fabs(values[a]), y = std::fabs(values[b]);
    return x < y || (x == y && a > b);
  });
  for (std::size_t i = 0; i < k; ++i) values[order[i]] = 0.0;
}

/// What pruning should leave of these tensors, by sorting.
std::vector<std::vector<double>> expected(const std::vector<made_tensor>& tensors,
                                          const magnitude_pruning& what) {
  std::vector<std::vector<double>> left;
  std::vector<double> all;
  for (const made_tensor& t : tensors) {
    left.push_back(t.values);
    all.insert(all.end(), t.values.begin(), t.values.end());
    std::vector<double>& mine = left.back();
    const std::size_t row = t.shape.back();
    if (what.pattern) {
      for (std::size_t at = 0; at < mine.size(); at += what.pattern->of) {
        remove_smallest(mine, at, what.pattern->of, what.pattern->of - what.pattern->kept);
      }
    } else if (what.within == scope::row) {
      for (std::size_t at = 0; at < mine.size(); at += row) {
        remove_smallest(mine, at, row, share_of(what.share, row));
      }
    } else if (what.within == scope::tensor) {
      remove_smallest(mine, 0, mine.size(), share_of(what.share, mine.size()));
    }
  }
  if (!what.pattern && what.within == scope::global) {
    remove_smallest(all, 0, all.size(), share_of(what.share, all.size()));
    std::size_t at = 0;
    for (auto& mine : left) {
      std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(at), mine.size(), mine.begin());
      at += mine.size();
    }
  }
  return left;
}

/// Prunes, and compares all that is written with what was expected.
void check(const std::vector<made_tensor>& tensors, const magnitude_pruning& what) {
  const scratch_folder folder;
  const auto file = folder / "m.safetensors";
  write_checkpoint(file, tensors, {{"format", "pt"}});
  const source s{file};
  const auto all = choose(s).chosen;
  // Files hold wider types first, and the ranking follows the file.
  std::vector<made_tensor> in_order;
  for (const auto& w : all) {
    in_order.push_back(*std::find_if(tensors.begin(), tensors.end(),
                                     [&](const auto& t) { return t.name == w.group.name; }));
  }
  const auto wanted = expected(in_order, what);
  std::string first;
  for (const std::size_t threads : {1U, 2U, 7U}) {
    const auto out = folder / ("out" + std::to_string(threads));
    const auto result = checkpoint::prune_by_magnitude(s, all, what, out, {}, {threads, {}});
    const io::safetensors_file written{out / "m.safetensors"}, before{file};
    REQUIRE(written.tensors().size() == before.tensors().size());
    CHECK(written.metadata() == before.metadata());
    const ticket t = io::read_ticket(out / "ticket.safetensors");
    for (std::size_t g = 0; g < all.size(); ++g) {
      const io::tensor_entry& x = written.at(all[g].group.name);
      CHECK(x.type == before.at(x.name).type);
      CHECK(x.shape == before.at(x.name).shape);
      const auto values = io::to_doubles(x);
      bool same = true, zeros_are_plain = true;
      for (std::size_t i = 0; i < values.size(); ++i) {
        same = same && values[i] == wanted[g][i];
        zeros_are_plain = zeros_are_plain && !(values[i] == 0.0 && std::signbit(values[i]));
      }
      INFO(x.name);
      CHECK(same);
      CHECK(zeros_are_plain);
      CHECK(t.groups()[g] == all[g].group);
      bool bits = true;
      for (std::size_t i = 0; i < values.size(); ++i) bits = bits && t[g][i] == (values[i] != 0.0);
      CHECK(bits);
      CHECK(result.kept[g] == t[g].count());
    }
  }
}

const std::vector<double> shares{0.0, 0.001, 0.3, 0.5, 0.905, 1.0};

}  // namespace

TEST_CASE("pruning one type of weights leaves what sorting leaves") {
  for (const dtype type : {dtype::f64, dtype::f32, dtype::f16, dtype::bf16}) {
    const std::vector<made_tensor> tensors{{"a", type, {401, 331}, quarters(401 * 331, 1)},
                                           {"b", type, {3, 5, 7}, quarters(105, 2)}};
    for (const scope within : {scope::global, scope::tensor, scope::row}) {
      for (const double share : shares) {
        INFO(io::info(type).name << ", scope " << static_cast<int>(within) << ", share " << share);
        check(tensors, {share, within, {}});
      }
    }
  }
}

TEST_CASE("weights of several types are ranked together exactly") {
  const std::vector<made_tensor> mixed{{"a", dtype::f32, {301, 311}, quarters(301 * 311, 1)},
                                       {"b", dtype::bf16, {307, 301}, quarters(307 * 301, 2)},
                                       {"c", dtype::f16, {100, 100}, quarters(10000, 3)}};
  for (const double share : shares) {
    check(mixed, {share, scope::global, {}});
    auto halves = mixed;
    halves.erase(halves.begin());
    check(halves, {share, scope::global, {}});
    auto wide = mixed;
    wide.push_back({"d", dtype::f64, {100, 1001}, quarters(100100, 4)});
    for (double& x : wide.back().values) x *= 1.0 + 0x1p-40;  // between the others' values
    check(wide, {share, scope::global, {}});
  }
}

TEST_CASE("the ticket says how its weights were chosen, item by item") {
  const scratch_folder folder;
  const auto file = folder / "m.safetensors";
  write_checkpoint(file, {{"a", dtype::f32, {4, 8}, quarters(32, 1)}});
  const source s{file};
  const auto search_of = [&](const char* name, const magnitude_pruning& what) {
    static_cast<void>(checkpoint::prune_by_magnitude(s, choose(s).chosen, what, folder / name));
    const ticket t = io::read_ticket(folder / name / "ticket.safetensors");
    CHECK(t.origin.criterion == "magnitude");
    CHECK(t.origin.kind.empty());
    return t.origin.search;
  };
  CHECK(search_of("half", {}) == "schedule one_shot, scope global, share 0.5");
  CHECK(search_of("rows", {0.25, scope::row, {}}) == "schedule one_shot, scope row, share 0.25");
  CHECK(search_of("tensors", {1, scope::tensor, {}}) == "schedule one_shot, scope tensor, share 1");
  CHECK(search_of("pattern", {0.5, scope::global, n_of_m{2, 4}}) == "pattern 2:4");
}

TEST_CASE("rows too long for a piece are ranked as the short ones are") {
  const std::vector<made_tensor> tensors{{"long", dtype::f32, {3, 70'001}, quarters(210'003, 5)},
                                         {"half", dtype::bf16, {2, 140'001}, quarters(280'002, 6)},
                                         {"short", dtype::f32, {9, 17}, quarters(153, 7)}};
  for (const double share : shares) check(tensors, {share, scope::row, {}});
}

TEST_CASE("of every M weights in a row N are kept") {
  for (const dtype type : {dtype::f32, dtype::bf16, dtype::f64}) {
    const std::vector<made_tensor> tensors{{"a", type, {501, 240}, quarters(501 * 240, 1)},
                                           {"b", type, {3, 60}, quarters(180, 2)}};
    for (const n_of_m p :
         {n_of_m{2, 4}, n_of_m{1, 2}, n_of_m{0, 3}, n_of_m{4, 4}, n_of_m{7, 20}, n_of_m{1, 60}}) {
      INFO(p.kept << ":" << p.of);
      check(tensors, {0.5, scope::global, p});
    }
  }
}

TEST_CASE("few values, denormals and infinities keep their order") {
  std::vector<double> values(1000);
  const std::vector<double> some{0.0, -0.0, 0x1p-149, -0x1p-149, 0x1p-126,
                                 1.0, -1.0, HUGE_VAL, -HUGE_VAL, 0x1.FFFFFEp127};
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = some[i * 7 % some.size()];
  for (const double share : {0.1, 0.25, 0.35, 0.5, 0.77, 0.85, 0.95, 1.0}) {
    check({{"a", dtype::f32, {10, 100}, values}}, {share, scope::global, {}});
    check({{"a", dtype::f32, {10, 100}, values}, {"b", dtype::f64, {10, 100}, values}},
          {share, scope::global, {}});
  }
}

TEST_CASE("masks beside weights are applied and pruned with them") {
  const scratch_folder folder;
  write_checkpoint(folder / "m.safetensors", {{"w_orig", dtype::f32, {2, 3}, {9, 1, 2, 3, 4, 5}},
                                              {"w_mask", dtype::u8, {2, 3}, {0, 1, 1, 1, 1, 1}}});
  const source s{folder / "m.safetensors"};
  const auto all = choose(s).chosen;
  (void)checkpoint::prune_by_magnitude(s, all, {0.5, scope::global, {}}, folder / "out");
  const io::safetensors_file out{folder / "out" / "m.safetensors"};
  CHECK(io::to_doubles(out.at("w_orig")) == std::vector<double>{0, 0, 0, 3, 4, 5});
  CHECK(io::to_doubles(out.at("w_mask")) == std::vector<double>{0, 0, 0, 1, 1, 1});
  CHECK(io::read_ticket(folder / "out" / "ticket.safetensors")[0] ==
        mask::from_values(std::vector<int>{0, 0, 0, 1, 1, 1}));
}

TEST_CASE("tied tensors count once and get the same zeros; what is not chosen stays as it was") {
  const scratch_folder folder;
  const auto values = quarters(300, 8);
  auto bias = quarters(20, 9);
  write_checkpoint(folder / "one.safetensors",
                   {{"in", dtype::f32, {3, 100}, values}, {"bias", dtype::f32, {20}, bias}});
  write_checkpoint(folder / "two.safetensors",
                   {{"out", dtype::f32, {3, 100}, values}, {"ids", dtype::i64, {1, 2}, {7, 0}}});
  io::write_json(folder / "model.safetensors.index.json", {{"weight_map",
                                                            {{"in", "one.safetensors"},
                                                             {"bias", "one.safetensors"},
                                                             {"out", "two.safetensors"},
                                                             {"ids", "two.safetensors"}}}});
  put(folder / "config.json", "{}");
  const source s{folder.path()};
  const auto tied = checkpoint::tie(s, choose(s).chosen);
  const std::vector<std::filesystem::path> beside{folder / "config.json"};
  const auto out = folder.path().parent_path() / (folder.path().filename().string() + "-out");
  const auto result =
      checkpoint::prune_by_magnitude(s, tied, {0.5, scope::global, {}}, out, beside);
  auto wanted = values;
  remove_smallest(wanted, 0, 300, 150);
  CHECK(result.groups.size() == 1);
  CHECK(io::to_doubles(io::safetensors_file{out / "one.safetensors"}.at("in")) == wanted);
  CHECK(io::to_doubles(io::safetensors_file{out / "two.safetensors"}.at("out")) == wanted);
  CHECK(io::to_doubles(io::safetensors_file{out / "one.safetensors"}.at("bias")) == bias);
  const source again{out};  // the index came along
  CHECK(again.tensors().size() == 4);
  CHECK(std::filesystem::exists(out / "config.json"));
  std::filesystem::remove_all(out);
}

TEST_CASE("what cannot be pruned is told, and nothing is left behind") {
  const scratch_folder folder;
  const auto file = folder / "m.safetensors";
  auto values = quarters(200'000, 1);
  values[150'000] = NAN;
  values[150'003] = values[199'999] = NAN;
  write_checkpoint(file, {{"a", dtype::f32, {400, 500}, values}});
  const source s{file};
  const auto all = choose(s).chosen;
  const auto refused = [&](const magnitude_pruning& what, const std::string& out) {
    return sentence_of(folder.path(), [&] {
      (void)checkpoint::prune_by_magnitude(s, all, what, folder / out, {}, {2, {}});
    });
  };
  const std::string nan = "m.safetensors: tensor 'a': element 150000 is NaN, expected a number";
  CHECK(refused({0.5, scope::global, {}}, "out") == nan);
  CHECK(refused({0.0, scope::global, {}}, "out") == nan);
  CHECK(refused({0.5, scope::row, {}}, "out") == nan);
  for (int turn = 0; turn < 20; ++turn) {
    CHECK(refused({0.5, scope::global, n_of_m{2, 4}}, "out") == nan);
  }
  CHECK(refused({1.5, scope::global, {}}, "out") ==
        "share of weights is 1.500000, expected a number from 0 to 1");
  CHECK(
      refused({0.5, scope::global, n_of_m{2, 3}}, "out") ==
      "prune: asked to keep 2 of every 3 weights of a (400 x 500), whose rows of 500 leave a tail, "
      "expected a multiple of 3");
  CHECK(
      refused({0.5, scope::global, n_of_m{5, 4}}, "out") ==
      "prune: asked to keep 5 of every 4 weights, expected N of every M with N from 0 to M, and M "
      "from 1 to 512");
  CHECK(refused({0.5, scope::global, {}}, "")
            .ends_with(": is the checkpoint's own folder, expected another to write to"));
  std::filesystem::create_directory(folder / "full");
  put(folder / "full" / "x", "x");
  CHECK(refused({0.5, scope::global, {}}, "full") ==
        "full: is there already, expected a new or empty folder");
  CHECK(refused({0.5, scope::global, {}}, "no/such").starts_with("no/such: cannot be created"));
  std::vector<std::string> left = folder.names();
  std::sort(left.begin(), left.end());
  CHECK(left == strings{"full", "m.safetensors"});
}
