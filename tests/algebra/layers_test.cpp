#include "tombola/algebra/layers.hpp"

#include <numeric>

#include "tests/support/checked_mask.hpp"

#include "tombola/algebra/stratified.hpp"

using namespace tombola;

namespace {

const group heads{"heads", {3, 4}}, mlps{"mlps", {3}};

mask head_mask() {
  return mask::from_values(std::vector<int>{1, 0, 0, 1,  //
                                            0, 0, 0, 0,  //
                                            1, 1, 1, 0});
}

std::vector<bool> bits(const mask& m) {
  std::vector<bool> b;
  for (std::size_t i = 0; i < m.size(); ++i) b.push_back(m[i]);
  return b;
}

}  // namespace

TEST_CASE("a layer is a row of the group, and a group of its own") {
  CHECK(layers_of(heads) == 3);
  CHECK(layer_group(heads) == group{"heads", {4}});
  CHECK(layer_group(mlps) == group{"mlps", {}});
  CHECK(layer_group({"w", {2, 3, 5}}) == group{"w", {3, 5}});
  CHECK(bits(layer(head_mask(), heads, 0)) == std::vector<bool>{true, false, false, true});
  CHECK(layer(head_mask(), heads, 1) == mask{4});
  CHECK(bits(layer(mask_view{head_mask()}, heads, 2)) ==
        std::vector<bool>{true, true, true, false});
  CHECK(count_by_layer(head_mask(), heads) == std::vector<std::size_t>{2, 0, 3});
  // An MLP is a layer of one unit.
  const mask m = mask::from_values(std::vector<int>{1, 0, 1});
  CHECK(layer(m, mlps, 2) == mask::all_kept(1));
  CHECK(count_by_layer(m, mlps) == std::vector<std::size_t>{1, 0, 1});
}

TEST_CASE("a layer put back where it came from changes nothing, elsewhere only that layer") {
  mask m = head_mask();
  for (std::size_t l = 0; l < 3; ++l) put_layer(m, heads, l, layer(m, heads, l));
  CHECK(m == head_mask());
  put_layer(m, heads, 1, mask::all_kept(4));
  CHECK(count_by_layer(m, heads) == std::vector<std::size_t>{2, 4, 3});
  CHECK(layer(m, heads, 0) == layer(head_mask(), heads, 0));
  CHECK(layer(m, heads, 2) == layer(head_mask(), heads, 2));
  put_layer(m, heads, 0, mask_view{mask{4}});
  CHECK(count_by_layer(m, heads) == std::vector<std::size_t>{0, 4, 3});
}

TEST_CASE("layers of every width around a word are those of plain loops") {
  for (const std::size_t width : test::word_sizes) {
    if (width == 0) continue;
    const std::size_t layers = 5;
    const group g{"g", {layers, width}};
    const auto twins = test::random_masks(3, layers * width, width);
    const mask &a = twins[0].bits(), &b = twins[1].bits();
    std::vector<std::size_t> kept(layers, 0);
    std::vector<overlap> counts(layers);
    mask rebuilt = twins[2].bits();
    std::size_t wrong = 0;
    for (std::size_t l = 0; l < layers; ++l) {
      const mask of_layer = layer(a, g, l);
      put_layer(rebuilt, g, l, of_layer);
      for (std::size_t i = 0; i < width; ++i) {
        const bool x = a[l * width + i], y = b[l * width + i];
        kept[l] += x ? 1U : 0U;
        counts[l] += overlap{x && y, x && !y, !x && y, !x && !y};
        wrong += of_layer[i] != x || rebuilt[l * width + i] != x ? 1U : 0U;
      }
      for (std::size_t i = (l + 1) * width; i < layers * width; ++i) {
        wrong += rebuilt[i] != twins[2].bits()[i] ? 1U : 0U;
      }
    }
    INFO("layers of " << width << " units");
    REQUIRE(wrong == 0);
    REQUIRE(count_by_layer(a, g) == kept);
    REQUIRE(count_overlap_by_layer(a, b, g) == counts);
    REQUIRE(rebuilt == a);
  }
}

TEST_CASE("slices are put where they came from, at every place and length") {
  const auto twins = test::random_masks(2, 200, 9);
  const mask &a = twins[0].bits(), &b = twins[1].bits();
  std::size_t wrong = 0;
  for (const std::size_t first : {0U, 1U, 63U, 64U, 65U, 127U, 128U, 199U, 200U}) {
    for (std::size_t count = 0; first + count <= 200; ++count) {
      mask m = a;
      put_slice(m, first, slice(b, first, count));
      for (std::size_t i = 0; i < 200; ++i) {
        const bool inside = i >= first && i < first + count;
        wrong += m[i] != (inside ? b[i] : a[i]) ? 1U : 0U;
      }
    }
  }
  CHECK(wrong == 0);
  mask m = a;
  CHECK_THROWS_WITH(put_slice(m, 199, mask{2}),
                    "put_slice: 2 units from unit 199 on, expected them among 200");
  CHECK_THROWS_WITH(slice(m, 201, 0), "slice: 0 units from unit 201 on, expected them among 200");
  CHECK_THROWS_AS(slice(m, 1, ~std::size_t{0}), shape_error);
  CHECK(m == a);
}

TEST_CASE("layers that are not there are refused with both sides") {
  mask m = head_mask();
  CHECK_THROWS_WITH(layer(m, heads, 3),
                    "layer: layer 3 of group heads (3 x 4), expected one below 3");
  CHECK_THROWS_WITH(layer(mask{13}, heads, 0),
                    "layer: mask over 13 units, expected 12 of group heads (3 x 4)");
  CHECK_THROWS_WITH(put_layer(m, heads, 7, mask{4}),
                    "put_layer: layer 7 of group heads (3 x 4), expected one below 3");
  CHECK_THROWS_WITH(put_layer(m, heads, 0, mask{3}),
                    "put_layer: mask over 3 units, expected 4 of group heads (4)");
  mask other{11};
  CHECK_THROWS_AS(put_layer(other, heads, 0, mask{4}), shape_error);
  CHECK_THROWS_AS(count_by_layer(other, heads), shape_error);
  CHECK_THROWS_AS(count_overlap_by_layer(m, other, heads), shape_error);
  CHECK_THROWS_AS(count_overlap_by_layer(other, m, heads), shape_error);
  CHECK_THROWS_WITH(
      layers_of({"scalar", {}}),
      "layers_of: group scalar () has no extents, expected the number of layers first");
  CHECK_THROWS_AS(layer(mask{1}, {"scalar", {}}, 0), shape_error);
  CHECK(m == head_mask());
}

TEST_CASE("groups without layers or without units") {
  const group none{"none", {0, 4}}, hollow{"hollow", {3, 0}};
  const group hostile{"hostile", {std::size_t{1} << 40, 0}};
  CHECK(count_by_layer(mask{}, none).empty());
  CHECK(count_overlap_by_layer(mask{}, mask{}, none).empty());
  CHECK_THROWS_AS(layer(mask{}, none, 0), input_error);
  CHECK(layer(mask{}, hollow, 2) == mask{});
  CHECK_THROWS_WITH(
      count_by_layer(mask{}, hollow),
      "count_by_layer: the layers of group hollow (3 x 0) have no units, expected one or more");
  CHECK_THROWS_AS(count_by_layer(mask{}, hostile), shape_error);
  CHECK_THROWS_AS(count_overlap_by_layer(mask{}, mask{}, hostile), shape_error);
}

TEST_CASE("layers of a ticket's group, by name") {
  ticket t{{heads, mlps}, {head_mask(), mask::all_kept(3)}};
  t.origin.task = "SST-2";
  const ticket l = layer(t, "heads", 2);
  REQUIRE(l.groups().size() == 1);
  CHECK(l.groups()[0] == group{"heads", {4}});
  CHECK(l[0] == layer(head_mask(), heads, 2));
  CHECK(l.origin == provenance{});
  CHECK(layer(t, "mlps", 0).size() == 1);
  CHECK(count_by_layer(t, "heads") == std::vector<std::size_t>{2, 0, 3});
  const ticket full{{heads, mlps}};
  const auto by_layer = count_overlap_by_layer(t, full, "heads");
  CHECK(by_layer == std::vector<overlap>{{2, 0, 2, 0}, {0, 0, 4, 0}, {3, 0, 1, 0}});
  CHECK(std::accumulate(by_layer.begin(), by_layer.end(), overlap{},
                        [](overlap sum, const overlap& o) { return sum += o; }) ==
        count_overlap(t.at("heads"), full.at("heads")));
  CHECK(chance_within(by_layer, 1, 10).expected_both == 5.0);  // one side keeps all
  CHECK_THROWS_WITH(layer(t, "neurons", 0), "layer: the ticket has no group neurons");
  CHECK_THROWS_AS(count_by_layer(t, "neurons"), input_error);
  CHECK_THROWS_AS(count_overlap_by_layer(t, full, "neurons"), input_error);
  CHECK_THROWS_AS(count_overlap_by_layer(t, ticket{{heads}}, "heads"), shape_error);
  CHECK_THROWS_AS(layer(t, "mlps", 3), input_error);
}
