// Which addresses are taken, and where redirects may lead.

#include "tombola/fetch/address.hpp"

#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

std::string refused(const std::string& address) {
  return sentence<input_error>([&] { fetch::check_address(address); });
}

std::string redirect(const std::string& from, const std::string& location) {
  return fetch::redirected(from, location, from);
}
std::string refused_redirect(const std::string& from, const std::string& location) {
  return sentence<input_error>([&] { static_cast<void>(redirect(from, location)); });
}

}  // namespace

TEST_CASE("an address is http or https with a host") {
  fetch::check_address("http://a.example/x");
  fetch::check_address("HTTPS://a.example");
  CHECK(refused("file:///etc/passwd") ==
        "file:///etc/passwd: found the scheme file, expected http or https");
  CHECK(refused("FILE:///etc/passwd") ==
        "FILE:///etc/passwd: found the scheme file, expected http or https");
  CHECK(refused("ftp://a.example/x") ==
        "ftp://a.example/x: found the scheme ftp, expected http or https");
  CHECK(refused("a.example/x").ends_with("expected http:// or https:// and a host"));
  CHECK(refused("http://").ends_with("expected http:// or https:// and a host"));
  CHECK(refused("http://a.example/\n").ends_with("expected http:// or https:// and a host"));
  CHECK(refused("gopher://user:secret@a.example/x") ==
        "gopher://***@a.example/x: found the scheme gopher, expected http or https");
}

TEST_CASE("a redirect leads to http or https, and never from https to http") {
  CHECK(redirect("http://a.example/x/y", "z?q=1") == "http://a.example/x/z?q=1");
  CHECK(redirect("http://a.example/x", "/z") == "http://a.example/z");
  CHECK(redirect("http://a.example/x", "https://b.example/z") == "https://b.example/z");
  CHECK(redirect("https://a.example/x", "//b.example/z") == "https://b.example/z");
  CHECK(refused_redirect("https://a.example/x", "http://a.example/x") ==
        "https://a.example/x: is redirected from https to 'http://a.example/x', expected https");
  for (const std::string bad :
       {"file:///etc/passwd", "FILE:/etc/passwd", "ftp://a.example/x", "gopher://a.example/x",
        "smb://a.example/x", "dict://a.example/x"}) {
    INFO(bad);
    CHECK(
        refused_redirect("http://a.example/x", bad).starts_with("http://a.example/x: is redirect"));
  }
  CHECK(refused_redirect("http://a.example/x", "").ends_with("which is no address"));
  CHECK(refused_redirect("http://a.example/x", "http://b.example:99999999/")
            .ends_with("which is no address"));
}

TEST_CASE("a mirror takes the place of scheme and host") {
  const std::string original = "https://a.example/x/y.zip";
  CHECK(fetch::mirrored(original, "http://b.example") == "http://b.example/x/y.zip");
  CHECK(fetch::mirrored(original, "http://b.example:81/copy//") ==
        "http://b.example:81/copy/x/y.zip");
  CHECK(sentence<input_error>([&] { static_cast<void>(fetch::mirrored(original, "file:///x")); }) ==
        "file:///x: found the scheme file, expected http or https");
  CHECK(sentence<input_error>([&] {
          static_cast<void>(fetch::mirrored(original, "http://b.example/?q="));
        }) == "http://b.example/?q=: is no mirror, expected an address without ? and #");
}
