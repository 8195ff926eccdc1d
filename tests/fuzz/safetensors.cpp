// Tensors of any kind, and their elements as every type of number.

#include "tombola/io/safetensors.hpp"

#include <map>
#include <span>
#include <vector>

#include "tests/fuzz/safetensors_mutator.hpp"
#include "tests/fuzz/support.hpp"

#include "tombola/core/group.hpp"
#include "tombola/io/safetensors_values.hpp"

using namespace tombola;
using namespace std::literals;

namespace {

template <class T>
void check_values(const io::tensor_entry& t, const std::vector<double>& doubles) {
  const auto values = fuzz::accepted([&] { return io::values_as<T>(t); });
  if (!values) return;
  fuzz::hold(values->size() == doubles.size(), "a tensor has one size");
  for (std::size_t i = 0; i < doubles.size(); ++i) {
    // A double is rounded where the exact number is not.
    const double exact = static_cast<double>((*values)[i]);
    fuzz::hold(exact == doubles[i] || (exact != exact && doubles[i] != doubles[i]),
               "exact elements are those that doubles are");
  }
}

/// One type of number for each tensor: those that do not fit cost an error each.
void check_tensor(const io::tensor_entry& t, std::size_t choice) {
  fuzz::hold(checked_product(t.shape, "tensor") == t.size(), "a shape covers its tensor");
  const std::vector<double> doubles = io::to_doubles(t);
  fuzz::hold(io::to_floats(t).size() == doubles.size(), "a tensor has one size");
  switch (choice % 10) {
    case 0:
      return check_values<float>(t, doubles);
    case 1:
      return check_values<double>(t, doubles);
    case 2:
      return check_values<std::int8_t>(t, doubles);
    case 3:
      return check_values<std::int16_t>(t, doubles);
    case 4:
      return check_values<std::int32_t>(t, doubles);
    case 5:
      return check_values<std::int64_t>(t, doubles);
    case 6:
      return check_values<std::uint8_t>(t, doubles);
    case 7:
      return check_values<std::uint16_t>(t, doubles);
    case 8:
      return check_values<std::uint32_t>(t, doubles);
    case 9:
      return check_values<std::uint64_t>(t, doubles);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& path = fuzz::as_file(fuzz::text_of(data, size));
  const auto file = fuzz::accepted([&] { return io::safetensors_file{path}; });
  if (!file) return 0;
  std::vector<io::tensor_to_write> tensors;
  for (const io::tensor_entry& t : file->tensors()) {
    fuzz::hold(file->find(t.name) == &t, "a tensor is found by its name");
    check_tensor(t, size + tensors.size());
    tensors.push_back({t.name, t.type, t.shape, t.bytes});
  }
  const auto again = fuzz::scratch() / "again.safetensors";
  io::write_safetensors(again, tensors, file->metadata());
  const io::safetensors_file same{again};
  fuzz::hold(same.metadata() == file->metadata(), "metadata survive writing and reading");
  fuzz::hold(same.tensors().size() == tensors.size(), "as many tensors are read as were written");
  for (const io::tensor_entry& t : file->tensors()) {
    const io::tensor_entry& s = same.at(t.name);
    fuzz::hold(s.type == t.type && s.shape == t.shape &&
                   std::equal(s.bytes.begin(), s.bytes.end(), t.bytes.begin(), t.bytes.end()),
               "a tensor survives writing and reading");
  }
  return 0;
}

void fuzz::make_seeds(seeds& to) {
  const std::vector<double> numbers{1, -2, 3.5, 0x1p60, 1e300, 0};
  const auto raw = std::as_bytes(std::span{numbers});
  const auto file = [&](const std::vector<io::tensor_to_write>& tensors,
                        const std::map<std::string, std::string>& metadata = {}) {
    return written([&](const auto& path) { io::write_safetensors(path, tensors, metadata); });
  };
  using enum io::dtype;
  for (const io::dtype type :
       {f64, f32, f16, bf16, i64, i32, i16, i8, u64, u32, u16, u8, boolean}) {
    to.add(file({{"t", type, {raw.size() / io::info(type).bytes}, raw}}));
  }
  to.add(file({}));
  const std::string several = file({{"encoder.weight", f32, {2, 3}, raw.first(24)},
                                    {"number", f64, {}, raw.first(8)},
                                    {"none", i16, {0, 7}, {}},
                                    {"flags", boolean, {5}, raw.first(5)}},
                                   {{"format", "pt"}, {"tombola \xC3\xA4", "\n\x1B[31m"}});
  to.add(several);
  to.add(several, "F32", "F99");
  to.add(several, "[2,3]", "[3,3]");
  to.add(several, "[0,7]", "[0,9]");
  to.add(several, "\"pt\"", "[[]]");
  to.add(several, "number", "flags\"");
  to.add(several.substr(0, several.size() - 1));
  to.add(several + "x");
  to.add("\xFF\xFF\xFF\xFF\0\0\0\0{}"s);
  to.words({"__metadata__", "\"dtype\":",
            "\"shape\":",   "\"data_offsets\":",
            "F64",          "F32",
            "F16",          "BF16",
            "I64",          "I32",
            "I16",          "I8",
            "U64",          "U32",
            "U16",          "U8",
            "BOOL",         "F8_E4M3",
            "[0,0]",        "[0,8]",
            "[]",           "18446744073709551615",
            "-1",           "1e400",
            "\\u0000",      "null",
            "true"});
}
