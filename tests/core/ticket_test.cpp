#include "tombola/core/ticket.hpp"

#include <limits>

#include "tests/support/catch.hpp"

using namespace tombola;

namespace {
const std::vector<group> bert{{"heads", {12, 12}}, {"mlps", {12}}};
}

TEST_CASE("a group counts its units and says when they do not fit") {
  CHECK(bert[0].size() == 144);
  CHECK(group{"scalar", {}}.size() == 1);
  CHECK(group{"none", {3, 0, 5}}.size() == 0);
  CHECK(to_string(bert[0]) == "heads (12 x 12)");
  const std::size_t half = std::size_t{1} << 32;
  CHECK(group{"large", {half, half - 1}}.size() == half * (half - 1));
  CHECK_THROWS_WITH((group{"huge", {half, half}}.size()),
                    "group huge: the product of its extents does not fit 64 bits");
  // 2^64 - 1 = (2^32 - 1) (2^32 + 1) is the most that fits.
  CHECK(group{"most", {half - 1, half + 1}}.size() == ~std::size_t{0});
}

TEST_CASE("a ticket keeps everything until told otherwise") {
  ticket t{bert};
  CHECK(t.size() == 156);
  CHECK(t.count() == 156);
  t.set(0, 143, false);
  CHECK_FALSE(t.at("heads")[143]);
  CHECK(t.at("heads").count() == 143);
  t.replace(1, mask{12});
  CHECK(t.count() == 143);
  CHECK(t.find("mlps") == std::size_t{1});
  CHECK_FALSE(t.find("neurons"));
  CHECK_THROWS_AS(t.at("neurons"), input_error);
}

TEST_CASE("every mask covers its group") {
  CHECK_THROWS_WITH((ticket{bert, {mask{144}, mask{13}}}),
                    "ticket: mask over 13 units for group mlps (12)");
  CHECK_THROWS_AS((ticket{bert, {mask{144}}}), shape_error);
  CHECK_THROWS_AS((ticket{{bert[0], bert[0]}}), input_error);
  CHECK_THROWS_AS((ticket{{bert[1], bert[1]}, {mask{12}, mask{12}}}), input_error);
  ticket t{bert};
  CHECK_THROWS_AS(t.replace(0, mask{12}), shape_error);
  CHECK(t == ticket{bert});
}

TEST_CASE("tickets of other groups are told apart by the first difference") {
  const ticket a{bert};
  CHECK_NOTHROW(require_same_groups(a, ticket{bert}));
  CHECK_THROWS_WITH(require_same_groups(a, ticket{{bert[0], {"mlps", {6}}}}),
                    "tickets differ in group 1: mlps (12) and mlps (6)");
  CHECK_THROWS_WITH(require_same_groups(a, ticket{{bert[0]}}), "tickets of 2 and 1 groups");
  CHECK_THROWS_AS(require_same_groups(a, ticket{{bert[1], bert[0]}}), shape_error);
  // As many units, but laid out otherwise.
  CHECK_THROWS_AS(require_same_groups(ticket{{{"heads", {2, 6}}}}, ticket{{{"heads", {3, 4}}}}),
                  shape_error);
}

TEST_CASE("a group's name out of a file does not choose what a terminal does") {
  const group hostile{"a\n\x1B[31m\xE2\x80\xAE\xC3\xA4", {2}};
  CHECK(to_string(hostile) == "a??[31m?\xC3\xA4 (2)");
  CHECK_THROWS_WITH((ticket{{hostile, hostile}}), "ticket: two groups are called a??[31m?\xC3\xA4");
  CHECK_THROWS_WITH(ticket{}.at(hostile.name), "ticket: has no group a??[31m?\xC3\xA4");
  const std::size_t half = std::size_t{1} << 32;
  CHECK_THROWS_WITH((group{"\r", {half, half}}.size()),
                    "group ?: the product of its extents does not fit 64 bits");
}

TEST_CASE("control characters are known in ASCII and beyond") {
  for (const char* text : {"\n", "a\x1B[31m", "\x7F", "x\xC2\x80", "\xC2\x9B"}) {
    CHECK(has_control_characters(text));
  }
  for (const char* text : {"", " ~", "\xC2\xA0", "\xC3\x9B", "\xC2", "\xC2:"}) {
    CHECK_FALSE(has_control_characters(text));
  }
}

TEST_CASE("provenance is part of a ticket") {
  ticket a{bert};
  const ticket b{bert};
  a.origin.seed = 0;  // seed 0 is not the same as no seed
  CHECK_FALSE(a == b);
}
