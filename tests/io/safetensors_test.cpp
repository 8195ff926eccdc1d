#include "tombola/io/safetensors.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

std::string file_of(const std::string& header, const std::string& data) {
  return bytes_of(std::uint64_t{header.size()}) + header + data;
}

std::string one(const std::string& members, std::size_t bytes = 8) {
  return file_of("{\"w\":{" + members + "}}", std::string(bytes, '\1'));
}

/// A sentence that ends in * goes on in words that the JSON library chooses.
struct malformed {
  std::string content;
  std::string sentence;
};

void check_all(const std::vector<malformed>& cases) {
  const scratch_folder folder;
  const auto path = folder / "x.safetensors";
  for (const malformed& m : cases) {
    put(path, m.content);
    std::string found =
        sentence<format_error>([&] { io::safetensors_file{path}; }, path.string() + ": ");
    if (m.sentence.ends_with('*')) found.replace(m.sentence.size() - 1, found.npos, "*");
    CHECK(found == m.sentence);
  }
}

template <class T>
std::span<const std::byte> raw(const std::vector<T>& v) {
  return std::as_bytes(std::span{v});
}

}  // namespace

TEST_CASE("safetensors: a lying length or start is refused") {
  check_all({
      {"", "has 0 bytes, expected at least the 8 of a safetensors header length"},
      {"1234567", "has 7 bytes, expected at least the 8 of a safetensors header length"},
      {std::string(8, '\xFF'),
       "claims a header of 18446744073709551615 bytes, expected at most 100000000"},
      {bytes_of(std::uint64_t{100'000'001}),
       "claims a header of 100000001 bytes, expected at most 100000000"},
      {bytes_of(std::uint64_t{100'000'000}),
       "claims a header of 100000000 bytes but has 0 after the length"},
      {bytes_of(std::uint64_t{3}) + "{}", "claims a header of 3 bytes but has 2 after the length"},
      {bytes_of(std::uint64_t{0}), "header does not start with '{', expected a JSON object"},
      {file_of(" {}", ""), "header does not start with '{', expected a JSON object"},
      {file_of("[]", ""), "header does not start with '{', expected a JSON object"},
  });
}

TEST_CASE("safetensors: a header that is not the JSON of the format is refused") {
  const std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  check_all({
      {file_of("{}}", ""), "header is not JSON at byte 3: *"},
      {file_of("{\"\xFF\":1}", ""), "header is not JSON at byte 3: *"},
      {file_of(R"({"w":1})", ""), "tensor 'w' is the number 1, expected an object"},
      {file_of(R"({"w":[]})", ""), "tensor 'w' is a list, expected an object"},
      {file_of(R"({"w":null})", ""), "tensor 'w' is null, expected an object"},
      {one(good + R"(,"x":1)"),
       "tensor 'w' has the key 'x', expected dtype, shape and data_offsets alone"},
      {one(good + R"(,"shape":[2])"), "tensor 'w' has shape twice"},
      {file_of("{\"w\":{" + good + "},\"w\":{" + good + "}}", std::string(8, 'x')),
       "header names 'w' twice"},
      {one(R"("shape":[2],"data_offsets":[0,8])"), "tensor 'w' has no dtype"},
      {one(R"("dtype":"F32","data_offsets":[0,8])"), "tensor 'w' has no shape"},
      {one(R"("dtype":"F32","shape":[2])"), "tensor 'w' has no data_offsets"},
      {one(R"("dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8])"),
       "tensor 'w' has dtype 'F8_E4M3', expected F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, "
       "U16, U8 or BOOL"},
      {one(R"("dtype":4,"shape":[2],"data_offsets":[0,8])"),
       "tensor 'w' has the number 4 as its dtype, expected a string"},
      {one(R"("dtype":"F32","shape":2,"data_offsets":[0,8])"),
       "tensor 'w' has the number 2 as its shape, expected a list of whole numbers"},
      {one(R"("dtype":"F32","shape":[[2]],"data_offsets":[0,8])"),
       "tensor 'w' has a list in its shape, expected whole numbers of 0 or more"},
      {one(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"),
       "tensor 'w' has the number -2 in its shape, expected whole numbers of 0 or more"},
      {one(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"),
       "tensor 'w' has the number '2.0' in its shape, expected whole numbers of 0 or more"},
      {one(R"("dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8])"),
       "tensor 'w' has the number '18446744073709551616' in its shape, expected whole numbers of 0 "
       "or more"},
      {one(R"("dtype":"F32","shape":[2],"data_offsets":[0,"8"])"),
       "tensor 'w' has the string '8' in its data_offsets, expected whole numbers of 0 or more"},
      {one(R"("dtype":"F32","shape":[2],"data_offsets":[0])"),
       "tensor 'w' has 1 data_offsets, expected 2"},
      {one(R"("dtype":"F32","shape":[2],"data_offsets":[0,4,8])"),
       "tensor 'w' has 3 data_offsets, expected 2"},
      {file_of(R"({"__metadata__":{"a":1}})", ""),
       "header: '__metadata__' holds the number 1 under 'a', expected a string"},
      {file_of(R"({"__metadata__":{"a":{}}})", ""),
       "header: '__metadata__' holds an object under 'a', expected a string"},
      {file_of(R"({"__metadata__":{"a":"","a":""}})", ""),
       "header: '__metadata__' has the key 'a' twice"},
  });
}

TEST_CASE("safetensors: shapes and offsets that do not tile the data are refused") {
  const auto two = [](const std::string& a, const std::string& b, std::size_t bytes) {
    return file_of(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[)" + a +
                       R"(]},"b":{"dtype":"U8","shape":[4],"data_offsets":[)" + b + "]}}",
                   std::string(bytes, 'x'));
  };
  check_all({
      {one(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"),
       "tensor 'w' of type F32 and shape (3,) takes 12 bytes but has 8"},
      {one(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])", 7),
       "tensor 'w' takes bytes 0 to 8 but the file has 7 bytes of data"},
      {one(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])", 9),
       "has 1 bytes after its last tensor, expected none"},
      {one(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"),
       "tensor 'w' ends before it begins: bytes 8 to 0"},
      {one(R"("dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,18446744073709551615])"),
       "tensor 'w' takes bytes 18446744073709551612 to 18446744073709551615 but the file has 8 "
       "bytes "
       "of data"},
      {one(R"("dtype":"F32","shape":[4294967296,1073741824],"data_offsets":[0,0])", 0),
       "tensor 'w' has shape (4294967296, 1073741824), whose bytes do not fit 64 bits"},
      {one(R"("dtype":"F32","shape":[0,4294967296,1073741824],"data_offsets":[0,0])", 0),
       "tensor 'w' has shape (0, 4294967296, 1073741824), whose bytes do not fit 64 bits"},
      {two("0,4", "5,9", 9), "tensor 'b' begins at byte 5, leaving a gap after 4"},
      {two("0,4", "3,7", 7),
       "tensor 'b' begins at byte 3, inside the tensor before it that ends at 4"},
      {two("0,4", "0,4", 4),
       "tensor 'b' begins at byte 0, inside the tensor before it that ends at 4"},
      {two("1,5", "5,9", 9), "tensor 'a' begins at byte 1, leaving a gap after 0"},
  });
}

TEST_CASE("safetensors: what a file says about itself cannot reach the terminal raw") {
  const scratch_folder folder;
  const auto path = folder / "x.safetensors";
  put(path, file_of("{\"\\u001b[31m" + std::string(200, 'n') + "\":1}", ""));
  const auto s = sentence<format_error>([&] { io::safetensors_file{path}; }, path.string() + ": ");
  CHECK(s == "tensor '?[31m" + std::string(75, 'n') + "...' is the number 1, expected an object");
}

TEST_CASE("safetensors: every type is read, from unaligned bytes too") {
  // The U8 tensor in front makes everything after it start at an odd byte.
  const std::string data = "\x07" + bytes_of(-0.5) + bytes_of(1.25F) + std::string("\x00\x3E", 2) +
                           std::string("\xC0\xBF", 2) + bytes_of(std::int64_t{-3}) +
                           bytes_of(std::int32_t{-4}) + bytes_of(std::int16_t{-5}) + "\xFA" +
                           bytes_of(std::uint64_t{7}) + bytes_of(std::uint32_t{8}) +
                           bytes_of(std::uint16_t{9}) + "\x01";
  const std::vector<std::pair<std::string, std::size_t>> types{
      {"U8", 1},  {"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8}, {"I32", 4},
      {"I16", 2}, {"I8", 1},  {"U64", 8}, {"U32", 4}, {"U16", 2},  {"BOOL", 1}};
  const std::vector<double> expected{7, -0.5, 1.25, 1.5, -1.5, -3, -4, -5, -6, 7, 8, 9, 1};
  std::string header = "{";
  std::size_t at = 0;
  for (const auto& [type, bytes] : types) {
    header += "\"" + type + "\":{\"dtype\":\"" + type + "\",\"shape\":[],\"data_offsets\":[" +
              std::to_string(at) + "," + std::to_string(at + bytes) + "]},";
    at += bytes;
  }
  header.back() = '}';
  header += "  ";
  const scratch_folder folder;
  put(folder / "x", file_of(header, data));
  const io::safetensors_file file{folder / "x"};
  REQUIRE(file.tensors().size() == types.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    const auto* t = file.find(types[i].first);
    REQUIRE(t != nullptr);
    CHECK(t->name == file.tensors()[i].name);
    CHECK(io::to_doubles(*t) == std::vector<double>{expected[i]});
    CHECK(io::to_floats(*t) == std::vector<float>{static_cast<float>(expected[i])});
  }
  CHECK(file.find("nothing") == nullptr);
  CHECK(file.path() == folder / "x");
  CHECK(sentence<format_error>([&] { (void)file.at("nothing"); }, file.path().string()) ==
        ": has no tensor 'nothing'");
  std::vector<float> two(2);
  CHECK(sentence<shape_error>([&] { io::copy_floats(file.at("F32"), two); }) ==
        "tensor 'F32' () has 1 elements, expected 2");
}

TEST_CASE("half precision is converted exactly") {
  CHECK(io::half_to_float(0x0001) == 0x1.0p-24F);
  CHECK(io::half_to_float(0x03FF) == 1023 * 0x1.0p-24F);
  CHECK(io::half_to_float(0x0400) == 0x1.0p-14F);
  CHECK(io::half_to_float(0x7BFF) == 65504.0F);
  CHECK(io::half_to_float(0x7C00) == std::numeric_limits<float>::infinity());
  CHECK(io::half_to_float(0xFC00) == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(io::half_to_float(0x7E01)));
  CHECK(std::signbit(io::half_to_float(0x8000)));
  // Every finite half is a distinct float that grows with its bits.
  for (std::uint16_t h = 1; h < 0x7C00; ++h) {
    if (!(io::half_to_float(h) > io::half_to_float(static_cast<std::uint16_t>(h - 1)))) FAIL(h);
  }
  CHECK(io::bfloat_to_float(0x3FC0) == 1.5F);
}

TEST_CASE("safetensors: what is written is read back, wide elements first") {
  const std::vector<std::uint8_t> bits{1, 2, 3};
  const std::vector<float> weights{1.5F, -2.0F, 0x1.0p-149F, 4.0F, 5.0F, 6.0F};
  const std::vector<double> none;
  const scratch_folder folder;
  const auto path = folder / "x.safetensors";
  io::write_safetensors(path,
                        std::vector<io::tensor_to_write>{
                            {"bits", io::dtype::u8, {3}, raw(bits)},
                            {"a \"quoted\"\n name", io::dtype::f32, {2, 3}, raw(weights)},
                            {"empty", io::dtype::f64, {0, 7}, raw(none)}},
                        {{"k", "v \xC3\xA9"}, {"format", "pt"}});
  const std::string content = get(path);
  CHECK(static_cast<unsigned char>(content[0]) % 8 == 0);
  const io::safetensors_file file{path};
  REQUIRE(file.tensors().size() == 3);
  CHECK(file.tensors()[0].name == "empty");
  CHECK(file.tensors()[1].name == "a \"quoted\"\n name");
  CHECK(file.tensors()[2].name == "bits");
  CHECK(file.tensors()[0].shape == std::vector<std::size_t>{0, 7});
  CHECK(file.tensors()[1].shape == std::vector<std::size_t>{2, 3});
  CHECK(file.tensors()[1].type == io::dtype::f32);
  CHECK(io::to_floats(file.tensors()[1]) == weights);
  CHECK(io::to_doubles(file.tensors()[2]) == std::vector<double>{1, 2, 3});
  CHECK(file.metadata() ==
        std::map<std::string, std::string>{{"format", "pt"}, {"k", "v \xC3\xA9"}});
  // Moving keeps the mapping.
  io::safetensors_file moved{path};
  const auto* before = moved.find("bits");
  const io::safetensors_file taken = std::move(moved);
  CHECK(taken.find("bits") == before);
  CHECK(io::to_doubles(*taken.find("bits")).back() == 3);
}

TEST_CASE("safetensors: what cannot be written is refused and leaves no file") {
  const std::vector<float> v{1, 2};
  const scratch_folder folder;
  const auto path = folder / "x.safetensors";
  const auto refused = [&](std::vector<io::tensor_to_write> tensors) {
    return sentence<input_error>([&] { io::write_safetensors(path, tensors); },
                                 path.string() + ": ");
  };
  CHECK(refused({{"w", io::dtype::f32, {3}, raw(v)}}) ==
        "tensor 'w' of shape (3,) takes 12 bytes but was given 8");
  CHECK(refused({{"w", io::dtype::f32, {2}, raw(v)}, {"w", io::dtype::f32, {2}, raw(v)}}) ==
        "the tensor name 'w' is taken");
  CHECK(refused({{"__metadata__", io::dtype::f32, {2}, raw(v)}}) ==
        "the tensor name '__metadata__' is taken");
  CHECK(refused({{"\xFF", io::dtype::f32, {2}, raw(v)}}).starts_with("a name cannot be written: "));
  CHECK(folder.names().empty());
}
