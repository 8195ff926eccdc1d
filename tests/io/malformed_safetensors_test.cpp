#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/io/malformed.hpp"

#include "tombola/io/safetensors.hpp"
#include "tombola/io/safetensors_values.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

std::string file_of(const std::string& header, std::size_t data = 0) {
  return bytes_of(std::uint64_t{header.size()}) + header + std::string(data, '\2');
}

/// `"NAME":{...}` as a header has it.
std::string tensor(const std::string& name,
                   const std::string& dtype,
                   const std::string& shape,
                   const std::string& offsets) {
  return '"' + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" +
         offsets + '}';
}

void open_tensors(const std::filesystem::path& path) {
  const io::safetensors_file file{path};
}

}  // namespace

TEST_CASE("malformed safetensors: the header") {
  const std::string a = tensor("a", "I32", "[2]", "[0,8]");
  const std::string two_to_64 = "18446744073709551616";
  refuse_each(
      {
          {"{}", ": has 2 bytes, expected at least the 8 of a safetensors header length"},
          {bytes_of(std::uint64_t{2}) + "{",
           ": claims a header of 2 bytes but has 1 after the length"},
          {bytes_of(std::uint64_t{1} << 63) + "{}",
           ": claims a header of 9223372036854775808 bytes, expected at most 100000000"},
          {file_of("\xEF\xBB\xBF{}"), ": header does not start with '{', expected a JSON object"},
          {file_of("{" + a), ": header is not JSON at byte *"},
          {file_of("{" + a + "}", 8) + "x", ": has 1 bytes after its last tensor, expected none"},
          {file_of(R"({"a":"F32"})"), ": tensor 'a' is the string 'F32', expected an object"},
          {file_of(R"({"a":-0.5})"), ": tensor 'a' is the number '-0.5', expected an object"},
          {file_of(R"({"a":true})"), ": tensor 'a' is true, expected an object"},
          {file_of(R"({"a":{}})"), ": tensor 'a' has no dtype"},
          {file_of(R"({"a":{"shape":{}}})"),
           ": tensor 'a' has an object as its shape, expected a list of whole numbers"},
          {file_of(R"({"a":{"dtype":["F32"]}})"),
           ": tensor 'a' has a list as its dtype, expected a string"},
          {file_of(R"({"a":{"data_offsets":null}})"),
           ": tensor 'a' has null as its data_offsets, expected a list of whole numbers"},
          {file_of(R"({"a":{"strides":[1]}})"),
           ": tensor 'a' has the key 'strides', expected dtype, shape and data_offsets alone"},
          {file_of(R"({"a":{"dtype":"U8","dtype":"U8"}})"), ": tensor 'a' has dtype twice"},
          {file_of("{" + tensor("a", "f32", "[0]", "[0,0]") + "}"),
           ": tensor 'a' has dtype 'f32', expected F64, F32, F16, BF16, I64, I32, I16, I8, U64, "
           "U32, U16, U8 or BOOL"},
          {file_of("{" + tensor("a", "U8", "[" + two_to_64 + "]", "[0,0]") + "}"),
           ": tensor 'a' has the number '" + two_to_64 +
               "' in its shape, expected whole numbers of 0 or more"},
          {file_of("{" + tensor("a", "U8", "[null]", "[0,0]") + "}"),
           ": tensor 'a' has null in its shape, expected whole numbers of 0 or more"},
          {file_of("{" + tensor("a", "U8", "[0]", "[-1,0]") + "}"),
           ": tensor 'a' has the number -1 in its data_offsets, expected whole numbers of 0 or "
           "more"},
          {file_of("{" + tensor("a", "U8", "[0]", "[]") + "}"),
           ": tensor 'a' has 0 data_offsets, expected 2"},
          {file_of("{" + a + "," + a + "}", 8), ": header names 'a' twice"},
          {file_of(R"({"__metadata__":[]})"),
           ": header: '__metadata__' is a list, expected an object"},
          {file_of(R"({"__metadata__":{"k":null}})"),
           ": header: '__metadata__' holds null under 'k', expected a string"},
          {file_of(R"({"__metadata__":{"k":"1","l":"2","k":"1"}})"),
           ": header: '__metadata__' has the key 'k' twice"},
      },
      open_tensors);
}

TEST_CASE("malformed safetensors: where the tensors lie") {
  const auto one = [](const std::string& dtype, const std::string& shape,
                      const std::string& offsets, std::size_t data) {
    return file_of("{" + tensor("w", dtype, shape, offsets) + "}", data);
  };
  const auto two = [](const std::string& first, const std::string& second) {
    return file_of(
        "{" + tensor("a", "U8", "[4]", first) + "," + tensor("b", "I16", "[2]", second) + "}", 8);
  };
  const std::string most = "18446744073709551615";
  refuse_each(
      {
          {one("F64", "[1]", "[0,4]", 4),
           ": tensor 'w' of type F64 and shape (1,) takes 8 bytes but has 4"},
          {one("BF16", "[]", "[0,4]", 4),
           ": tensor 'w' of type BF16 and shape () takes 2 bytes but "
           "has 4"},
          {one("BOOL", "[2,0,3]", "[0,1]", 1),
           ": tensor 'w' of type BOOL and shape (2, 0, 3) takes 0 bytes but has 1"},
          {one("U8", "[4]", "[0,4]", 3),
           ": tensor 'w' takes bytes 0 to 4 but the file has 3 bytes of data"},
          {one("U8", "[1]", "[0," + most + "]", 1),
           ": tensor 'w' takes bytes 0 to " + most + " but the file has 1 bytes of data"},
          {one("U8", "[1]", "[1,0]", 1), ": tensor 'w' ends before it begins: bytes 1 to 0"},
          {one("U8", "[" + most + ",2]", "[0,0]", 0),
           ": tensor 'w' has shape (" + most + ", 2), whose bytes do not fit 64 bits"},
          {one("F64", "[0,2305843009213693952]", "[0,0]", 0),
           ": tensor 'w' has shape (0, 2305843009213693952), whose bytes do not fit 64 bits"},
          {one("U8", "[1]", "[1,2]", 2), ": tensor 'w' begins at byte 1, leaving a gap after 0"},
          {two("[0,4]", "[2,6]"),
           ": tensor 'b' begins at byte 2, inside the tensor before it that ends at 4"},
          {two("[4,8]", "[4,8]"), ": tensor 'a' begins at byte 4, leaving a gap after 0"},
          {file_of("{}", 3), ": has 3 bytes after its last tensor, expected none"},
      },
      open_tensors);
}

TEST_CASE("malformed safetensors: cut or with a bit turned over") {
  const scratch_folder folder;
  const std::vector<double> f64{0.1, -2};
  const std::vector<std::uint8_t> u8{1, 0, 3};
  const std::vector<io::tensor_to_write> tensors{
      io::tensor_of("w", {2, 1}, std::span{std::as_const(f64)}),
      io::tensor_of("b", {3}, std::span{std::as_const(u8)})};
  io::write_safetensors(folder / "x", tensors, {{"format", "pt"}});
  const std::string good = get(folder / "x");
  const auto t = damage_each(good, [&](const auto& path) {
    const io::safetensors_file file{path};
    for (const auto& tensor : file.tensors()) {
      CHECK(io::to_doubles(tensor).size() == tensor.size());
      (void)io::to_floats(tensor);
    }
    CHECK(std::filesystem::file_size(path) == good.size());  // no cut file comes this far
  });
  // A changed number is another number: only the 19 bytes of data and the names are free.
  CHECK(t.read >= 9 * 19);
  CHECK(t.refused > 3 * t.read);
}
