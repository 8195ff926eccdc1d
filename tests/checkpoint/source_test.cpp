#include <string>
#include <vector>

#include "tests/checkpoint/fabricated.hpp"

#include "tombola/checkpoint/checkpoint.hpp"

using namespace tombola;
using namespace tombola::test;
using io::dtype;

namespace {

struct shards {
  scratch_folder folder;

  shards() {
    write_checkpoint(folder / "one.safetensors",
                     {{"a", dtype::f32, {2, 2}, {1, 0, 2, 0}}, {"b", dtype::bf16, {3}, {1, 2, 3}}});
    write_checkpoint(folder / "two.safetensors", {{"c", dtype::f16, {1, 2}, {0, 5}}});
    index({{"a", "one.safetensors"}, {"b", "one.safetensors"}, {"c", "two.safetensors"}});
  }
  void index(const nlohmann::json& map) const {
    io::write_json(folder / "model.safetensors.index.json",
                   {{"metadata", {{"total_size", 1}}}, {"weight_map", map}});
  }
  std::string refused() const {
    return sentence_of(folder.path(), [&] { checkpoint::source{folder.path()}; });
  }
};

}  // namespace

TEST_CASE("a checkpoint of one file, of several, and of a folder are read alike") {
  const shards s;
  const checkpoint::source whole{s.folder.path()};
  CHECK(whole.has_index());
  REQUIRE(whole.shards().size() == 2);
  CHECK(whole.shards()[1].path.filename() == "two.safetensors");
  REQUIRE(whole.tensors().size() == 3);
  const checkpoint::stored_tensor& b = whole.tensors()[*whole.find("b")];
  CHECK(b.size() == 3);
  std::vector<std::byte> bytes(4);
  whole.read(b, 2, bytes);
  CHECK(bytes == encoded(dtype::bf16, {2, 3}));
  CHECK(whole.find("d") == nullptr);

  const checkpoint::source one{s.folder / "one.safetensors"};
  CHECK_FALSE(one.has_index());
  CHECK(one.tensors().size() == 2);

  const scratch_folder other;
  write_checkpoint(other / "weights.safetensors", {{"a", dtype::f32, {1}, {1}}});
  CHECK(checkpoint::source{other.path()}.path() == other / "weights.safetensors");
  write_checkpoint(other / "model.safetensors", {{"b", dtype::f32, {1}, {1}}});
  CHECK(checkpoint::source{other.path()}.find("b") != nullptr);
}

TEST_CASE("an index that lies is told what it said and what was found") {
  const shards s;
  SECTION("a shard is missing") {
    std::filesystem::remove(s.folder / "two.safetensors");
    CHECK(s.refused() ==
          "two.safetensors: cannot be opened for reading: No such file or directory");
  }
  SECTION("two shards have one name") {
    write_checkpoint(s.folder / "two.safetensors", {{"a", dtype::f16, {1, 2}, {0, 5}}});
    CHECK(s.refused() ==
          "model.safetensors.index.json: tensor 'a' lies in both 'one.safetensors' and "
          "'two.safetensors', expected one of them");
  }
  SECTION("a tensor lies elsewhere") {
    s.index({{"a", "two.safetensors"}, {"b", "one.safetensors"}, {"c", "two.safetensors"}});
    CHECK(
        s.refused() ==
        "model.safetensors.index.json: says that tensor 'a' lies in 'two.safetensors', found it in "
        "'one.safetensors'");
  }
  SECTION("a tensor is not named") {
    s.index({{"a", "one.safetensors"}, {"c", "two.safetensors"}});
    CHECK(s.refused() ==
          "model.safetensors.index.json: does not name the tensor 'b' of 'one.safetensors'");
  }
  SECTION("a tensor is not there") {
    s.index({{"a", "one.safetensors"},
             {"b", "one.safetensors"},
             {"c", "two.safetensors"},
             {"d", "two.safetensors"}});
    CHECK(
        s.refused() ==
        "model.safetensors.index.json: says that tensor 'd' lies in 'two.safetensors', which does "
        "not have it");
  }
  SECTION("a file's name would choose what a terminal does") {
    for (const std::string& name : {std::string{"\x1B[31m"}, std::string{"a\n"},
                                    std::string{"\xC2\x9B"}, std::string(1, '\0')}) {
      s.index({{"a", name}});
      CHECK(s.refused().starts_with("model.safetensors.index.json: tensor 'a' lies in '"));
      CHECK(s.refused().ends_with("', expected the name of a file beside the index"));
      CHECK_FALSE(has_control_characters(s.refused()));
    }
  }
  SECTION("a file lies elsewhere") {
    for (const std::string name : {"../one.safetensors", "/etc/passwd", "", ".", "..", "x/y"}) {
      s.index({{"a", name}});
      CHECK(s.refused() == "model.safetensors.index.json: tensor 'a' lies in '" + name +
                               "', expected the name of a file beside the index");
    }
  }
  SECTION("the map is none") {
    s.index(nlohmann::json::array());
    CHECK(
        s.refused() ==
        "model.safetensors.index.json: 'weight_map' is a list, expected an object of tensor names "
        "and files");
    s.index({{"a", 3}});
    CHECK(s.refused() ==
          "model.safetensors.index.json: tensor 'a' lies in '3', expected the name of a file");
    s.index(nlohmann::json::object());
    CHECK(s.refused() == "model.safetensors.index.json: names no tensor, expected some");
    io::write_json(s.folder / "model.safetensors.index.json", {{"metadata", 1}});
    CHECK(s.refused() == "model.safetensors.index.json: has no 'weight_map', expected a value");
  }
  SECTION("too many files") {
    nlohmann::json map = nlohmann::json::object();
    for (int i = 0; i < 401; ++i) map["t" + std::to_string(i)] = std::to_string(i);
    s.index(map);
    CHECK(s.refused() == "model.safetensors.index.json: names 401 files, expected at most 400");
  }
}

TEST_CASE("a folder without a checkpoint, or with a choice of them, says so") {
  const scratch_folder folder;
  const auto refused = [&] {
    return sentence_of(folder.path().parent_path(), [&] { checkpoint::source{folder.path()}; });
  };
  const std::string name = folder.path().filename().string();
  const std::string none =
      name + ": has no *.safetensors with weights of its own, expected a checkpoint";
  CHECK(refused() == none);
  CHECK_FALSE(checkpoint::find_weights(folder.path()));
  // What lies deeper is not the folder's own, and a ticket is no weights.
  std::filesystem::create_directory(folder / "inner");
  write_checkpoint(folder / "inner" / "model.safetensors", {{"a", dtype::f32, {1}, {1}}});
  write_checkpoint(folder / "t.safetensors", {{"a", dtype::f32, {1}, {1}}},
                   {{"format", "tombola-ticket"}});
  CHECK(refused() == none);
  write_checkpoint(folder / "a.safetensors", {{"a", dtype::f32, {1}, {1}}});
  write_checkpoint(folder / "b.safetensors", {{"a", dtype::f32, {1}, {1}}});
  CHECK(refused() == name + ": has 2 files *.safetensors, expected one, or to be told which");
}

TEST_CASE("a checkpoint that becomes shorter while it is read is an error, not a crash") {
  const scratch_folder folder;
  write_checkpoint(folder / "m.safetensors", {{"a", dtype::f32, {4}, {1, 2, 3, 4}}});
  const checkpoint::source s{folder / "m.safetensors"};
  std::filesystem::resize_file(folder / "m.safetensors", s.tensors()[0].offset + 4);
  std::vector<std::byte> bytes(16);
  CHECK_THROWS_WITH(s.read(s.tensors()[0], 0, bytes),
                    Catch::Matchers::EndsWith("the file has become shorter"));
}
