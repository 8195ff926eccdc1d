#pragma once

// Texts of digits for tiny models: a set of three examples and its task.

#include <cstdint>
#include <string_view>
#include <vector>

#include "tombola/data/features.hpp"
#include "tombola/data/task.hpp"

namespace tombola::test {

/// A text of digits is a text of these ids.
struct digits {
  [[nodiscard]] data::sequence_marks marks() const { return {2, 3, 1, true}; }
  void append(std::string_view text, std::vector<std::int32_t>& ids) const {
    for (const char c : text) ids.push_back(c - '0');
  }
};

/// One example of each of three classes, the second a pair.
[[nodiscard]] inline data::encoded_set three_examples() {
  data::encoded_set set{6};
  set.add(digits{}, "77", 2);
  set.add(digits{}, "40", "1", 1);
  set.add(digits{}, "158", 0);
  return set;
}

[[nodiscard]] inline data::task_description three_classes() {
  data::task_description task;
  task.name = "three";
  task.labels = {"a", "b", "c"};
  task.reported = {data::metric::accuracy};
  task.selection = data::metric::accuracy;
  return task;
}

}  // namespace tombola::test
