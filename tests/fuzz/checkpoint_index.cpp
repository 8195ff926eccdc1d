// Indexes of checkpoints, in a folder with two files of tensors.

#include <span>
#include <vector>

#include "tests/fuzz/support.hpp"

#include "tombola/checkpoint/checkpoint.hpp"
#include "tombola/io/safetensors.hpp"

using namespace tombola;

namespace {

void write_shards() {
  const std::vector<float> numbers{1, 2, 3};
  const auto raw = std::as_bytes(std::span{numbers});
  io::write_safetensors(fuzz::scratch() / "a.safetensors",
                        std::vector<io::tensor_to_write>{{"x", io::dtype::f32, {3}, raw},
                                                         {"y", io::dtype::u8, {12}, raw}});
  io::write_safetensors(fuzz::scratch() / "b.safetensors",
                        std::vector<io::tensor_to_write>{{"z", io::dtype::f32, {3}, raw}});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool made = (write_shards(), true);
  fuzz::hold(made, "there are shards");
  const auto& folder = fuzz::as_folder(fuzz::text_of(data, size), {"index.json"});
  const auto read = fuzz::accepted([&] { return checkpoint::source{folder / "index.json"}; }, true);
  if (!read) return 0;
  for (const auto& t : read->tensors()) {
    const std::size_t* place = read->find(t.name);
    fuzz::hold(place != nullptr && &read->tensors()[*place] == &t, "a tensor is found by its name");
    const auto& shard = read->shards()[t.shard];
    fuzz::hold(t.offset + t.bytes <= shard.bytes, "a tensor lies in its file");
    fuzz::hold(shard.path.parent_path() == folder, "a file lies beside its index");
  }
  return 0;
}

void fuzz::make_seeds(seeds& to) {
  const std::string full = R"({"metadata": {"total_size": 36}, "weight_map":
{"x": "a.safetensors", "y": "a.safetensors", "z": "b.safetensors"}})";
  to.add(full);
  to.add(R"({"weight_map": {"z": "b.safetensors"}})");
  to.add(R"({"weight_map": {}})");
  to.add(full, "b.safetensors", "a.safetensors");
  to.add(full, "b.safetensors", "../b.safetensors");
  to.add(full, "b.safetensors", "\\u001b[31m");
  to.add(full, "\"b.safetensors\"", "[]");
  to.add(full, "\"z\"", "\"\\u001b[31m\"");
  to.add(full, "36", "-36");
  to.words({"\"weight_map\":", "\"metadata\":", "\"total_size\":", "a.safetensors", "b.safetensors",
            "index.json", "\"x\"", "\"y\"", "\"z\"", "..", "/", "\\u0000", "\\u001b", "null"});
}
