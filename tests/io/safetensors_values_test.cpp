#include "tombola/io/safetensors_values.hpp"

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

template <class T>
io::tensor_entry entry_of(io::dtype type, const std::vector<T>& raw) {
  io::tensor_entry t;
  t.name = "w";
  t.type = type;
  t.shape = {raw.size()};
  t.bytes = std::as_bytes(std::span{raw});
  return t;
}

/// The sentence that values_as<T> says, or "" where it gives the numbers.
template <class T, class Raw>
std::string refused(io::dtype type, const std::vector<Raw>& raw) {
  const auto t = entry_of(type, raw);
  const std::string s = sentence<format_error>([&] { (void)io::values_as<T>(t); });
  return s == "(nothing was thrown)" ? "" : s;
}

template <class T, class Raw>
void reads(io::dtype type, const std::vector<Raw>& raw, const std::vector<T>& expected) {
  CHECK(io::values_as<T>(entry_of(type, raw)) == expected);
}

}  // namespace

TEST_CASE("tensors of every type are read exactly as what holds them") {
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  reads<double>(io::dtype::f64, std::vector<double>{0.1, 1e300}, {0.1, 1e300});
  reads<float>(io::dtype::f64, std::vector<double>{0.5, -HUGE_VAL}, {0.5F, -HUGE_VALF});
  reads<double>(io::dtype::f32, std::vector<float>{0.1F}, {static_cast<double>(0.1F)});
  reads<float>(io::dtype::f16, std::vector<std::uint16_t>{0x3C00, 0x0001}, {1.0F, 0x1p-24F});
  reads<std::int8_t>(io::dtype::bf16, std::vector<std::uint16_t>{0xC000}, {-2});
  reads<std::int64_t>(io::dtype::i64, std::vector<std::int64_t>{least, -1}, {least, -1});
  reads<std::int32_t>(io::dtype::i32, std::vector<std::int32_t>{-2147483647 - 1, 5},
                      {-2147483647 - 1, 5});
  reads<double>(io::dtype::i64, std::vector<std::int64_t>{least, std::int64_t{1} << 53},
                {-0x1p63, 0x1p53});
  reads<std::uint64_t>(io::dtype::u64, std::vector<std::uint64_t>{most}, {most});
  reads<std::int16_t>(io::dtype::i8, std::vector<std::int8_t>{-128}, {-128});
  reads<std::uint8_t>(io::dtype::i16, std::vector<std::int16_t>{255}, {255});
  reads<std::int32_t>(io::dtype::u16, std::vector<std::uint16_t>{65535}, {65535});
  reads<std::int64_t>(io::dtype::u32, std::vector<std::uint32_t>{4294967295U}, {4294967295});
  reads<std::uint8_t>(io::dtype::boolean, std::vector<std::uint8_t>{0, 1, 7}, {0, 1, 1});
  reads<float>(io::dtype::u8, std::vector<std::uint8_t>{255}, {255.0F});
  const std::vector<double> nan{std::nan("")};
  CHECK(std::isnan(io::values_as<float>(entry_of(io::dtype::f64, nan)).at(0)));
  CHECK(io::values_as<float>(entry_of(io::dtype::f64, std::vector<double>{})).empty());
}

TEST_CASE("a number that does not fit is named, not changed") {
  using io::dtype;
  CHECK(refused<float>(dtype::f64, std::vector<double>{0.5, 0.1}) ==
        "tensor 'w': element 1 is 0.1, which F32 does not hold exactly");
  CHECK(refused<double>(dtype::i64, std::vector<std::int64_t>{(std::int64_t{1} << 53) + 1}) ==
        "tensor 'w': element 0 is 9007199254740993, which F64 does not hold exactly");
  CHECK(refused<double>(dtype::u64,
                        std::vector<std::uint64_t>{std::numeric_limits<std::uint64_t>::max()})
            .ends_with("F64 does not hold exactly"));
  CHECK(refused<std::int64_t>(dtype::f64, std::vector<double>{0x1p63}) != "");
  CHECK(refused<std::int64_t>(dtype::f64, std::vector<double>{-0x1p63}).empty());
  CHECK(refused<std::uint64_t>(dtype::f64, std::vector<double>{0x1p64}) != "");
  CHECK(refused<std::uint64_t>(dtype::f64, std::vector<double>{0x1p63}).empty());
  CHECK(refused<std::int32_t>(dtype::f32, std::vector<float>{0.5F}) != "");
  CHECK(refused<std::int32_t>(dtype::f32, std::vector<float>{HUGE_VALF}) != "");
  CHECK(refused<std::int32_t>(dtype::f64, std::vector<double>{std::nan("")}) != "");
  CHECK(refused<std::int8_t>(dtype::u8, std::vector<std::uint8_t>{128}) ==
        "tensor 'w': element 0 is 128, which I8 does not hold exactly");
  CHECK(refused<std::uint32_t>(dtype::i32, std::vector<std::int32_t>{-1}) ==
        "tensor 'w': element 0 is -1, which U32 does not hold exactly");
}

TEST_CASE("tensors of numbers are written with their type and come back") {
  const scratch_folder folder;
  const std::vector<double> f64{0.1, -2};
  const std::vector<std::int32_t> i32{-7, 8, 9};
  const std::vector<std::uint8_t> u8{255};
  const std::vector<std::int64_t> i64{std::int64_t{1} << 60};
  const std::vector<io::tensor_to_write> tensors{
      io::tensor_of("f64", {2}, std::span{std::as_const(f64)}),
      io::tensor_of("i32", {3, 1}, std::span{std::as_const(i32)}),
      io::tensor_of("u8", {}, std::span{std::as_const(u8)}),
      io::tensor_of("i64", {1}, std::span{std::as_const(i64)})};
  io::write_safetensors(folder / "x", tensors);
  const io::safetensors_file f{folder / "x"};
  CHECK(io::values_as<double>(f.at("f64")) == f64);
  CHECK(io::values_as<std::int32_t>(f.at("i32")) == i32);
  CHECK(f.at("i32").shape == std::vector<std::size_t>{3, 1});
  CHECK(f.at("i32").type == io::dtype::i32);
  CHECK(io::values_as<std::uint8_t>(f.at("u8")) == u8);
  CHECK(f.at("u8").type == io::dtype::u8);
  CHECK(io::values_as<std::int64_t>(f.at("i64")) == i64);
}
