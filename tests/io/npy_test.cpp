#include "tombola/io/npy.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

std::string file_of(const std::string& header, const std::string& data, int major = 1) {
  std::string s = "\x93NUMPY";
  s += static_cast<char>(major);
  s += '\0';
  s += major == 1 ? bytes_of(static_cast<std::uint16_t>(header.size()))
                  : bytes_of(static_cast<std::uint32_t>(header.size()));
  return s + header + data;
}

std::string header_of(const std::string& descr, const std::string& shape, bool fortran = false) {
  return "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") +
         ", 'shape': " + shape + ", }";
}

template <class T>
std::string many(std::initializer_list<T> values, bool swapped = false) {
  std::string s;
  for (const T v : values) {
    std::string one = bytes_of(v);
    if (swapped) std::reverse(one.begin(), one.end());
    s += one;
  }
  return s;
}

struct scratch_array {
  scratch_folder folder;
  std::filesystem::path path = folder / "x.npy";

  io::npy_array read(const std::string& content) const {
    put(path, content);
    return io::read_npy(path);
  }
  io::npy_mask read_mask(const std::string& content) const {
    put(path, content);
    return io::read_mask_npy(path);
  }
  std::string refused(const std::string& content) const {
    put(path, content);
    return sentence<format_error>([&] { (void)io::read_npy(path); }, path.string() + ": ");
  }
  std::string mask_refused(const std::string& content) const {
    put(path, content);
    return sentence<format_error>([&] { (void)io::read_mask_npy(path); }, path.string() + ": ");
  }
};

}  // namespace

TEST_CASE("npy: types, byte orders and versions") {
  const scratch_array s;
  const std::vector<double> expected{1, 0, -2};
  const auto check = [&](const std::string& descr, const std::string& data, io::dtype type) {
    for (const int major : {1, 2, 3}) {
      const auto a = s.read(file_of(header_of(descr, "(3,)"), data, major));
      CHECK(a.extents == std::vector<std::size_t>{3});
      CHECK(a.values == expected);
      CHECK(a.type == type);
    }
  };
  check("<f8", many<double>({1, 0, -2}), io::dtype::f64);
  check(">f8", many<double>({1, 0, -2}, true), io::dtype::f64);
  check("<f4", many<float>({1, 0, -2}), io::dtype::f32);
  check(">f4", many<float>({1, 0, -2}, true), io::dtype::f32);
  check("<f2", many<std::uint16_t>({0x3C00, 0, 0xC000}), io::dtype::f16);
  check("<i8", many<std::int64_t>({1, 0, -2}), io::dtype::i64);
  check(">i4", many<std::int32_t>({1, 0, -2}, true), io::dtype::i32);
  check("<i2", many<std::int16_t>({1, 0, -2}), io::dtype::i16);
  check("|i1", many<std::int8_t>({1, 0, -2}), io::dtype::i8);
  const auto unsigned_one = [&](const std::string& descr, const std::string& data) {
    return s.read(file_of(header_of(descr, "(1,)"), data)).values.at(0);
  };
  CHECK(unsigned_one(">u2", "\x01\x02") == 258);
  CHECK(unsigned_one("<u4", "\xFF\xFF\xFF\xFF") == 4294967295.0);
  CHECK(unsigned_one("<u8", many<std::uint64_t>({1U << 31})) == 2147483648.0);
  CHECK(unsigned_one("|u1", "\xFF") == 255);
  CHECK(unsigned_one("|b1", "\x01") == 1);
  CHECK(unsigned_one("<b1", "\x01") == 1);
}

TEST_CASE("npy: complex numbers that are real, and whole numbers that a double holds") {
  const scratch_array s;
  const auto c8 =
      s.read(file_of(header_of(">c8", "(2,)"), many<float>({1.5F, 0, -2, -0.0F}, true)));
  CHECK(c8.values == std::vector<double>{1.5, -2});
  CHECK(c8.type == io::dtype::f32);
  const auto c16 = file_of(header_of("<c16", "(2, 1)", true), many<double>({1, 0, 0, 0}));
  CHECK(s.read_mask(c16).mask == mask::from_values(std::vector<int>{1, 0}));
  CHECK(s.refused(file_of(header_of("<c16", "(2,)"), many<double>({1, 0, 2, 0.5}))) ==
        "element (1,) has the imaginary part 0.5, expected real numbers");
  constexpr std::int64_t most = (std::int64_t{1} << 53) - 1;
  CHECK(s.read(file_of(header_of("<i8", "(2,)"), many<std::int64_t>({most, -most}))).values ==
        std::vector<double>{0x1p53 - 1, 1 - 0x1p53});
  CHECK(s.refused(file_of(header_of("<i8", "(2,)"), many<std::int64_t>({1, -most - 1}))) ==
        "element (1,) is about -9007199254740992, expected a whole number below 2^53 in size");
  CHECK(s.refused(file_of(header_of("<u8", "(1,)"), many<std::uint64_t>({~std::uint64_t{0}}))) ==
        "element (0,) is about 18446744073709551616, expected a whole number below 2^53 in size");
}

TEST_CASE("npy: shapes, and both axis orders") {
  const scratch_array s;
  const auto scalar = s.read(file_of(header_of("<f8", "()"), many<double>({4})));
  CHECK(scalar.extents.empty());
  CHECK(scalar.values == std::vector<double>{4});
  CHECK(s.read(file_of(header_of("<f8", "(0, 5)"), "")).values.empty());
  // Element (i, j, k) of 2 x 3 x 2 is 100 i + 10 j + k, stored with the first axis fastest.
  std::string data;
  for (int k = 0; k < 2; ++k)
    for (int j = 0; j < 3; ++j)
      for (int i = 0; i < 2; ++i) data += bytes_of(static_cast<float>(100 * i + 10 * j + k));
  const auto a = s.read(file_of(header_of("<f4", "(2, 3, 2)", true), data));
  CHECK(a.extents == std::vector<std::size_t>{2, 3, 2});
  CHECK(a.values == std::vector<double>{0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121});
  const auto m =
      s.read_mask(file_of(header_of("|b1", "(2, 3)", true), many<char>({1, 0, 0, 0, 1, 1})));
  CHECK(m.mask == mask::from_values(std::vector<int>{1, 0, 1, 0, 0, 1}));
  // More elements than are converted at once.
  std::string large(10000, '\0');
  large[9999] = large[4096] = '\1';
  const auto big = s.read_mask(file_of(header_of("|u1", "(100, 100)"), large));
  CHECK(big.mask.count() == 2);
  CHECK(big.mask[4096]);
  CHECK(big.mask[9999]);
  CHECK(s.read(file_of("{\"shape\":(1,2),'fortran_order':False,'descr':'<f4'}\n",
                       many<float>({1, 2})))
            .values == std::vector<double>{1, 2});
}

TEST_CASE("npy: a mask holds 0 and 1 alone") {
  const scratch_array s;
  CHECK(s.mask_refused(file_of(header_of("<f4", "(2, 2)"), many<float>({0, 1, 0.5F, 1}))) ==
        "element (1, 0) is 0.5, expected 0 or 1 in a mask");
  CHECK(s.mask_refused(file_of(header_of("<f8", "(2, 2)", true), many<double>({0, -1, 1, 1}))) ==
        "element (1, 0) is -1, expected 0 or 1 in a mask");
  CHECK(s.mask_refused(file_of(header_of("<f8", "(1,)"),
                               many<double>({std::numeric_limits<double>::quiet_NaN()}))) ==
        "element (0,) is nan, expected 0 or 1 in a mask");
  CHECK(s.mask_refused(file_of(header_of("<i8", "()"), many<std::int64_t>({2}))) ==
        "element () is 2, expected 0 or 1 in a mask");
  CHECK(s.mask_refused(file_of(header_of("|b1", "(2,)"), "\x01\x02")) ==
        "element (1,) is the byte 2, expected true (1) or false (0)");
  CHECK(s.read_mask(file_of(header_of("<f8", "(2,)"), many<double>({-0.0, 1}))).mask.count() == 1);
}

TEST_CASE("npy: what is malformed is refused, each with its sentence") {
  const scratch_array s;
  const std::string eight(8, '\0');
  const std::string types =
      ", expected f2, f4, f8, c8, c16, i1 to i8, u1 to u8 or b1 with its byte order";
  const auto with = [&](const std::string& header) { return s.refused(file_of(header, eight)); };
  CHECK(s.refused("") == "does not start as a .npy file does");
  CHECK(s.refused("PK\x03\x04 a zip") == "does not start as a .npy file does");
  CHECK(s.refused("\x93NUMPY\x01") ==
        "has 7 bytes, expected at least the 10 up to the length of its header");
  CHECK(s.refused(std::string("\x93NUMPY\x02\x00\x01\x00", 10)) ==
        "has 10 bytes, expected at least the 12 up to the length of its header");
  CHECK(s.refused(std::string("\x93NUMPY\x04\x00\x01\x00", 10)) ==
        "is .npy version 4.0, expected 1.0, 2.0 or 3.0");
  CHECK(s.refused(std::string("\x93NUMPY\x01\x01\x01\x00", 10)) ==
        "is .npy version 1.1, expected 1.0, 2.0 or 3.0");
  CHECK(s.refused(std::string("\x93NUMPY\x01\x00\x05\x00{}", 12)) ==
        "claims a header of 5 bytes but has 2 after the length");
  CHECK(s.refused(std::string("\x93NUMPY\x02\x00\xFF\xFF\xFF\xFF", 12)) ==
        "claims a header of 4294967295 bytes, expected at most 1048576");
  CHECK(with("") == "header is broken at byte 0, expected '{'");
  CHECK(with("{'descr'") == "header is broken at byte 8, expected ':'");
  CHECK(with("{descr: 1}") == "header is broken at byte 1, expected text in quotes");
  CHECK(with("{'descr") == "header has a string without its closing quote");
  CHECK(with(header_of("<f8", "(1,)") + "x") ==
        "header has text after its dictionary, expected blanks");
  CHECK(with("{'descr': '<f8', 'shape': (1,)}") == "header has no fortran_order");
  CHECK(with("{'fortran_order': False, 'shape': (1,)}") == "header has no descr");
  CHECK(with("{'descr': '<f8', 'fortran_order': False}") == "header has no shape");
  CHECK(with("{'descr': '<f8', 'descr': '<f8'}") == "header has 'descr' twice");
  CHECK(with("{'descr': '<f8', 'os': 'x'}") ==
        "header has the key 'os', expected descr, fortran_order and shape alone");
  CHECK(with("{'descr': [('a', '<f8')]}") ==
        "header describes records of several fields, expected plain numbers");
  CHECK(with("{'fortran_order': 0}") ==
        "header has a fortran_order that is neither True nor False");
  for (const std::string descr :
       {"|O", "<U4", "<c4", "|f8", "=f8", "<f3", "<m8", "f8", "<", "", "<<f8", "<f"}) {
    CHECK(with(header_of(descr, "(1,)")) == "header has the type '" + descr + "'" + types);
  }
  for (const std::string descr : {"<f16", ">c32", "f16"}) {
    CHECK(with(header_of(descr, "(1,)")) ==
          "header has the type '" + descr +
              "', a long double, whose bytes differ from machine to machine; expected f8 or less");
  }
  CHECK(with(header_of("<c16", "(1,)")) ==
        "has shape (1,), which takes 16 bytes of data, but has 8");
  CHECK(with(header_of("<f8", "(1152921504606846976,)")) ==
        "has shape (1152921504606846976,), whose bytes do not fit 64 bits");
  CHECK(with(header_of("<f8", "(1)")) ==
        "header has a shape that is no tuple, such as (12,) of one axis");
  CHECK(with(header_of("<f8", "[1]")).starts_with("header is broken at byte "));
  CHECK(with(header_of("<f8", "(-1,)")) ==
        "header has a shape of something else than whole numbers");
  CHECK(with(header_of("<f8", "(1, 1.5)")).starts_with("header is broken at byte "));
  CHECK(with(header_of("<f8", "(99999999999999999999,)")) ==
        "header has an extent that does not fit 64 bits");
  CHECK(with(header_of("<f8", "(4294967296, 4294967296)")) ==
        "has shape (4294967296, 4294967296), whose bytes do not fit 64 bits");
  CHECK(with(header_of("<f8", "(0, 4294967296, 4294967296)")) ==
        "has shape (0, 4294967296, 4294967296), whose bytes do not fit 64 bits");
  std::string axes = "(";
  for (int i = 0; i < 65; ++i) axes += "1,";
  CHECK(with(header_of("<f8", axes + ")")) == "header has a shape of more than 64 axes");
  CHECK(with(header_of("<f8", "(2,)")) ==
        "has shape (2,), which takes 16 bytes of data, but has 8");
  CHECK(with(header_of("<f4", "(1,)")) == "has shape (1,), which takes 4 bytes of data, but has 8");
}

TEST_CASE("npy: the bytes that are written") {
  const scratch_folder folder;
  const auto path = folder / "x.npy";
  const std::vector<float> values{0, 1.5F, -2, 3, 4, 5};
  io::write_npy(path, {2, 3}, std::span<const float>{values});
  const std::string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  std::string expected = std::string("\x93NUMPY\x01\x00\x76\x00", 10) + dictionary;
  expected += std::string(117 - dictionary.size(), ' ') + "\n";
  for (const float v : values) expected += bytes_of(v);
  CHECK(get(path) == expected);
  CHECK(io::read_npy(path).values == std::vector<double>{0, 1.5, -2, 3, 4, 5});
  CHECK(io::read_npy(path).extents == std::vector<std::size_t>{2, 3});
  // Header lengths that numpy 2.4 chooses, around the places where 64 more bytes are needed.
  const auto header_bytes = [&](const std::vector<std::size_t>& extents) {
    return io::detail::npy_header_text("<f8", extents).size();
  };
  CHECK(header_bytes(std::vector<std::size_t>(14, 1)) == 128);
  CHECK(header_bytes(std::vector<std::size_t>(15, 1)) == 192);
  CHECK(header_bytes(std::vector<std::size_t>(36, 1)) == 256);  // no blank needed, 64 added
  CHECK(header_bytes({1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 100}) == 192);
  CHECK(header_bytes({}) == 128);
  CHECK(sentence<shape_error>([&] {
          io::write_npy(path, {2, 2}, std::span<const float>{values});
        }) == path.string() + ": 6 elements for shape (2, 2)");
  CHECK(sentence<input_error>([&] {
          io::write_npy(path, std::vector<std::size_t>(65, 1), std::span<const float>{values});
        }) == path.string() + ": an array of 65 axes, expected at most 64");
}

TEST_CASE("npy: masks go round, as each number") {
  const scratch_folder folder;
  for (const std::size_t n : {0UL, 1UL, 63UL, 64UL, 65UL, 4096UL, 4097UL, 9000UL}) {
    mask m{n};
    for (std::size_t i = 0; i < n; i += 3) m.set(i);
    for (const auto& [number, type] : {std::pair{io::mask_number::float32, io::dtype::f32},
                                       std::pair{io::mask_number::float64, io::dtype::f64},
                                       std::pair{io::mask_number::uint8, io::dtype::u8},
                                       std::pair{io::mask_number::boolean, io::dtype::boolean}}) {
      io::write_mask_npy(folder / "m.npy", {n}, m, number);
      CHECK((io::read_mask_npy(folder / "m.npy").mask == m));
      CHECK(io::read_npy(folder / "m.npy").type == type);
    }
  }
  CHECK(sentence<shape_error>([&] {
          io::write_mask_npy(folder / "m.npy", {3}, mask{4}, io::mask_number::float32);
        }) == (folder / "m.npy").string() + ": 4 elements for shape (3,)");
  // What a file of bytes may hold, and one of doubles may not: no reader would take it.
  const std::vector<std::size_t> vast{0, 1'000'000'000'000'000, 10'400};
  CHECK(sentence<input_error>(
            [&] { io::write_npy(folder / "v.npy", vast, std::span<const double>{}); }) ==
        (folder / "v.npy").string() +
            ": an array of shape (0, 1000000000000000, 10400), whose bytes do not fit 64 bits");
  CHECK_FALSE(std::filesystem::exists(folder / "v.npy"));
}
