#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/io/malformed.hpp"

#include "tombola/io/npy.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

std::string start(int major, int minor) {
  return "\x93NUMPY" + std::string{static_cast<char>(major), static_cast<char>(minor)};
}

std::string file_of(const std::string& header, const std::string& data = "") {
  return start(1, 0) + bytes_of(static_cast<std::uint16_t>(header.size())) + header + data;
}

std::string header_of(const std::string& descr, const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + "}\n";
}

template <class T>
std::string array(const std::string& descr, const std::string& shape, std::vector<T> values) {
  std::string data;
  for (const T v : values) data += bytes_of(v);
  return file_of(header_of(descr, shape), data);
}

void read_array(const std::filesystem::path& path) {
  (void)io::read_npy(path);
}
void read_mask(const std::filesystem::path& path) {
  (void)io::read_mask_npy(path);
}

}  // namespace

TEST_CASE("malformed npy: before the header") {
  refuse_each(
      {
          {"", ": does not start as a .npy file does"},
          {"\x93NUMPY", ": has 6 bytes, expected at least the 10 up to the length of its header"},
          {start(1, 0) + "\x76",
           ": has 9 bytes, expected at least the 10 up to the length of its header"},
          {start(3, 0) + std::string(3, '\0'),
           ": has 11 bytes, expected at least the 12 up to the length of its header"},
          {start(0, 0) + std::string(2, '\0'), ": is .npy version 0.0, expected 1.0, 2.0 or 3.0"},
          {start(3, 255) + std::string(2, '\0'),
           ": is .npy version 3.255, expected 1.0, 2.0 or 3.0"},
          {start(1, 0) + "\x76" + std::string(60, '\0'),
           ": claims a header of 118 bytes but has 59 after the length"},
          {start(2, 0) + bytes_of(std::uint32_t{1048576}),
           ": claims a header of 1048576 bytes but has 0 after the length"},
          {start(3, 0) + bytes_of(std::uint32_t{1048577}),
           ": claims a header of 1048577 bytes, expected at most 1048576"},
      },
      read_array);
}

TEST_CASE("malformed npy: the dictionary") {
  const auto good = header_of("<f4", "(0,)");
  refuse_each(
      {
          {file_of("(3, 4)"), ": header is broken at byte 0, expected '{'"},
          {file_of("{'descr': '<f8'"), ": header is broken at byte 15, expected '}'"},
          {file_of("{'descr' '<f8'}"), ": header is broken at byte 9, expected ':'"},
          {file_of("{'descr': 8}"), ": header is broken at byte 10, expected text in quotes"},
          {file_of("{,}"), ": header is broken at byte 1, expected text in quotes"},
          {file_of("{'descr': \"<f8'}"), ": header has a string without its closing quote"},
          {file_of(good + good), ": header has text after its dictionary, expected blanks"},
          {file_of("{}"), ": header has no descr"},
          {file_of("{'descr': '<f8'}"), ": header has no fortran_order"},
          {file_of("{'descr': '<f8', 'fortran_order': True, }"), ": header has no shape"},
          {file_of("{'shape': (), 'shape': ()}"), ": header has 'shape' twice"},
          {file_of("{'fortran_order': False, 'fortran_order': False}"),
           ": header has 'fortran_order' twice"},
          {file_of("{'order': 'C'}"),
           ": header has the key 'order', expected descr, fortran_order and shape alone"},
          {file_of("{'\x1b[2J\x01': 0}"),
           ": header has the key '?[2J?', expected descr, fortran_order and shape alone"},
          {file_of("{'descr': ['<f8']}"),
           ": header describes records of several fields, expected plain numbers"},
          {file_of("{'fortran_order': 'False'}"),
           ": header has a fortran_order that is neither True nor False"},
      },
      read_array);
}

TEST_CASE("malformed npy: type and shape") {
  const std::string types =
      ", expected f2, f4, f8, c8, c16, i1 to i8, u1 to u8 or b1 with its byte order";
  const auto type = [](const std::string& descr) { return file_of(header_of(descr, "(0,)")); };
  const auto shape = [](const std::string& extents) {
    return file_of(header_of("<f4", extents), "1234");
  };
  refuse_each(
      {
          {type("|S8"), ": header has the type '|S8'" + types},
          {type("<M8[ns]"), ": header has the type '<M8[ns]'" + types},
          {type("|V16"), ": header has the type '|V16'" + types},
          {type("i4"), ": header has the type 'i4'" + types},
          {type(">f16"),
           ": header has the type '>f16', a long double, whose bytes differ from "
           "machine to machine; expected f8 or less"},
          {shape("(3)"), ": header has a shape that is no tuple, such as (12,) of one axis"},
          {shape("12"), ": header is broken at byte 50, expected '('"},
          {shape("(2, 3.5)"), ": header is broken at byte 55, expected ')'"},
          {shape("(None,)"), ": header has a shape of something else than whole numbers"},
          {shape("(18446744073709551616,)"), ": header has an extent that does not fit 64 bits"},
          {shape("(18446744073709551615, 0)"),
           ": has shape (18446744073709551615, 0), whose bytes do not fit 64 bits"},
          {shape("(4294967296, 1073741824)"),
           ": has shape (4294967296, 1073741824), whose bytes do not fit 64 bits"},
          {shape("(1,1,1,1,1,1,1,1,1,9)"),
           ": has shape (1, 1, 1, 1, 1, 1, 1, 1, ...), which takes 36 bytes of data, but has 4"},
          {shape("(2305843009213693951,)"),
           ": has shape (2305843009213693951,), which takes 9223372036854775804 bytes of data, but "
           "has 4"},
          {shape("(0, 7)"), ": has shape (0, 7), which takes 0 bytes of data, but has 4"},
          {shape("()") + "5", ": has shape (), which takes 4 bytes of data, but has 5"},
          {array<double>("<c16", "(1,)", {1}),
           ": has shape (1,), which takes 16 bytes of data, but has 8"},
      },
      read_array);
}

TEST_CASE("malformed npy: values") {
  refuse_each(
      {
          {array<char>("|b1", "(1, 3)", {0, 1, -1}),
           ": element (0, 2) is the byte 255, expected true (1) or false (0)"},
          {array<float>("<c8", "(2, 1)", {1, 0, 1, -1e-45F}),
           ": element (1, 0) has the imaginary part -1.401298464324817e-45, expected real numbers"},
          {array<std::int64_t>("<i8", "(1,)", {std::numeric_limits<std::int64_t>::min()}),
           ": element (0,) is about -9223372036854775808, expected a whole number below 2^53 in "
           "size"},
      },
      read_array);
  const std::string mask = ", expected 0 or 1 in a mask";
  constexpr double infinity = std::numeric_limits<double>::infinity();
  refuse_each(
      {
          {array<double>("<f8", "(2, 2)", {0, 1, 1, infinity}), ": element (1, 1) is inf" + mask},
          {array<double>("<f8", "(4,)", {0, -infinity, 1, 1}), ": element (1,) is -inf" + mask},
          {array<double>("<f8", "(2,)", {1, 1e-300}), ": element (1,) is 1e-300" + mask},
          {array<double>("<f8", "(1, 1, 1)", {1 + 0x1p-52}),
           ": element (0, 0, 0) is 1.0000000000000002" + mask},
          {array<std::int8_t>("|i1", "(3,)", {0, 0, -1}), ": element (2,) is -1" + mask},
          {array<std::uint16_t>("<u2", "(2,)", {256, 1}), ": element (0,) is 256" + mask},
          {array<std::uint16_t>("<f2", "(1,)", {0x7E00}), ": element (0,) is nan" + mask},
      },
      read_mask);
}

TEST_CASE("malformed npy: cut or with a bit turned over") {
  const scratch_folder folder;
  const mask m = mask::from_values(std::vector<int>{1, 0, 1, 1, 0, 1});
  io::write_mask_npy(folder / "x", {2, 3}, m, io::mask_number::float64);
  const std::string good = get(folder / "x");
  const auto t = damage_each(good, [&](const auto& path) {
    const auto read = io::read_mask_npy(path);
    CHECK(read.mask.size() == 6);
    CHECK(std::filesystem::file_size(path) == good.size());  // no cut file comes this far
  });
  CHECK(t.refused > 10 * t.read);
  io::write_mask_npy(folder / "x", {2, 3}, m, io::mask_number::boolean);
  CHECK(damage_each(get(folder / "x"), read_array).read > 0);
}
