// Tickets that a command can do nothing with: refused by the name of their file, and nothing made.

#include "tests/driver/program.hpp"

#include "tombola/io/ticket_file.hpp"

using namespace tombola;
using namespace tombola::test;
namespace fs = std::filesystem;

TEST_CASE("a ticket without groups is refused by name") {
  const folder here;
  const std::string none = (here / "none.safetensors").string();
  const std::string out = (here / "out.safetensors").string();
  io::write_ticket(none, ticket{std::vector<group>{}});
  const std::vector<std::string> words{"none.safetensors", "has no group", "expected at least one"};
  for (const std::string kind : {"random", "bad", "layers", "inverted"}) {
    refuses("controls --ticket " + none + " --kind " + kind + " --out " + out, words, here.str());
  }
  refuses("controls --ticket " + none + " " + none + " --kind super --out " + out, words,
          here.str());
  refuses("compare " + none + " " + none, words, here.str());
  refuses("agreement " + none + " " + none, words, here.str());
  refuses("convert " + none + " --out " + out, words, here.str());
  CHECK_FALSE(fs::exists(out));
}
