// fetch as a person types it: the sentences, the exit codes, and what is there afterwards.

#include <map>

#include "tests/driver/program.hpp"
#include "tests/fetch/archives.hpp"
#include "tests/fetch/server.hpp"
#include <nlohmann/json.hpp>

#include "tombola/io/sha256.hpp"

using namespace tombola;
using namespace tombola::test;
namespace fs = std::filesystem;

namespace {

/// A folder to run in, and a server whose files each test says.
struct rig {
  folder here;
  std::map<std::string, served> files;
  http_server server{[this](const peer& to, const asked& what) {
    const auto at = files.find(what.target);
    if (what.target == "/to-file")
      return static_cast<void>(to.send(moved_to("file:///etc/passwd")));
    if (what.target == "/stall" && what.from() == 0) {
      to.send(head_of("200 OK", "Accept-Ranges: bytes\r\nETag: \"one\"\r\n" + length_of(5000)) +
              std::string(1000, 'x'));
      return to.stall();
    }
    if (at == files.end()) {
      return static_cast<void>(to.send(head_of("404 Not Found", length_of(0))));
    }
    at->second.answer(to, what);
  }};

  rig() { forget_proxies(); }

  [[nodiscard]] answer run(const std::string& arguments, const std::string& before = "") const {
    return test::tombola("fetch " + arguments, "cd " + here.str() + " && " + before);
  }
  /// The sentence alone; nothing but `left` is in the folder afterwards.
  void refuses(const std::string& arguments,
               int code,
               const std::string& sentence,
               const std::vector<std::string>& left = {}) const {
    const answer a = run(arguments);
    INFO(arguments);
    CHECK(a.code == code);
    CHECK(a.out.empty());
    CHECK(a.err == "tombola: " + sentence + "\n");
    CHECK(names() == left);
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& e : fs::directory_iterator{here.str()}) {
      found.push_back(e.path().filename().string());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
};

}  // namespace

TEST_CASE("fetch: a file by its address, from a server and through a proxy") {
  rig r;
  const std::string content(5000, 'x'), sum = io::sha256_hex(content);
  r.files["/x"] = {content};
  const answer a = r.run((r.server / "x") + " --sha256 " + sum + " --out x.bin");
  CHECK(a.code == 0);
  CHECK(a.out == "x.bin\n");
  CHECK(text_of(r.here / "x.bin") == content);

  const answer again = r.run((r.server / "x") + " --sha256 " + sum + " --out x.bin");
  CHECK(again.code == 0);
  CHECK(again.err == "x.bin: was there already, complete\n");

  // To the server as a proxy, an address is another's whole.
  r.files["http://nowhere.invalid/y"] = {content};
  const answer proxied =
      r.run("http://nowhere.invalid/y --size 5000 --json --sha256 " + sum + " --out y",
            "http_proxy=" + (r.server / ""));
  INFO(proxied.err);
  CHECK(proxied.code == 0);
  const auto j = nlohmann::json::parse(proxied.out)["fetched"][0];
  CHECK(j["path"] == "y");
  CHECK(j["was_there"] == false);
  CHECK(j["files"][0]["size"] == 5000);
  CHECK(j["files"][0]["sha256"] == sum);
}

TEST_CASE("fetch: everything that is refused") {
  rig r;
  const std::string content(5000, 'x'), sum = io::sha256_hex(content);
  const std::string other = io::sha256_hex("other"), with = " --out x --sha256 " + sum;
  r.files["/x"] = {content};
  r.files["/cut"] = {content, "", 1000};
  const auto at = [&](const std::string& path) { return r.server / path; };

  r.refuses(at("x") + " --out x --sha256 " + other, 2,
            at("x") + ": has the SHA-256 " + sum + ", expected " + other);
  r.refuses(at("x") + with + " --size 4999", 2, at("x") + ": announces 5000 bytes, expected 4999");
  r.refuses(at("cut") + with, 1, at("cut") + ": the connection was cut; nothing was kept");
  r.refuses(at("to-file") + with, 2,
            at("to-file") + ": is redirected to 'file:///etc/passwd', expected http or https");
  r.refuses(at("gone") + with, 2, at("gone") + ": the server answers 404, expected the file");
  r.refuses("file:///etc/passwd" + with, 2,
            "file:///etc/passwd: found the scheme file, expected http or https");
  r.refuses("ftp://127.0.0.1/x" + with, 2,
            "ftp://127.0.0.1/x: found the scheme ftp, expected http or https");
  r.refuses(at("x") + " --out x --sha256 abc", 2,
            "fetch: the SHA-256 is 'abc', expected 64 hexadecimal digits");
  r.refuses(at("x") + " --out x", 2,
            "fetch: an address without --sha256, expected the SHA-256 of the file and a name to "
            "write it to");
  r.refuses(at("x") + " --sha256 " + sum, 2,
            "fetch: an address without --out, expected the SHA-256 of the file and a name to write "
            "it to");
  r.refuses(at("x") + " SST-2" + with, 2,
            "fetch: found 2 names and addresses, expected one address alone or names alone");
  r.refuses(at("x") + " --from ." + with, 2,
            "fetch: --from goes with names, expected none with an address");
  r.refuses("SST-2 --unpack", 2,
            "fetch: --sha256, --size and --unpack go with an address, expected none with names: "
            "the table has them");
  r.refuses("", 2, "fetch: no name is given, expected one of --list or an http(s) address");
  r.refuses("SST-2 --from nowhere", 2, "nowhere: is no folder, expected one or an http(s) address");
  r.refuses("SST-2 --from file:///tmp", 2,
            "file:///tmp: found the scheme file, expected http or https");
  const answer unknown = r.run("SST-2 SST-3");
  CHECK(unknown.code == 2);
  CHECK_THAT(unknown.err, Catch::Matchers::StartsWith(
                              "tombola: fetch: nothing is known by the name 'SST-3', expected "));
}

TEST_CASE("fetch: an archive is unpacked, unless it leads out of the folder") {
  rig r;
  const std::string good = archive_of({{"a/b.tsv", "b"}, {"c", "c"}});
  const std::string climbs = archive_of({{"c", "c"}, {"../../climbed", "x"}});
  const std::string linked = archive_of({{"c", "/etc/passwd", 0120777}});
  r.files["/good"] = {good};
  r.files["/climbs"] = {climbs};
  r.files["/linked"] = {linked};
  const auto unpack = [&](const std::string& path, const std::string& bytes) {
    return (r.server / path) + " --unpack --out made/u --sha256 " + io::sha256_hex(bytes);
  };
  r.refuses(unpack("climbs", climbs), 2,
            "archive.zip: holds '../../climbed', whose path climbs out of the folder");
  r.refuses(unpack("linked", linked), 2,
            "archive.zip: holds 'c', which is a link or device, expected files alone");
  CHECK(r.run(unpack("good", good)).code == 0);
  CHECK(text_of(r.here / "made/u/a/b.tsv") == "b");
  CHECK(text_of(r.here / "made/u/c") == "c");
}

TEST_CASE("fetch: a mirror or folder that has something else under a name") {
  rig r;
  const std::string small(100, 'x');
  r.files["/mirror/glue/data/RTE.zip"] = {small};
  const std::string address = r.server / "mirror/glue/data/RTE.zip";
  r.refuses("RTE --from " + (r.server / "mirror"), 2,
            address + ": announces 100 bytes, expected 697150");
  CHECK(r.server.log().back().target == "/mirror/glue/data/RTE.zip");
  const std::string wrong(697150, 'x');
  r.files["/mirror/glue/data/RTE.zip"] = {wrong};
  r.refuses("RTE --from " + (r.server / "mirror"), 2,
            address + ": has the SHA-256 " + io::sha256_hex(wrong) +
                ", expected 6bf86de103ecd335f3441bd43574d23fef87ecc695977a63b82d5efb206556ee");
  fs::create_directory(r.here / "local");
  write_text(r.here / "local/RTE.zip", small);
  r.refuses("RTE --from local --out a/b", 2, "local/RTE.zip: has 100 bytes, expected 697150",
            {"local"});
}

TEST_CASE("fetch: Ctrl-C ends it in order, and the next call goes on") {
  rig r;
  const std::string content(5000, 'x'), sum = io::sha256_hex(content);
  r.files["/stall"] = {content};
  std::string address = r.server / "stall";
  address.insert(address.find("//") + 2, "user:secret@");
  const std::string line = address + " --out x --size 5000 --sha256 " + sum;
  // When bytes have come, the program waits for more.
  const folder script;
  write_text(script / "stop.sh", "cd " + r.here.str() + "\n" + TOMBOLA_DRIVER + " fetch " + line +
                                     " 2>" + (script / "err").string() +
                                     " &\n"
                                     "for i in $(seq 600); do\n"
                                     "  if [ -s .x.fetching/file ]; then break; fi\n"
                                     "  sleep 0.05\n"
                                     "done\n"
                                     "kill -INT $!\n"
                                     "wait $!\n");
  const int status = std::system(("sh " + (script / "stop.sh").string()).c_str());
  CHECK(WEXITSTATUS(status) == 1);
  CHECK(text_of(script / "err") == "tombola: fetch: stopped\n");
  CHECK(r.names() == std::vector<std::string>{".x.fetching"});
  CHECK(text_of(r.here / ".x.fetching/file") == content.substr(0, 1000));
  CHECK_THAT(text_of(r.here / ".x.fetching/file.from"), !Catch::Matchers::Contains("secret"));
  CHECK(r.run(line).code == 0);
  CHECK(r.server.log().back().header("Range") == "bytes=1000-");
  CHECK(text_of(r.here / "x") == content);
  CHECK(r.names() == std::vector<std::string>{"x"});
}

TEST_CASE("fetch: the list") {
  const rig r;
  const answer text = r.run("--list");
  CHECK(text.code == 0);
  CHECK_THAT(text.out, Catch::Matchers::Contains("bert-base-uncased"));
  CHECK(std::count(text.out.begin(), text.out.end(), '\n') == 13);
  const auto j = nlohmann::json::parse(r.run("--list --json").out);
  REQUIRE(j["things"].size() == 13);
  for (const auto& t : j["things"]) {
    for (const auto& f : t["files"]) CHECK(f["sha256"].get<std::string>().size() == 64);
  }
  r.refuses("SST-2 --list", 2,
            "fetch: --list says all there is, expected nothing with it but --json");
  CHECK_THAT(r.run("--help").out, Catch::Matchers::Contains("Example: tombola fetch"));
}
