// JSON as every file of it is read, and members of every kind.

#include "tombola/io/json.hpp"

#include <vector>

#include "tests/fuzz/support.hpp"

using namespace tombola;

namespace {

/// A member as T, and the same as one that may be missing: the same but for null, which is a value
/// of JSON and also stands for none.
template <class T>
void look(const nlohmann::json& object, const std::filesystem::path& path) {
  const auto required = fuzz::accepted([&] { return io::require<T>(object, "a", path); });
  const auto maybe = fuzz::accepted([&] { return io::optional_member<T>(object, "a", path); });
  if (required && maybe) {
    fuzz::hold(maybe->has_value() == !object["a"].is_null(), "what is required is there");
  }
  if constexpr (std::integral<T> && !std::same_as<T, bool>) {
    if (required) fuzz::hold(object["a"] == *required, "a whole number is what it was");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& path = fuzz::as_file(fuzz::text_of(data, size));
  const auto value = fuzz::accepted([&] { return io::read_json(path); });
  if (!value) return 0;
  fuzz::check_sentence(io::shown_value(*value));
  // One kind for each input: those that do not fit cost an error each.
  switch (size % 10) {
    case 0:
      look<bool>(*value, path);
      break;
    case 1:
      look<std::int8_t>(*value, path);
      break;
    case 2:
      look<std::int64_t>(*value, path);
      break;
    case 3:
      look<std::uint16_t>(*value, path);
      break;
    case 4:
      look<std::uint64_t>(*value, path);
      break;
    case 5:
      look<double>(*value, path);
      break;
    case 6:
      look<std::string>(*value, path);
      break;
    case 7:
      look<nlohmann::json>(*value, path);
      break;
    case 8:
      look<std::vector<std::string>>(*value, path);
      break;
    case 9:
      look<std::vector<std::vector<std::int32_t>>>(*value, path);
      break;
  }
  const std::string text = io::json_text(*value, path, size % 2 == 0 ? -1 : 2);
  fuzz::hold(io::parse_json(text, path) == *value, "JSON survives writing and reading", text);
  return 0;
}

void fuzz::make_seeds(seeds& to) {
  for (const char* text :
       {R"({"a": true})", R"({"a": -1})", R"({"a": 18446744073709551615})", R"({"a": 1.5e300})",
        R"({"a": "text \u00e4 \ud83d\ude00"})", R"({"a": ["b", "c"]})", R"({"a": [[1], [2, -3]]})",
        R"({"a": null, "b": {"a": {}}})", R"([])", "{\"a\": 1,\n \"a\": 2}", R"({"a": 1e999})",
        R"({"a": "\ud800"})", "{\"a\": \"\x1B[31m\"}", "{\"a\": \"\xFF\"}", "\xEF\xBB\xBF{}",
        R"({"a": -0.0})", R"({"a": 01})", ""}) {
    to.add(text);
  }
  to.add(std::string(64, '[') + std::string(64, ']'));
  to.add(std::string(65, '[') + std::string(65, ']'));
  to.words({"\"a\":", "true", "false", "null", "[[", "]]", "{\"", "\"}", "\\u0000",
            "\\ud83d\\ude00", "1e308", "1e-400", "-0.0", "18446744073709551616",
            "-9223372036854775809", "\\u001b"});
}
