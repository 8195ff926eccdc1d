// What is known by name, and a file that cannot be had: the component fetch, with libcurl and zlib.
#include <string>

#include <tombola/fetch/fetch.hpp>

int main() {
  try {
    const tombola::fetch::thing& model = tombola::fetch::find_thing("bert-base-uncased");
    static_cast<void>(tombola::fetch::fetch_thing(model, "never", "file:///never"));
  } catch (const tombola::input_error& e) {
    return std::string{e.what()}.ends_with("expected http or https") ? 0 : 1;
  }
  return 1;
}
