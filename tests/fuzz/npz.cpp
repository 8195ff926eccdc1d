// Archives of arrays.

#include "tombola/io/npz.hpp"

#include <cstring>
#include <span>
#include <vector>

#include "tests/fuzz/support.hpp"

#include "tombola/core/group.hpp"

using namespace tombola;
using namespace std::literals;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

/// Gives the entries that are not deflated the checksums of their bytes, which a mutation hardly
/// ever finds.
void set_checksums(std::span<std::uint8_t> bytes) {
  const auto number = [&](std::size_t at, std::size_t width) {
    std::size_t n = 0;
    for (std::size_t i = width; i > 0; --i) n = n << 8 | bytes[at + i - 1];
    return n;
  };
  for (std::size_t at = 0; at + 46 <= bytes.size(); ++at) {
    if (number(at, 4) != io::detail::zip_central || number(at + 10, 2) != 0) continue;
    const std::size_t packed = number(at + 20, 4), header = number(at + 42, 4);
    if (header + 30 > bytes.size()) continue;
    const std::size_t from = header + 30 + number(header + 26, 2) + number(header + 28, 2);
    if (from + packed > bytes.size()) continue;
    const std::uint32_t crc = io::detail::crc_of(std::as_bytes(bytes.subspan(from, packed)));
    for (std::size_t i = 0; i < 4; ++i)
      bytes[at + 16 + i] = static_cast<std::uint8_t>(crc >> 8 * i);
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data,
                                               std::size_t size,
                                               std::size_t max_size,
                                               unsigned seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 4 != 0) set_checksums({data, size});
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& path = fuzz::as_file(fuzz::text_of(data, size));
  const auto file = fuzz::accepted([&] { return io::npz_file{path}; });
  if (!file) return 0;
  for (const std::string& name : file->names()) {
    fuzz::hold(file->contains(name), "an array is found by its name");
    const auto array = fuzz::accepted([&] { return file->array(name); });
    if (!array) continue;
    fuzz::hold(checked_product(array->extents, "array") == array->values.size(),
               "extents cover the values");
    const auto mask = fuzz::accepted([&] { return file->mask(name); });
    if (!mask) continue;
    fuzz::check_mask(mask->mask);
    fuzz::hold(mask->extents == array->extents, "a mask has the extents of its array");
  }
  (void)fuzz::accepted([&] { return file->array("no such array"); });
  return 0;
}

void fuzz::make_seeds(seeds& to) {
  const std::vector<double> doubles{0, 1, 1, 0, 0.5, 7};
  const std::vector<float> floats{1, 0};
  mask units{12};
  units.set(3);
  const auto file = [](const std::vector<io::npz_member>& members, io::npz_compression packed) {
    return written([&](const auto& path) { io::write_npz(path, members, packed); });
  };
  for (const auto packed : {io::npz_compression::stored, io::npz_compression::deflated}) {
    to.add(file({}, packed));
    const std::string several = file({{"head_mask", {3, 4}, units, io::mask_number::uint8},
                                      {"values", {2, 3}, std::span{doubles}},
                                      {"\xC3\xA4/x", {2}, std::span{floats}}},
                                     packed);
    to.add(several);
    to.add(several, "head_mask", "head\x1B[1mk");
    to.add(several, "values.npy", "values.txt");
    to.add(several.substr(0, several.size() - 1));
    std::string commented = several + "comment";
    commented[several.size() - 2] = 7;
    to.add(commented);
    to.add(file({{"m", {12}, units}}, packed));
  }
  // Empty, in the numbers of 64 bits.
  std::string empty = "PK\6\6\x2C\0\0\0\0\0\0\0\x2D\0\x2D\0"s;
  empty += std::string(40, '\0') + "PK\6\7"s + std::string(16, '\0');
  empty[72] = 1;
  empty += "PK\5\6\0\0\0\0"s + std::string(12, '\xFF') + std::string(2, '\0');
  to.add(file({}, io::npz_compression::stored) + empty);
  to.words({"PK\1\2"sv, "PK\3\4"sv, "PK\5\6"sv, "PK\6\6"sv, "PK\6\7"sv, ".npy", "\1\0\x10\0"sv,
            "\xFF\xFF\xFF\xFF", "\x08\0"sv, "\x93NUMPY"});
}
