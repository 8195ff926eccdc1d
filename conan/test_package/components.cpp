// One thing of every component but onednn, so that each has to be found, with the library that it stands on.
#include <cstdio>
#include <string>
#include <vector>

#include <tombola/analysis/heat_map.hpp>
#include <tombola/backend/reference.hpp>
#include <tombola/data/vocabulary.hpp>
#include <tombola/data/wordpiece.hpp>
#include <tombola/eigen/backend.hpp>
#include <tombola/fetch/fetch.hpp>
#include <tombola/interop/xtensor.hpp>
#include <tombola/io/npz.hpp>
#include <tombola/tombola.hpp>

namespace {

// eigen: 2 by 2 times the unit matrix.
bool multiplies() {
  using view = tombola::view<float>;
  tombola::eigen::backend<float> device{1};
  auto x = device.allocate<float>(4), w = device.allocate<float>(4), y = device.allocate<float>(4);
  const view result{y.data(), 2, 2};
  device.write(std::vector<float>{1, 2, 3, 4}, view{x.data(), 2, 2});
  device.write(std::vector<float>{1, 0, 0, 1}, view{w.data(), 2, 2});
  tombola::perform(device, tombola::linear<float>{{x.data(), 2, 2}, {w.data(), 2, 2}, {}, result});
  std::vector<float> host(4);
  device.read(result, host);
  return host == std::vector<float>{1, 2, 3, 4};
}

// data: utf8proc lowers the letter and takes its accent off.
bool reads_accents() {
  const auto pieces =
      tombola::data::vocabulary::from_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\ncafe\n", "vocab.txt");
  return tombola::data::wordpiece{pieces}.encode("Caf\xc3\x89") == std::vector{4};
}

// xtensor: an expression becomes a mask. zlib: an archive gives it back.
bool keeps_masks(const char* archive) {
  const xt::xarray<double> importance{{0.1, 0.9}, {0.8, 0.2}};
  const tombola::mask good = tombola::interop::mask_from(importance > 0.5);
  const std::vector<tombola::io::npz_member> members{
      {"heads", {2, 2}, good, tombola::io::mask_number::uint8}};
  tombola::io::write_npz(archive, members, tombola::io::npz_compression::deflated);
  return tombola::io::npz_file{archive}.mask("heads").mask == good;
}

// analysis: a name goes into a page as text.
bool escapes() {
  tombola::analysis::markup page;
  page.leaf("p", "a < b");
  return page.str().find("a &lt; b") != std::string::npos;
}

// fetch: libcurl cuts an address, and takes none that is not of the web.
bool refuses_files() {
  try {
    tombola::fetch::check_address("file:///etc/hostname");
  } catch (const tombola::input_error&) {
    return true;
  }
  return false;
}

}  // namespace

int main() {
  const bool good =
      multiplies() && reads_accents() && keeps_masks("masks.npz") && escapes() && refuses_files();
  std::puts(good ? "all components are there" : "a component is not what it should be");
  return good ? 0 : 1;
}
