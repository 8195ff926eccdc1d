#include "tombola/analysis/settings.hpp"

#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

#include "tombola/analysis/result.hpp"

using namespace tombola::analysis;

TEST_CASE("settings are named by the items that not all of them have") {
  CHECK(setting_items("mode study, guard 0.9") ==
        std::vector<std::string>{"mode study", "guard 0.9"});
  CHECK(setting_items("").empty());
  CHECK(setting_items("a").size() == 1);

  auto names = setting_names({"guard 0.9, mode study, step 0.1"});
  CHECK(names.at("guard 0.9, mode study, step 0.1").empty());
  names = setting_names({"guard 0.9, mode study, step 0.1", "guard 0.9, mode standard, step 0.1"});
  CHECK(names.at("guard 0.9, mode study, step 0.1") == "mode study");
  CHECK(names.at("guard 0.9, mode standard, step 0.1") == "mode standard");
  names = setting_names({"", "a 1", "a 1, b 2"});
  CHECK(names.at("") == "settings not known");
  CHECK(names.at("a 1") == "a 1");
  CHECK(names.at("a 1, b 2") == "a 1, b 2");
  names = setting_names({"a 1", "a 1, b 2"});
  CHECK(names.at("a 1") == "plain");
  CHECK(names.at("a 1, b 2") == "b 2");
}

TEST_CASE("names of settings are distinct, whatever the settings say") {
  const auto of = [](std::set<std::string> settings) {
    std::set<std::string> distinct;
    for (const auto& [setting, name] : setting_names(settings)) distinct.insert(name);
    return distinct.size() == settings.size();
  };
  CHECK(of({"", "settings not known"}));
  CHECK(of({"a 1", "a 1, plain", "a 1, plain (2)"}));
  CHECK(of({"a 1", "a 1, a 1", "a 1, a 1, a 1"}));
  CHECK(of({"a, b", "b, a"}));
}

TEST_CASE("settings are told apart within a task, searches within a family") {
  const auto make = [](const std::string& task, const std::string& setting, ticket_family family,
                       const std::string& search) {
    result r;
    r.task = task;
    r.setting = setting;
    r.ticket = ticket_summary{"t", ticket_kind::good, family, "f", search, {}, {}};
    return r;
  };
  using enum ticket_family;
  const std::vector<result> all{make("A", "rows 10", weights, "mode study"),
                                make("A", "rows 10", weights, "mode standard"),
                                make("A", "rows 10", heads, "mode study"),
                                make("B", "rows 20", weights, "mode study"),
                                make("C", "rows 1", mlps, "x"),
                                make("C", "rows 2", mlps, "y")};
  const variants named{all};
  std::vector<std::string> names;
  for (const result& r : all) names.push_back(named.name_of(r));
  CHECK(names == std::vector<std::string>{"mode study", "mode standard", "", "mode study",
                                          "rows 1, x", "rows 2, y"});
  result full = all[4];
  full.ticket.reset();
  CHECK(named.name_of(full) == "rows 1");
  CHECK(family_and_variant(heads_mlps, "mode study") == "heads_mlps, mode study");
  CHECK(in_words("heads_mlps, mode study") == "heads and MLPs, mode study");
  CHECK(in_words("none, rows 1") == "full model, rows 1");
  CHECK(family_and_variant(std::nullopt, "") == "none");
}
