// Arrays and masks in .npy files.

#include "tombola/io/npy.hpp"

#include <cstring>
#include <span>
#include <vector>

#include "tests/fuzz/support.hpp"

#include "tombola/core/group.hpp"

using namespace tombola;
using namespace std::literals;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& path = fuzz::as_file(fuzz::text_of(data, size));
  const auto array = fuzz::accepted([&] { return io::read_npy(path); });
  if (!array) return 0;
  const std::vector<double>& values = array->values;
  fuzz::hold(checked_product(array->extents, "array") == values.size(), "extents cover the values");
  if (const auto mask = fuzz::accepted([&] { return io::read_mask_npy(path); })) {
    fuzz::check_mask(mask->mask);
    fuzz::hold(mask->extents == array->extents, "a mask has the extents of its array");
    for (std::size_t i = 0; i < values.size(); ++i) {
      fuzz::hold(values[i] == (mask->mask[i] ? 1 : 0), "a mask has the numbers of its array");
    }
  }
  const auto again = fuzz::scratch() / "again.npy";
  const auto is_written = fuzz::accepted([&] {
    io::write_npy(again, array->extents, std::span{values});
    return true;
  });
  if (!is_written) {
    // Wider numbers of a shape without elements may not fit.
    fuzz::hold(values.empty(), "an array is written as doubles");
    return 0;
  }
  const io::npy_array same = io::read_npy(again);
  fuzz::hold(same.extents == array->extents, "extents survive writing and reading");
  // By bytes: NaN differs from itself.
  fuzz::hold(
      values.empty() || std::memcmp(values.data(), same.values.data(), 8 * values.size()) == 0,
      "values survive writing and reading");
  return 0;
}

void fuzz::make_seeds(seeds& to) {
  const std::vector<double> numbers{0, 1, 1, 0, 1, -0.0};
  const std::string doubles = written([&](const auto& path) {
    io::write_npy(path, {2, 3}, std::span<const double>{numbers});
  });
  to.add(doubles);
  to.add(doubles, "'<f8'", "'>i8'");
  to.add(doubles, "'<f8'", "'<c8'");
  to.add(doubles, "False", "True ");
  to.add(doubles, "(2, 3)", "(2, 2)");
  to.add(doubles, "(2, 3)", "(0, 9)");
  to.add(doubles.substr(0, doubles.size() - 1));
  to.add(doubles.substr(0, 40));
  tombola::mask m{70};
  m.set(3);
  m.set(69);
  for (const auto number : {io::mask_number::float32, io::mask_number::float64,
                            io::mask_number::uint8, io::mask_number::boolean}) {
    to.add(written([&](const auto& path) { io::write_mask_npy(path, {7, 10}, m, number); }));
  }
  to.add(written([&](const auto& path) {
    io::write_mask_npy(path, {}, tombola::mask{1}, io::mask_number::uint8);
  }));
  // Version 2.0, whose length has four bytes.
  std::string wide = doubles;
  wide[6] = '\x02';
  wide.insert(10, 2, '\0');
  to.add(wide);
  // The bytes of a 2-byte float are the same in any file of that size.
  to.add("\x93NUMPY\x01\0\x40\0"s +
         "{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }      \n" + "\0\x3C\0\0"s);
  to.words({"\x93NUMPY",
            "{'descr': ",
            "'fortran_order': ",
            "'shape': ",
            "True",
            "False",
            "'<f8'",
            "'<f4'",
            "'<f2'",
            "'>f4'",
            "'<i8'",
            "'<u8'",
            "'>i2'",
            "'|u1'",
            "'|b1'",
            "'<c8'",
            "'<c16'",
            "'<f16'",
            "(0,)",
            "()",
            "(1, 1)",
            "(18446744073709551615,)",
            "[('a', '<f8')]"});
}
