#include "examples/tombola/mask_files.hpp"

#include <utility>

#include <fmt/format.h>

#include "tombola/io/npy.hpp"
#include "tombola/io/ticket_file.hpp"

namespace tombola::driver {

ticket read_masks(const std::filesystem::path& file) {
  if (file.extension() == ".npy") {
    io::npy_mask m = io::read_mask_npy(file);
    std::vector<mask> masks;
    masks.push_back(std::move(m.mask));
    return {{{"mask", m.extents}}, std::move(masks)};
  }
  return io::read_ticket(file);
}

std::vector<ticket> read_masks(const std::vector<std::filesystem::path>& files) {
  std::vector<ticket> all;
  for (const std::filesystem::path& file : files) {
    all.push_back(read_masks(file));
    try {
      require_same_groups(all.front(), all.back());
    } catch (const shape_error& e) {
      throw input_error(file.string() + ": does not fit " + files.front().string() + ": " +
                        e.what());
    }
  }
  return all;
}

void put(nlohmann::json& object, const char* key, const estimate& e) {
  if (e.defined()) {
    object[key] = e.value;
  } else {
    object[key] = nullptr;
    object["undefined"][key] = to_string(e.why);
  }
}

std::string text_of(const estimate& e) {
  return e.defined() ? fmt::format("{:.4f}", e.value) : "undefined: " + to_string(e.why);
}

}  // namespace tombola::driver
