// pocket: the small generated language, for trying everything out without any model or data.

#include <iostream>

#include "examples/tombola/json_line.hpp"
#include "examples/tombola/mask_commands.hpp"
#include <nlohmann/json.hpp>

#include "tombola/data/pocket_language.hpp"

namespace tombola::driver {

void pocket(const pocket_options& o, const common_options& c) {
  data::write_pocket_data(o.folder, o.seed, {.corpus = o.corpus, .train = o.train, .dev = o.dev});
  if (c.json) {
    std::cout << json_line({{"folder", o.folder.string()}, {"seed", o.seed}});
  } else {
    std::cout << o.folder.string() << '\n';
  }
}

}  // namespace tombola::driver
