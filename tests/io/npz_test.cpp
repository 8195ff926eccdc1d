#include "tombola/io/npz.hpp"

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

#include "tombola/core/random.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

const std::vector<float> numbers{0, 1.5F, -2, 3, 4, 5};
const std::vector<double> wide{0.1, std::numeric_limits<double>::infinity()};

mask every_third(std::size_t n) {
  mask m{n};
  for (std::size_t i = 0; i < n; i += 3) m.set(i);
  return m;
}

struct scratch_archive {
  scratch_folder folder;
  std::filesystem::path path = folder / "x.npz";

  std::string written(const std::vector<io::npz_member>& members,
                      io::npz_compression c = io::npz_compression::stored) const {
    std::filesystem::remove(path);
    io::write_npz(path, members, c);
    return get(path);
  }
  std::string good(io::npz_compression c = io::npz_compression::stored) const {
    const mask m = every_third(100);
    return written({{"a", {2, 3}, std::span<const float>{numbers}},
                    {"m", {10, 10}, m, io::mask_number::uint8}},
                   c);
  }
  void read_all() const {
    const io::npz_file archive{path};
    for (const std::string& name : archive.names()) (void)archive.array(name);
  }
  std::string refused(const std::string& content) const {
    put(path, content);
    return sentence<format_error>([&] { read_all(); }, path.string() + ": ");
  }
};

/// The text with `bytes` at `at`, counted from the end where `at` is negative.
std::string with(std::string text, std::ptrdiff_t at, const std::string& bytes) {
  const auto place =
      at < 0 ? text.size() - static_cast<std::size_t>(-at) : static_cast<std::size_t>(at);
  return text.replace(place, bytes.size(), bytes);
}

std::string u16(std::size_t x) {
  return bytes_of(static_cast<std::uint16_t>(x));
}
std::string u32(std::size_t x) {
  return bytes_of(static_cast<std::uint32_t>(x));
}
std::string u64(std::size_t x) {
  return bytes_of(static_cast<std::uint64_t>(x));
}

/// Where the directory starts, as the end record says.
std::size_t directory_of(const std::string& archive) {
  std::uint32_t at = 0;
  std::memcpy(&at, archive.data() + archive.size() - 6, sizeof at);
  return at;
}

}  // namespace

TEST_CASE("npz: what is written is read again, stored and deflated") {
  const scratch_archive s;
  for (const auto c : {io::npz_compression::stored, io::npz_compression::deflated}) {
    const mask m = every_third(200000), none{0};
    const std::string text =
        s.written({{"layer.0/weights", {2, 3}, std::span<const float>{numbers}},
                   {"wide", {2}, std::span<const double>{wide}},
                   {"mask", {400, 500}, m, io::mask_number::float64},
                   {"none", {0, 5}, none, io::mask_number::boolean}},
                  c);
    const io::npz_file archive{s.path};
    CHECK(archive.names() == std::vector<std::string>{"layer.0/weights", "wide", "mask", "none"});
    CHECK(archive.contains("wide"));
    CHECK_FALSE(archive.contains("wide.npy"));
    const auto a = archive.array("layer.0/weights");
    CHECK(a.values == std::vector<double>(numbers.begin(), numbers.end()));
    CHECK(a.extents == std::vector<std::size_t>{2, 3});
    CHECK(a.type == io::dtype::f32);
    CHECK(archive.array("wide").values == wide);
    CHECK(archive.mask("mask").mask == m);
    CHECK(archive.mask("mask").extents == std::vector<std::size_t>{400, 500});
    CHECK(archive.mask("none").mask == none);
    CHECK(archive.array("none").type == io::dtype::boolean);
    // A mask of 1.6 MB shrinks to a hundredth; the same arrays give the same bytes.
    CHECK((text.size() < 16000) == (c == io::npz_compression::deflated));
    io::write_npz(
        s.folder / "again.npz",
        std::vector<io::npz_member>{{"layer.0/weights", {2, 3}, std::span<const float>{numbers}},
                                    {"wide", {2}, std::span<const double>{wide}},
                                    {"mask", {400, 500}, m, io::mask_number::float64},
                                    {"none", {0, 5}, none, io::mask_number::boolean}},
        c);
    CHECK((get(s.folder / "again.npz") == text));
  }
  (void)s.written({});
  CHECK(io::npz_file{s.path}.names().empty());
}

TEST_CASE("npz: many arrays, more than 16 bits count") {
  const scratch_archive s;
  std::vector<io::npz_member> many;
  const mask one = mask::all_kept(1);
  for (int i = 0; i < 70000; ++i) {
    many.push_back({std::to_string(i), {1}, one, io::mask_number::boolean});
  }
  (void)s.written(many);
  const io::npz_file archive{s.path};
  CHECK(archive.names().size() == 70000);
  CHECK(archive.mask("69999").mask == one);
}

TEST_CASE("npz: sizes of 64 bits are read where they stand") {
  // An entry whose sizes and place are elsewhere, as zip64 has them even where 4 bytes would do.
  const scratch_archive s;
  const std::string plain = s.written({{"a", {6}, std::span<const float>{numbers}}});
  const std::size_t at = directory_of(plain);
  const std::size_t size = at - 30 - 5;  // a local header of 30 bytes and the name a.npy
  std::string entry = plain.substr(at, 46 + 5);
  entry = with(with(with(entry, 20, u32(0xFFFFFFFF)), 24, u32(0xFFFFFFFF)), 42, u32(0xFFFFFFFF));
  // An extra field of another kind comes first.
  const std::string extra =
      u16(0xCAFE) + u16(2) + "xx" + u16(1) + u16(24) + u64(size) + u64(size) + u64(0);
  entry = with(entry, 30, u16(extra.size())) + extra;
  const std::string end64 = u32(0x06064b50) + u64(44) + u16(45) + u16(45) + u32(0) + u32(0) +
                            u64(1) + u64(1) + u64(entry.size()) + u64(at);
  const std::string locator = u32(0x07064b50) + u32(0) + u64(at + entry.size()) + u32(1);
  const std::string end = u32(0x06054b50) + u16(0) + u16(0) + u16(0xFFFF) + u16(0xFFFF) +
                          u32(0xFFFFFFFF) + u32(0xFFFFFFFF) + u16(3) + "end";
  const std::string whole = plain.substr(0, at) + entry + end64 + locator + end;
  put(s.path, whole);
  CHECK(io::npz_file{s.path}.array("a").values.at(1) == 1.5);

  CHECK(s.refused(plain.substr(0, at) + entry + end64 + end) ==
        "refers to a directory of 64-bit numbers, but does not say where");
  CHECK(s.refused(plain.substr(0, at) + entry + with(end64, 0, "x") + locator + end) ==
        "has no directory of 64-bit numbers at byte " + std::to_string(at + entry.size()) +
            ", where it says that there is one");
  const auto with_entry = [&](const std::string& e) {
    return plain.substr(0, at) + e + with(end64, 40, u64(e.size())) +
           with(locator, 8, u64(at + e.size())) + end;
  };
  CHECK(s.refused(with_entry(with(entry, -26, u16(16)))) ==
        "holds 'a.npy' without its 64-bit sizes");
  CHECK(s.refused(with_entry(with(entry, -28, u16(7)))) ==
        "holds 'a.npy' without its 64-bit sizes");
  CHECK(s.refused(with_entry(with(entry, -26, u16(25)))) ==
        "holds 'a.npy' with an extra field that runs past its entry");
}

TEST_CASE("npz: an array that is not there, and names that cannot be") {
  const scratch_archive s;
  (void)s.good();
  const io::npz_file archive{s.path};
  CHECK(sentence<input_error>([&] { (void)archive.array("b"); }) ==
        s.path.string() + ": holds no array 'b', but 'a', 'm'");
  CHECK(sentence<format_error>([&] { (void)archive.mask("a"); }) ==
        s.path.string() + ": 'a.npy': element (0, 1) is 1.5, expected 0 or 1 in a mask");
  const auto told = [&](const std::vector<io::npz_member>& members) {
    return sentence<input_error>([&] { (void)s.written(members); }, s.path.string() + ": ");
  };
  const mask m{3};
  for (const std::string name : {"", "a\nb", "a\\b", "/etc"}) {
    CHECK(told({{name, {3}, m}}).starts_with("an array cannot be called "));
  }
  CHECK(told({{"a", {3}, m}, {"a", {3}, m}}) == "two arrays are called 'a'");
  CHECK(told({{"a", {4}, m}}) == "3 elements for shape (4,)");
  CHECK(s.folder.names().empty());
}

TEST_CASE("npz: what is malformed is refused, each with its sentence") {
  const scratch_archive s;
  const std::string good = s.good();
  const std::size_t at = directory_of(good), second = good.find("PK\x03\x04", 1);
  const auto changed = [&](std::size_t place, const std::string& bytes) {
    return s.refused(with(good, static_cast<std::ptrdiff_t>(place), bytes));
  };
  CHECK(s.refused("") == "does not start as a zip archive does");
  CHECK(s.refused("\x93NUMPY") == "does not start as a zip archive does");
  CHECK(s.refused(good.substr(0, at)) ==
        "has no directory at its end, as where an archive is cut off");
  CHECK(s.refused(good + "x") == "has no directory at its end, as where an archive is cut off");
  CHECK(s.refused(with(good, -18, u16(1))) == "is one part of a zip archive of several");
  CHECK(s.refused(with(good, -10, u32(at))) ==
        "claims a directory of " + std::to_string(at) + " bytes from byte " + std::to_string(at) +
            ", which the " + std::to_string(good.size() - 22) +
            " bytes before its end do not hold");
  CHECK(s.refused(with(good, -14, u16(1) + u16(1))) ==
        "has 51 bytes after the 1 entries of its directory");
  CHECK(s.refused(with(good, -14, u16(3) + u16(3))) == "has no directory entry at byte " +
                                                           std::to_string(good.size() - 22) +
                                                           ", expected 3 of them");
  CHECK(changed(at, "x") ==
        "has no directory entry at byte " + std::to_string(at) + ", expected 2 of them");
  CHECK(changed(at + 32, u16(60)) ==
        "has a directory entry at byte " + std::to_string(at) + " that runs past its end");
  CHECK(changed(at + 8, u16(1)) == "holds 'a.npy' encrypted");
  CHECK(changed(at + 10, u16(14)) ==
        "holds 'a.npy' compressed by method 14, expected 0 (stored) or 8 (deflated)");
  CHECK(changed(at + 20, u32(0xFFFFFFFF)) == "holds 'a.npy' without its 64-bit sizes");
  CHECK(changed(at + 42, u32(7)) == "holds 'a.npy' nowhere: there is no header at byte 7");
  CHECK(changed(at + 20, u32(9999)) ==
        "holds 'a.npy' as 9999 bytes from byte 35, which run into the directory");
  CHECK(changed(30, "b") == "holds 'a.npy' under another name or method than its directory says");
  CHECK(changed(8, u16(8)) == "holds 'a.npy' under another name or method than its directory says");
  CHECK(changed(at + 24, u32(5)) == "holds 'a.npy' stored as 152 bytes, but claims 5");
  CHECK(s.refused(with(with(good, static_cast<std::ptrdiff_t>(at + 51 + 46), "a"),
                       static_cast<std::ptrdiff_t>(second + 30), "a")) == "holds 'a.npy' twice");
  CHECK(s.refused(with(with(good, static_cast<std::ptrdiff_t>(at + 20), u32(153)),
                       static_cast<std::ptrdiff_t>(at + 24), u32(153))) ==
        "holds 'a.npy' and 'm.npy' in the same bytes");
  CHECK(s.refused(with(with(good, static_cast<std::ptrdiff_t>(at + 46), "a.txt"), 30, "a.txt")) ==
        "holds 'a.txt', expected .npy arrays alone");
  CHECK(changed(second - 1, "x") == "holds 'a.npy' damaged: its checksum is another");
  CHECK(changed(at + 16, u32(0)) == "holds 'a.npy' damaged: its checksum is another");
}

TEST_CASE("npz: deflated bytes that are broken are refused") {
  const scratch_archive s;
  const std::string good = s.good(io::npz_compression::deflated);
  const auto at = static_cast<std::ptrdiff_t>(directory_of(good));
  CHECK(s.refused(with(good, 35, "\xFF\xFF")) ==
        "holds 'a.npy' with deflated bytes that are broken");
  CHECK(s.refused(with(good, at + 24, u32(151))) ==
        "holds 'a.npy', which does not unpack to the 151 bytes it claims");
  CHECK(s.refused(with(good, at + 24, u32(153))) ==
        "holds 'a.npy', which does not unpack to the 153 bytes it claims");
  CHECK(s.refused(with(good, at + 24, u32(4000000000U)))
            .ends_with("bytes, which cannot unpack to the 4000000000 it claims"));
  std::uint32_t packed = 0;
  std::memcpy(&packed, good.data() + at + 20, sizeof packed);
  CHECK(s.refused(with(good, at + 20, u32(packed - 2))) ==
        "holds 'a.npy' with deflated bytes that are broken");
}

TEST_CASE("npz: no truncation and no changed byte does more than be refused") {
  const scratch_archive s;
  for (const auto c : {io::npz_compression::stored, io::npz_compression::deflated}) {
    const std::string good = s.good(c);
    std::size_t refused = 0, read = 0;
    const auto attempt = [&](const std::string& content) {
      put(s.path, content);
      try {
        s.read_all();
        ++read;
      } catch (const error&) {
        ++refused;
      }
    };
    for (std::size_t n = 0; n < good.size(); ++n) attempt(good.substr(0, n));
    CHECK(read == 0);
    const random_stream random{11, purpose::subset};
    for (std::size_t i = 0; i < 3000; ++i) {
      std::string bad = good;
      char& one = bad[random.below(good.size(), 2 * i)];
      one = static_cast<char>(static_cast<unsigned char>(one) ^ (1 + random.below(255, 2 * i + 1)));
      attempt(bad);
    }
    // Some bytes say nothing that is read here: dates, versions, attributes.
    CHECK(read > 0);
    CHECK(refused > good.size());
  }
}
