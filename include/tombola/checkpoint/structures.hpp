#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "tombola/algebra/structure.hpp"
#include "tombola/checkpoint/checkpoint.hpp"
#include "tombola/checkpoint/choose.hpp"
#include "tombola/checkpoint/pieces.hpp"

namespace tombola::checkpoint {

/// The structure of what each of some weights keeps, as mask_of takes it, without building a mask.
///
/// Throws as mask_of and structure_counter do. Memory: piece_bytes a thread, and a bit for each
/// column of each tensor and thread, at most 8 MiB a tensor.
[[nodiscard]] inline std::vector<structure> structures_of(const source& from,
                                                          std::span<const weights> all,
                                                          n_of_m pattern = {},
                                                          const manner& how = {}) {
  // Whole rows, some megabytes of them: counters are merged at rows.
  constexpr std::uint64_t task_bytes = 16 * piece_bytes;
  struct task {
    std::size_t weights;
    std::uint64_t first, units;
  };
  std::vector<task> tasks;
  std::vector<structure_counter> counters;
  for (std::size_t w = 0; w < all.size(); ++w) {
    counters.emplace_back(all[w].group, pattern);
    const stored_tensor& t = from.tensors()[all[w].tensor];
    if (t.size() == 0) continue;
    const std::uint64_t row = t.shape.size() < 2 ? t.size() : t.size() / t.shape[0];
    const std::uint64_t step =
        std::max<std::uint64_t>(1, task_bytes / io::info(t.type).bytes / row) * row;
    for (std::uint64_t first = 0; first < t.size(); first += step) {
      tasks.push_back({w, first, std::min(step, t.size() - first)});
    }
  }
  const std::size_t workers = detail::workers_for(tasks.size(), how);
  std::vector<detail::space> spaces(workers);
  detail::progress p{how, detail::bytes_to_read(from, all)};
  std::mutex merging;
  detail::over_tasks(tasks.size(), workers, p, [&](std::size_t t, std::size_t worker) {
    const weights& w = all[tasks[t].weights];
    const std::size_t width = io::info(from.tensors()[w.mask.value_or(w.tensor)].type).bytes;
    const std::size_t most = piece_bytes / width;
    structure_counter mine{w.group, pattern};
    for (std::uint64_t done = 0; done < tasks[t].units; done += most) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(most, tasks[t].units - done));
      mine.add(detail::kept_bits(from, w, tasks[t].first + done, n, spaces[worker]), n);
      p.add(n * width);
    }
    const std::lock_guard lock{merging};
    counters[tasks[t].weights].merge(mine);
  });
  std::vector<structure> found;
  for (const structure_counter& c : counters) found.push_back(c.result());
  return found;
}

}  // namespace tombola::checkpoint
