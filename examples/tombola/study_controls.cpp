// controls --mode study: the study's control masks of heads and MLPs, for a folder of good ones.

#include "examples/tombola/study_controls.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "examples/tombola/json_line.hpp"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tombola/analysis/mask_folder.hpp"
#include "tombola/core/error.hpp"
#include "tombola/io/atomic_folder.hpp"
#include "tombola/io/npy.hpp"
#include "tombola/io/sentence.hpp"
#include "tombola/prune/study_controls.hpp"

namespace tombola::driver {

namespace {

namespace fs = std::filesystem;

/// The order in which create_random_masks.ipynb of the study goes through them (spec 4.8).
constexpr std::array<std::string_view, 9> tasks_of_random{"CoLA", "SST-2", "MRPC", "STS-B", "QQP",
                                                          "MNLI", "QNLI",  "RTE",  "WNLI"};
constexpr std::array<std::string_view, 5> seeds_of_random{"1337", "42", "86", "71", "166"};
/// That of compute_super_masks.py, whose tasks go by name (spec 4.7).
constexpr std::array<std::string_view, 5> seeds_of_super{"71", "1337", "86", "42", "166"};

/// Moves the entries that `order` names to the front, in its order; the others stay behind as they
/// stand. name_of: of an entry.
template <class T, std::size_t n, class Name>
void put_first(std::vector<T>& entries,
               const std::array<std::string_view, n>& order,
               Name name_of) {
  const auto place = [&](const T& entry) {
    return std::find(order.begin(), order.end(), name_of(entry)) - order.begin();
  };
  std::stable_sort(entries.begin(), entries.end(),
                   [&](const T& a, const T& b) { return place(a) < place(b); });
}

/// One control mask, and the file it stands in below the folder that is written.
struct drawn {
  fs::path file;
  std::vector<std::size_t> extents;
  mask value;
};

/// `CoLA/seed_42/head_mask.npy`, after the file of the good mask.
fs::path place_of(const fs::path& good) {
  const fs::path seed = good.parent_path();
  return seed.parent_path().filename() / seed.filename() / good.filename();
}

std::vector<drawn> draw_random(analysis::ticket_set good) {
  put_first(good.tasks, tasks_of_random, [](const auto& t) { return std::string_view{t.task}; });
  study::mersenne_twister draws{13};
  std::vector<drawn> all;
  for (analysis::task_tickets& task : good.tasks) {
    put_first(task.seeds, seeds_of_random, [](const auto& s) { return std::string_view{s.seed}; });
    for (const analysis::seed_ticket& s : task.seeds) {
      for (std::size_t g = 0; g < s.files.size(); ++g) {
        all.push_back({place_of(s.files[g]), s.value.groups()[g].extents,
                       study::random_like(s.value[g], draws)});
      }
    }
  }
  return all;
}

std::vector<drawn> draw_super(analysis::ticket_set good,
                              const std::string& kind,
                              mask study::super_masks::*wanted) {
  study::python_random draws{1337};
  std::vector<drawn> all;
  for (analysis::task_tickets& task : good.tasks) {
    if (task.seeds.size() < 2) {
      throw input_error("controls: found 1 ticket of " + io::shown(task.task) + " for kind " +
                        kind + ", expected at least 2");
    }
    put_first(task.seeds, seeds_of_super, [](const auto& s) { return std::string_view{s.seed}; });
    std::vector<study::super_masks> made;
    for (std::size_t g = 0; g < task.seeds.front().files.size(); ++g) {
      std::vector<mask> of_seeds;
      for (const analysis::seed_ticket& s : task.seeds) of_seeds.push_back(s.value[g]);
      made.push_back(study::begin_super(of_seeds));
    }
    for (const analysis::seed_ticket& s : task.seeds) {
      for (auto& m : made) study::resize_bizzaro(m, draws);
      for (auto& m : made) study::draw_midling(m, draws);
      for (std::size_t g = 0; g < made.size(); ++g) {
        all.push_back({place_of(s.files[g]), s.value.groups()[g].extents, made[g].*wanted});
      }
    }
  }
  return all;
}

std::vector<drawn> draw(const controls_options& o, analysis::ticket_set good) {
  if (o.kind == "random") return draw_random(std::move(good));
  if (o.kind == "super") return draw_super(std::move(good), o.kind, &study::super_masks::super);
  if (o.kind == "bizzaro") return draw_super(std::move(good), o.kind, &study::super_masks::bizzaro);
  if (o.kind == "midling") return draw_super(std::move(good), o.kind, &study::super_masks::midling);
  throw input_error("controls: the study has no generator to draw " + o.kind +
                    " again with, expected random, super, bizzaro or midling in mode study");
}

}  // namespace

void study_controls(const controls_options& o, const common_options& c) {
  if (o.tickets.size() != 1) {
    throw input_error("controls: " + std::to_string(o.tickets.size()) +
                      " places, expected one folder of masks in mode study");
  }
  analysis::ticket_set good = analysis::read_mask_set(o.tickets.front());
  if (good.tasks.empty()) {
    throw input_error(o.tickets.front().string() +
                      ": no masks in it, expected <task>/seed_<n>/head_mask.npy or mlp_mask.npy");
  }
  // Its random masks are float32, the others float64, as NumPy's operations left them.
  const auto number = o.kind == "random" ? io::mask_number::float32 : io::mask_number::float64;
  const std::vector<drawn> all = draw(o, std::move(good));
  // All of them or none: half a set would be agreed upon like a whole one.
  const fs::path whole = (o.out / "").parent_path();  // without a slash at its end
  if (whole.has_parent_path()) io::make_folders(whole.parent_path());
  io::atomic_folder out{whole};
  out.named([&] {
    for (const drawn& d : all) {
      const fs::path file = out.path() / d.file;
      io::make_folders(file.parent_path());
      io::write_mask_npy(file, d.extents, d.value, number);
    }
  });
  out.commit();
  if (c.json) {
    std::cout << json_line(
        {{"folder", o.out.string()}, {"kind", o.kind}, {"mode", "study"}, {"files", all.size()}});
  } else {
    std::cout << fmt::format("{} masks of kind {}, as the study drew them\n{}\n", all.size(),
                             o.kind, o.out.string());
  }
}

}  // namespace tombola::driver
