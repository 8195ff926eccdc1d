// Tables with a heading line.

#include "tombola/io/csv.hpp"

#include "tests/fuzz/support.hpp"

using namespace tombola;

namespace {

/// A field in quotes, as any field may be.
void put_field(const std::string& field, std::string& text) {
  text += '"';
  for (const char c : field) text += c == '"' ? "\"\"" : std::string(1, c);
  text += '"';
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& path = fuzz::as_file(fuzz::text_of(data, size));
  const auto table = fuzz::accepted([&] { return io::read_csv(path); });
  if (!table) return 0;
  (void)fuzz::accepted([&] { return table->column("score"); });
  // Of one field alone: thousands of errors in one input would take the fuzzer's time.
  if (table->rows() != 0) {
    const std::size_t last = table->rows() - 1;
    (void)fuzz::accepted([&] { return table->number_of<double>(last, 0); });
    (void)fuzz::accepted([&] { return table->number_of<std::uint64_t>(last, 0); });
  }
  std::string text;
  for (std::size_t c = 0; c < table->columns(); ++c) {
    fuzz::hold(table->column(table->header()[c]) == c, "a column is found by its name");
    if (c != 0) text += ',';
    put_field(table->header()[c], text);
  }
  for (std::size_t r = 0; r < table->rows(); ++r) {
    fuzz::hold(table->line(r) > (r == 0 ? 1 : table->line(r - 1)), "lines go down the file");
    text += '\n';
    for (std::size_t c = 0; c < table->columns(); ++c) {
      if (c != 0) text += ',';
      put_field(table->field(r, c), text);
    }
  }
  const io::csv_table same = io::parse_csv(text, "again");
  fuzz::hold(same.header() == table->header() && same.rows() == table->rows(),
             "a table survives writing and reading", text);
  for (std::size_t r = 0; r < table->rows(); ++r) {
    for (std::size_t c = 0; c < table->columns(); ++c) {
      fuzz::hold(same.field(r, c) == table->field(r, c), "a field survives writing and reading");
    }
  }
  return 0;
}

void fuzz::make_seeds(seeds& to) {
  for (const char* text :
       {"unit,score\n0,1.5\n1,-2e3\n", "a,b\r\n\"x, y\",\"say \"\"hi\"\"\"\r\n", "one\n\n\nx",
        "\xEF\xBB\xBF"
        "file,task,seed\nhead_mask.npy,CoLA,0",
        "a,\"b\nc\"\n1,2", "a,a\n", "a,b\n1\n", "a\n\"open", "a\n\"x\"y", "a\nx\"y", "a\rb", "\n",
        "a,\x1B[31m\n1,\x1B[31m"}) {
    to.add(text);
  }
  to.words({"\"\"", "\r\n", "\",\"", "score", "unit", "group", "nan", "inf", "1e999", "-1",
            "18446744073709551616", "\xEF\xBB\xBF"});
}
