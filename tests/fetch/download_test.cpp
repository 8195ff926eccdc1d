// One file over HTTP, with a server that does everything wrong that a server can.

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <vector>

#include "tests/fetch/server.hpp"
#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"

#include "tombola/fetch/fetch.hpp"

using namespace tombola;
using namespace tombola::test;
namespace fs = std::filesystem;

namespace {

/// Bytes that differ everywhere; 300,000 of them take several reads.
std::string made_content(std::size_t n = 300'000) {
  std::string s;
  for (std::uint32_t x = 1; s.size() < n; x = x * 1664525 + 1013904223) {
    s += static_cast<char>(x >> 24);
  }
  return s;
}

struct rig {
  scratch_folder here;
  std::string content = made_content();
  std::string sha256 = io::sha256_hex(content);
  fetch::manner how;

  rig() {
    forget_proxies();
    how.net = {.connect_seconds = 5, .stall_seconds = 1, .stall_bytes = 100, .redirects = 5};
  }
  [[nodiscard]] fs::path out() const { return here / "out.bin"; }

  fetch::fetched get(const std::string& address, std::uint64_t size) const {
    return fetch::fetch_file(address, sha256, size, out(), how);
  }
  /// The sentence without the address, by an error of exactly this kind.
  template <class Error>
  [[nodiscard]] std::string refused(const std::string& address, std::uint64_t size) const {
    return sentence<Error>([&] { static_cast<void>(get(address, size)); }, address + ": ");
  }
  /// Refused with a sentence, and the folder is as empty as before.
  template <class Error>
  void check_refused(const std::string& address, const std::string& why) const {
    CHECK(refused<Error>(address, content.size()) == why);
    CHECK(here.names().empty());
  }
  void check_fetched() const {
    CHECK(here.names() == std::vector<std::string>{"out.bin"});
    CHECK((test::get(out()) == content));
  }
};

/// Sends a fixed text, whatever is asked for.
answering says(std::string text) {
  return [text = std::move(text)](const peer& to, const asked&) { to.send(text); };
}
answering gives(served file) {
  return [file = std::move(file)](const peer& to, const asked& what) { file.answer(to, what); };
}

}  // namespace

TEST_CASE("a file comes, is checked, and is left alone the next time") {
  const rig r;
  const http_server server{gives({r.content})};
  const auto first = r.get(server / "x", r.content.size());
  r.check_fetched();
  CHECK_FALSE(first.was_there);
  REQUIRE(first.files.size() == 1);
  CHECK(first.files[0].size == r.content.size());
  CHECK(first.files[0].sha256 == r.sha256);
  CHECK(r.get(server / "x", r.content.size()).was_there);
  CHECK(server.log().size() == 1);
  CHECK(server.log()[0].header("Range").empty());
}

TEST_CASE("the size need not be known, nor announced") {
  const rig r;
  const http_server server{says(head_of("200 OK", "") + r.content)};
  SECTION("unknown") {
    static_cast<void>(r.get(server / "x", 0));
  }
  SECTION("known") {
    static_cast<void>(r.get(server / "x", r.content.size()));
  }
  r.check_fetched();
}

TEST_CASE("a file that is there and another one is an error") {
  const rig r;
  put(r.out(), "mine");
  CHECK(sentence<input_error>([&] { static_cast<void>(r.get("http://127.0.0.1:1/", 0)); }) ==
        r.out().string() + ": is there already and has the SHA-256 " + io::sha256_hex("mine") +
            ", expected " + r.sha256 + " or nothing");
  CHECK(get(r.out()) == "mine");
}

TEST_CASE("a wrong byte is refused, and nothing is kept") {
  const rig r;
  std::string wrong = r.content;
  wrong[200'000] = static_cast<char>(wrong[200'000] ^ 1);
  const http_server server{gives({wrong})};
  const std::string why = "has the SHA-256 " + io::sha256_hex(wrong) + ", expected " + r.sha256;
  r.check_refused<format_error>(server / "x", why);
  CHECK(r.refused<format_error>(server / "x", 0) == why);
  CHECK(r.here.names().empty());
}

TEST_CASE("a file of another size is refused before it comes") {
  const rig r;
  for (const std::size_t n : {r.content.size() - 1, r.content.size() + 1}) {
    const http_server server{says(head_of("200 OK", length_of(n)) + r.content + "x")};
    r.check_refused<format_error>(server / "x",
                                  "announces " + std::to_string(n) + " bytes, expected 300000");
  }
}

TEST_CASE("bytes without end are cut off at the size of the file") {
  const rig r;
  std::atomic<std::uint64_t> sent = 0;
  const http_server server{[&](const peer& to, const asked&) {
    to.send(head_of("200 OK", ""));
    while (to.send(r.content)) sent += r.content.size();
  }};
  r.check_refused<format_error>(server / "x", "sends more than the 300000 bytes that the file has");
  CHECK(sent < 50'000'000);
}

TEST_CASE("a cut connection keeps what can be continued, and the next call goes on from there") {
  rig r;
  served file{r.content};
  file.cut_at = 123'456;
  {
    const http_server server{gives(file)};
    const std::string address = server / "x";
    CHECK(r.refused<fetch::transfer_failure>(address, r.content.size()) ==
          "the connection was cut; 123456 of 300000 bytes are kept, and the same command goes on "
          "from there");
    CHECK(r.here.names() == std::vector<std::string>{".out.bin.fetching"});
    CHECK_FALSE(fs::exists(r.out()));
    // Once more: 123,456 bytes further.
    CHECK(r.refused<fetch::transfer_failure>(address, r.content.size())
              .starts_with("the connection was cut; 246912 of 300000 bytes are kept"));
    std::vector<std::uint64_t> told;
    r.how.watch = [&](std::uint64_t done, std::uint64_t all) {
      told.push_back(done);
      CHECK(all == r.content.size());
    };
    static_cast<void>(r.get(address, r.content.size()));
    const auto log = server.log();
    REQUIRE(log.size() == 3);
    CHECK(log[1].header("Range") == "bytes=123456-");
    CHECK(log[2].header("Range") == "bytes=246912-");
    CHECK(log[2].header("If-Range") == "\"one\"");
    CHECK(std::find(told.begin(), told.end(), 246'912) != told.end());
  }
  r.check_fetched();
}

TEST_CASE("a file of unknown size is continued, too") {
  const rig r;
  served file{r.content};
  file.cut_at = 200'000;
  const http_server server{gives(file)};
  CHECK(r.refused<fetch::transfer_failure>(server / "x", 0) ==
        "the connection was cut; 200000 bytes are kept, and the same command goes on from there");
  static_cast<void>(r.get(server / "x", 0));
  r.check_fetched();
}

TEST_CASE("what cannot be continued is not kept") {
  const rig r;
  served file{r.content};
  file.cut_at = 1000;
  SECTION("the server has no ranges") {
    file.ranges = false;
  }
  SECTION("the server has no name for the content") {
    file.etag.clear();
  }
  SECTION("the name is a weak one") {
    file.etag = "W/\"one\"";
  }
  const http_server server{gives(file)};
  r.check_refused<fetch::transfer_failure>(server / "x",
                                           "the connection was cut; nothing was kept");
}

namespace {

/// A rig with 1,000 bytes kept from a server that then becomes another one.
struct interrupted_rig : rig {
  std::function<void(const peer&, const asked&)> then;
  int calls = 0;
  http_server server{[this](const peer& to, const asked& what) {
    served file{content};
    file.cut_at = 1000;
    if (calls++ == 0) return file.answer(to, what);
    then(to, what);
  }};
  std::string address = server / "x";

  interrupted_rig() {
    CHECK(refused<fetch::transfer_failure>(address, content.size()).ends_with("from there"));
  }
};

}  // namespace

TEST_CASE("a server that forgot about ranges, or has other content, starts over") {
  interrupted_rig r;
  SECTION("the range is ignored") {
    r.then = gives({r.content, "\"one\"", r.content.npos, false});
  }
  SECTION("the content's name has changed") {
    r.then = gives({r.content, "\"two\""});
  }
  SECTION("the whole comes without any headers") {
    r.then = says(head_of("200 OK", "") + r.content);
  }
  static_cast<void>(r.get(r.address, r.content.size()));
  r.check_fetched();
  CHECK(r.server.log()[1].header("Range") == "bytes=1000-");
}

TEST_CASE("a part that does not fit is not appended: the file is asked for again") {
  interrupted_rig r;
  std::string first = "1000", all = "300000", etag = "\"one\"", status = "206 Partial Content";
  SECTION("another beginning") {
    first = "999";
  }
  SECTION("of another size") {
    all = "300001";
  }
  SECTION("of other content") {
    etag = "\"two\"";
  }
  SECTION("out of range") {
    status = "416 Range Not Satisfiable";
  }
  r.then = [&](const peer& to, const asked& what) {
    if (what.from() == 0) return served{r.content}.answer(to, what);
    const std::string part = r.content.substr(1000);
    to.send(head_of(status, "Content-Range: bytes " + first + "-299999/" + all +
                                "\r\nETag: " + etag + "\r\n" + length_of(part.size())) +
            part);
  };
  static_cast<void>(r.get(r.address, r.content.size()));
  r.check_fetched();
  REQUIRE(r.server.log().size() == 3);
  CHECK(r.server.log()[1].header("Range") == "bytes=1000-");
  CHECK(r.server.log()[2].header("Range").empty());
}

TEST_CASE("a wrong byte in the rest is refused, and the beginning goes, too") {
  interrupted_rig r;
  std::string wrong = r.content;
  wrong.back() = static_cast<char>(wrong.back() ^ 1);
  r.then = gives({wrong});
  CHECK(r.refused<format_error>(r.address, r.content.size()).starts_with("has the SHA-256 "));
  CHECK(r.here.names().empty());
}

TEST_CASE("a beginning that was damaged on the disk does not survive") {
  interrupted_rig r;
  const fs::path left = r.here / ".out.bin.fetching/file";
  std::string kept = get(left);
  CHECK(kept == r.content.substr(0, 1000));
  kept[500] = static_cast<char>(kept[500] ^ 1);
  put(left, kept);
  r.then = gives({r.content});
  CHECK(r.refused<format_error>(r.address, r.content.size()).starts_with("has the SHA-256 "));
  CHECK(r.here.names().empty());
  static_cast<void>(r.get(r.address, r.content.size()));
  r.check_fetched();
}

TEST_CASE("what another address or a broken record has left is not continued") {
  interrupted_rig r;
  r.then = gives({r.content});
  const fs::path from = r.here / ".out.bin.fetching/file.from";
  std::string record = get(from);
  SECTION("another address") {
    r.address += "y";
  }
  SECTION("another SHA-256") {
    record.replace(record.find(r.sha256), 64, std::string(64, '0'));
  }
  SECTION("no JSON") {
    record = "{";
  }
  SECTION("a line end for the request") {
    record.replace(record.find("\\\"one\\\""), 7, "a\\r\\nX: y");
  }
  put(from, record);
  static_cast<void>(r.get(r.address, r.content.size()));
  r.check_fetched();
  REQUIRE(r.server.log().size() == 2);
  CHECK(r.server.log()[1].header("Range").empty());
}

TEST_CASE("a transfer that stands still is given up") {
  rig r;
  const http_server server{[&](const peer& to, const asked& what) {
    if (what.target == "/silent") return to.stall();
    to.send(head_of("200 OK", "Accept-Ranges: bytes\r\nETag: \"one\"\r\n" + length_of(300'000)) +
            r.content.substr(0, 1000));
    to.stall();
  }};
  const auto start = std::chrono::steady_clock::now();
  CHECK_THAT(r.refused<fetch::transfer_failure>(server / "silent", r.content.size()),
             Catch::Matchers::StartsWith("the server does not answer: "));
  CHECK(r.here.names().empty());
  CHECK(r.refused<fetch::transfer_failure>(server / "x", r.content.size()) ==
        "the transfer stood still for 1 s; 1000 of 300000 bytes are kept, and the same command "
        "goes on from there");
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds{30});
}

TEST_CASE("a stop that is asked for ends a transfer, even one that stands still") {
  rig r;
  r.how.net.stall_seconds = 60;
  r.how.watch = [](std::uint64_t done, std::uint64_t) {
    if (done == 1000) throw runtime_failure("stopped");
  };
  const http_server server{[&](const peer& to, const asked&) {
    to.send(head_of("200 OK", "Accept-Ranges: bytes\r\nETag: \"one\"\r\n" + length_of(300'000)) +
            r.content.substr(0, 1000));
    to.stall();
  }};
  CHECK(sentence<runtime_failure>(
            [&] { static_cast<void>(r.get(server / "x", r.content.size())); }) == "stopped");
  CHECK(r.here.names() == std::vector<std::string>{".out.bin.fetching"});
}

TEST_CASE("an answer that is no file is refused with its number") {
  const rig r;
  const auto answer = [&](const std::string& status) {
    return head_of(status, length_of(5)) + "sorry";
  };
  for (const std::string bad : {"404 Not Found", "403 Forbidden", "204 No Content", "401 No",
                                "300 Many", "304 Not Modified"}) {
    INFO(bad);
    const http_server server{says(answer(bad))};
    r.check_refused<input_error>(server / "x",
                                 "the server answers " + bad.substr(0, 3) + ", expected the file");
  }
  for (const std::string bad : {"500 Oh", "503 Later", "429 Slowly"}) {
    INFO(bad);
    const http_server server{says(answer(bad))};
    r.check_refused<fetch::transfer_failure>(
        server / "x",
        "the server answers " + bad.substr(0, 3) + ", expected the file; nothing was kept");
  }
  const http_server part{says(head_of("206 Partial Content", length_of(3)) + "abc")};
  r.check_refused<format_error>(part / "x", "sends a part, expected the whole");
  const http_server range{says(answer("416 No"))};
  r.check_refused<input_error>(range / "x", "the server does not send the file from its beginning");
  const http_server noise{says("hello, I am no web server\r\n\r\n")};
  CHECK(r.refused<fetch::transfer_failure>(noise / "x", 5).starts_with("the transfer failed: "));
  CHECK(r.here.names().empty());
}

TEST_CASE("a head without end is given up") {
  const rig r;
  const http_server server{[](const peer& to, const asked&) {
    to.send("HTTP/1.1 200 OK\r\n");
    while (to.send("X-More: " + std::string(1000, 'x') + "\r\n")) {
    }
  }};
  CHECK_THAT(r.refused<fetch::transfer_failure>(server / "x", r.content.size()),
             Catch::Matchers::EndsWith("; nothing was kept"));
  const http_server early{[](const peer& to, const asked&) {
    while (to.send("HTTP/1.1 102 Wait\r\n\r\n")) {
    }
  }};
  CHECK_THAT(r.refused<fetch::transfer_failure>(early / "x", r.content.size()),
             Catch::Matchers::EndsWith("; nothing was kept"));
  CHECK(r.here.names().empty());
}

TEST_CASE("a server that is not there") {
  const rig r;
  std::string address;
  {
    const http_server gone{says("")};
    CHECK(r.refused<fetch::transfer_failure>(gone / "x", 5) ==
          "the connection was cut; nothing was kept");
    address = gone / "x";
  }
  CHECK(r.refused<fetch::transfer_failure>(address, 5).starts_with("cannot be reached: "));
  CHECK(r.here.names().empty());
}

TEST_CASE("redirects are followed to web addresses alone, and not for ever") {
  const rig r;
  put(r.here / "secret", r.content);
  std::string location;
  const http_server server{[&](const peer& to, const asked& what) {
    if (what.target == "/file") return served{r.content}.answer(to, what);
    if (what.target == "/circle") return static_cast<void>(to.send(moved_to("/circle")));
    to.send(moved_to(location));
  }};
  const auto refused = [&](const std::string& to) {
    location = to;
    return r.refused<input_error>(server / "x", r.content.size());
  };
  const std::string secret = "file://" + (r.here / "secret").string();
  CHECK(refused(secret) == "is redirected to '" + secret + "', expected http or https");
  CHECK(refused("ftp://127.0.0.1/x") ==
        "is redirected to 'ftp://127.0.0.1/x', expected http or https");
  CHECK(refused("") == "is redirected to '', which is no address");
  CHECK(refused("/circle") == "is redirected more than 5 times");
  CHECK(server.log().size() == 3 + 6);
  CHECK(r.here.names() == std::vector<std::string>{"secret"});
  for (const std::string& good : {std::string{"/file"}, server / "file", std::string{"file"}}) {
    location = good;
    static_cast<void>(r.get(server / "x", r.content.size()));
    CHECK((get(r.out()) == r.content));
    fs::remove(r.out());
  }
}

TEST_CASE("a redirected file is continued where the redirect leads") {
  const rig r;
  served file{r.content};
  file.cut_at = 200'000;
  const http_server server{[&](const peer& to, const asked& what) {
    if (what.target == "/x") return static_cast<void>(to.send(moved_to("/file")));
    file.answer(to, what);
  }};
  CHECK(r.refused<fetch::transfer_failure>(server / "x", r.content.size()).ends_with("from there"));
  static_cast<void>(r.get(server / "x", r.content.size()));
  r.check_fetched();
  CHECK(server.log()[3].header("Range") == "bytes=200000-");
}

TEST_CASE("the proxies of the environment are taken") {
  const rig r;
  const http_server proxy{gives({r.content})};
  ::setenv("http_proxy", (proxy / "").c_str(), 1);
  static_cast<void>(r.get("http://nowhere.invalid/x", r.content.size()));
  r.check_fetched();
  CHECK(proxy.log()[0].target == "http://nowhere.invalid/x");

  fs::remove(r.out());
  const http_server near{gives({r.content})};
  ::setenv("no_proxy", "127.0.0.1", 1);
  static_cast<void>(r.get(near / "x", r.content.size()));
  CHECK(proxy.log().size() == 1);
  CHECK(near.log().size() == 1);
  forget_proxies();
}

TEST_CASE("one file is fetched by one process at a time") {
  const rig r;
  const http_server server{gives({r.content})};
  {
    const fetch::workplace mine{r.out()};
    CHECK(sentence<input_error>([&] { static_cast<void>(r.get(server / "x", 0)); }) ==
          r.out().string() + ": is being fetched by another process");
    CHECK(server.log().empty());
  }
  static_cast<void>(r.get(server / "x", 0));
  r.check_fetched();
}

TEST_CASE("places where nothing can be written, and sums that are none") {
  const rig r;
  const http_server server{gives({r.content})};
  const auto refuse = [&](const std::string& sha256, const fs::path& out) {
    return sentence<input_error>(
        [&] { static_cast<void>(fetch::fetch_file(server / "x", sha256, 0, out, r.how)); });
  };
  CHECK(refuse("abc", r.out()) == "fetch: the SHA-256 is 'abc', expected 64 hexadecimal digits");
  CHECK(refuse(std::string(63, 'a') + "g", r.out()).starts_with("fetch: the SHA-256 is 'aaa"));
  put(r.here / "file", "");
  CHECK(refuse(r.sha256, r.here / "file/x").starts_with((r.here / "file").string()));
  // A link in the workplace's stead would lead what comes elsewhere.
  fs::create_directory(r.here / "elsewhere");
  fs::create_directory_symlink(r.here / "elsewhere", r.here / ".out.bin.fetching");
  CHECK(refuse(r.sha256, r.out()).find("cannot be fetched") != std::string::npos);
  CHECK(fs::is_empty(r.here / "elsewhere"));
  CHECK(server.log().empty());
  // Folders above the file are made, and go again where nothing comes.
  fs::remove(r.here / ".out.bin.fetching");
  std::string capitals = r.sha256;
  for (char& c : capitals) c = static_cast<char>(std::toupper(c));
  static_cast<void>(fetch::fetch_file(server / "x", capitals, 0, r.here / "a/b/c", r.how));
  CHECK((get(r.here / "a/b/c") == r.content));
  CHECK(refuse(std::string(64, '0'), r.here / "d/e/f").find("has the SHA-256") !=
        std::string::npos);
  CHECK_FALSE(fs::exists(r.here / "d"));
}
