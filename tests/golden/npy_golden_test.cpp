#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/shared.hpp"

#include "tombola/io/npy.hpp"
#include "tombola/io/safetensors.hpp"

using namespace tombola;
using namespace tombola::test;

TEST_CASE("golden: every .npy mask and score file of the study is rewritten byte for byte") {
  const auto root = shared("data/lottery-masks");
  if (!root) return;
  const scratch_folder folder;
  const auto copy = folder / "copy.npy";
  std::size_t masks = 0, arrays = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{*root}) {
    if (entry.path().extension() != ".npy") continue;
    INFO(entry.path().string());
    const std::string original = get(entry.path());
    const auto array = io::read_npy(entry.path());
    if (array.type == io::dtype::f32) {
      const std::vector<float> values(array.values.begin(), array.values.end());
      io::write_npy(copy, array.extents, std::span<const float>{values});
    } else {
      REQUIRE(array.type == io::dtype::f64);
      io::write_npy(copy, array.extents, std::span<const double>{array.values});
    }
    if (get(copy) != original) FAIL_CHECK("rewritten as an array it differs");
    ++arrays;
    if (entry.path().filename().string().find("mask") == std::string::npos) continue;
    const auto m = io::read_mask_npy(entry.path());
    io::write_mask_npy(
        copy, m.extents, m.mask,
        array.type == io::dtype::f32 ? io::mask_number::float32 : io::mask_number::float64);
    if (get(copy) != original) FAIL_CHECK("rewritten as a mask it differs");
    ++masks;
  }
  CHECK(masks > 0);
  CHECK(arrays >= masks);
}

TEST_CASE(
    "golden: safetensors files that Python wrote are read, and rewritten to the same tensors") {
  const auto root = shared("goldens");
  if (!root) return;
  const scratch_folder folder;
  const auto copy = folder / "copy.safetensors";
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{*root}) {
    if (entry.path().extension() != ".safetensors") continue;
    INFO(entry.path().string());
    const io::safetensors_file file{entry.path()};
    std::vector<io::tensor_to_write> tensors;
    for (const auto& t : file.tensors()) tensors.push_back({t.name, t.type, t.shape, t.bytes});
    io::write_safetensors(copy, tensors, file.metadata());
    const io::safetensors_file again{copy};
    CHECK(again.metadata() == file.metadata());
    REQUIRE(again.tensors().size() == file.tensors().size());
    for (const auto& t : file.tensors()) {
      const auto& u = again.at(t.name);
      if (u.type != t.type || u.shape != t.shape ||
          !std::equal(u.bytes.begin(), u.bytes.end(), t.bytes.begin(), t.bytes.end())) {
        FAIL_CHECK("tensor " << t.name << " differs");
      }
    }
    ++files;
  }
  CHECK(files > 0);
}
