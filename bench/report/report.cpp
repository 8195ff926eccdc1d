// How long does a report on all of the study's mask files take, from the files to the page?

#include <cstdlib>
#include <filesystem>
#include <string>

#include "bench/support/question.hpp"

#include "tombola/analysis/report_input.hpp"
#include "tombola/analysis/write_report.hpp"
#include "tombola/io/npy.hpp"

namespace {

namespace fs = std::filesystem;
using namespace tombola;

/// A folder in the study's layout with as many masks, for where the study's own are not at hand.
void write_masks(const fs::path& folder) {
  std::uint64_t drawn = 0;
  for (int set = 0; set < 10; ++set) {
    for (int task = 0; task < 9; ++task) {
      for (const int seed : {42, 71, 86, 166, 1337}) {
        const fs::path run = folder / ("set" + std::to_string(set)) /
                             ("task" + std::to_string(task)) / ("seed_" + std::to_string(seed));
        fs::create_directories(run);
        io::write_mask_npy(run / "head_mask.npy", {12, 12}, bench::random_mask(144, ++drawn),
                           io::mask_number::float32);
        io::write_mask_npy(run / "mlp_mask.npy", {12}, bench::random_mask(12, ++drawn),
                           io::mask_number::float32);
      }
    }
  }
}

std::size_t arrays_in(const fs::path& folder) {
  std::size_t n = 0;
  for (const auto& entry : fs::recursive_directory_iterator{folder}) {
    n += entry.path().extension() == ".npy" ? 1U : 0U;
  }
  return n;
}

}  // namespace

int main(int argc, char** argv) {
  const fs::path scratch = fs::temp_directory_path() / "tombola_bench_report";
  fs::remove_all(scratch);
  const char* shared = std::getenv("TOMBOLA_SHARED");
  fs::path masks = fs::path{shared ? shared : "../shared"} / "data/lottery-masks/masks";
  const bool studied = fs::exists(masks);
  if (!studied) {
    masks = scratch / "masks";
    write_masks(masks);
  }

  const auto ours = [&] {
    const auto in = analysis::read_report_input(masks);
    return analysis::write_report(in, scratch / "report");
  };
  // The answer first: every set has its sections, and the page is there.
  bench::require_equal(analysis::read_report_input(masks).sets.size(), studied ? 11 : 10, "sets");
  bench::require_equal(fs::file_size(ours().page) > 100'000 ? 1 : 0, 1, "a page of some size");

  bench::question q{.name = "report",
                    .size = std::to_string(arrays_in(masks)) + " arrays" +
                            (studied ? " of the study" : ", generated"),
                    .ours = {"read, compute, write", 1, [&] { ours(); }}};
  const int code = q.run(argc, argv);
  fs::remove_all(scratch);
  return code;
}
