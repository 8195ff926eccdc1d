// What is held against a folder's name or a model's config before a run's folder is made.

#include <string>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/experiment/run_name.hpp"
#include "tombola/experiment/ticket_fits.hpp"

using namespace tombola;
using namespace tombola::experiment;

namespace {

/// Two layers of four heads, sixteen neurons.
nn::bert_config small_config() {
  nn::bert_config c;
  c.vocabulary = 30;
  c.positions = 8;
  c.hidden = 8;
  c.layers = 2;
  c.heads = 4;
  c.intermediate = 16;
  c.labels = 3;
  return c;
}

/// What is wrong with a ticket of these groups; empty where it fits.
std::string wrong(const std::vector<group>& groups, const nn::bert_config& c = small_config()) {
  try {
    require_ticket_fits(ticket{groups}, "t.safetensors", c, "model");
    return "";
  } catch (const input_error& e) {
    return e.what();
  }
}

std::string wrong_name(const std::string& name) {
  try {
    require_run_name(name, "the name");
    return "";
  } catch (const input_error& e) {
    return e.what();
  }
}

}  // namespace

TEST_CASE("a ticket fits a model that has its groups with the same extents") {
  const std::string up = "encoder.layer.1.intermediate.dense.weight";
  CHECK(wrong({{"heads", {2, 4}}, {"mlps", {2}}}).empty());
  CHECK(wrong({{"neurons", {2, 16}}}).empty());
  CHECK(wrong({{up, {16, 8}}, {"classifier.bias", {3}}}).empty());
  CHECK(wrong({}) == "t.safetensors: the ticket has no group, expected at least one");
  // As many units, but others.
  CHECK(wrong({{"heads", {4, 2}}}) ==
        "t.safetensors: has the group heads (4 x 2), but model has heads (2 x 4)");
  CHECK(wrong({{up, {8, 16}}}) ==
        "t.safetensors: has the group " + up + " (8 x 16), but model has " + up + " (16 x 8)");
  CHECK(wrong({{"heads", {2, 4}}, {"classifier.bias", {2}}}) ==
        "t.safetensors: has the group classifier.bias (2), but model has classifier.bias (3)");
  CHECK(wrong({{"encoder.layer.2.output.dense.weight", {8, 16}}}) ==
        "t.safetensors: has the group encoder.layer.2.output.dense.weight (8 x 16), but no "
        "parameter of model has this name");
}

TEST_CASE("a compact model has its own weights, and no units of the whole one") {
  nn::bert_config c = small_config();
  c.shapes = {{3, 5, true, true}, {4, 16, true, true}};
  const std::string up = "encoder.layer.0.intermediate.dense.weight";
  CHECK(wrong({{up, {5, 8}}}, c).empty());
  CHECK(wrong({{up, {16, 8}}}, c) ==
        "t.safetensors: has the group " + up + " (16 x 8), but model has " + up + " (5 x 8)");
  for (const group& g : {group{"heads", {2, 4}}, group{"mlps", {2}}, group{"neurons", {2, 16}}}) {
    CHECK(wrong({g}, c) ==
          "t.safetensors: covers units of a whole model, model is compact; expected a ticket over "
          "its weights, or none");
  }
}

TEST_CASE("the name of a run is one that a folder's name can hold") {
  for (const std::string name : {"SST-2", "two words", "\u00e9t\u00e9", "...", "x.."}) {
    CHECK(wrong_name(name).empty());
  }
  CHECK(wrong_name(std::string(100, 'n')).empty());
  const std::string expected = ", expected one that a folder's name can hold";
  CHECK(wrong_name("") == "the name is empty" + expected);
  CHECK(wrong_name("..") == "the name '..' is no name of its own" + expected);
  CHECK(wrong_name("/") == "the name '/' holds a '/'" + expected);
  CHECK(wrong_name("a\nb") ==
        "the name 'a?b' holds a control character or one that cannot be seen" + expected);
  CHECK(wrong_name("a\u202Eb").find("cannot be seen") != std::string::npos);
  CHECK(wrong_name(std::string{"a\0b", 3}).find("control character") != std::string::npos);
  CHECK(wrong_name("a\xC0") == "the name 'a?' is not UTF-8" + expected);
  CHECK(wrong_name(std::string(101, 'n')) ==
        "the name '" + std::string(20, 'n') + "...' has 101 bytes, more than 100" + expected);
}
