// Folders of several files: complete or not there, from the network, a mirror or a folder.

#include "tombola/fetch/fetch.hpp"

#include <filesystem>
#include <map>
#include <set>

#include "tests/fetch/archives.hpp"
#include "tests/fetch/server.hpp"
#include "tests/io/scratch.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/shared.hpp"
#include <sys/stat.h>

using namespace tombola;
using namespace tombola::test;
namespace fs = std::filesystem;

namespace {

fetch::remote_file remote(const std::string& name, const std::string& content) {
  return {name, "", content.size(), io::sha256_hex(content)};
}

/// A server of files by their paths, and the place that a test fetches to.
struct rig {
  scratch_folder here;
  std::map<std::string, served> files;
  http_server server{[this](const peer& to, const asked& what) {
    const auto at = files.find(what.target);
    if (at != files.end()) return at->second.answer(to, what);
    to.send(head_of("404 Not Found", length_of(0)));
  }};
  fs::path target = here / "thing";

  rig() { forget_proxies(); }

  /// A thing whose files lie at /a/b/NAME of the server.
  fetch::thing made(fetch::packing form,
                    const std::vector<std::pair<std::string, std::string>>& contents) {
    fetch::thing t{"thing", "for a test", fetch::kind::other, form, {}};
    for (const auto& [name, content] : contents) {
      files["/a/b/" + name] = {content};
      t.files.push_back(remote(name, content));
      t.files.back().address = server / ("a/b/" + name);
    }
    return t;
  }
  fetch::thing model() {
    return made(fetch::packing::plain, {{"config.json", "{}"},
                                        {"vocab.txt", "[PAD]\n"},
                                        {"model.safetensors", std::string(300'000, 'w')}});
  }
  /// Names below the target, sorted.
  [[nodiscard]] std::set<std::string> tree() const {
    std::set<std::string> names;
    for (const auto& e : fs::recursive_directory_iterator{target}) {
      if (!e.is_directory()) names.insert(fs::relative(e.path(), target).string());
    }
    return names;
  }
  template <class Error>
  [[nodiscard]] std::string refused(const fetch::thing& t, const std::string& from = "") const {
    return sentence<Error>([&] { static_cast<void>(fetch::fetch_thing(t, target, from)); });
  }
};

}  // namespace

TEST_CASE("a checkpoint comes whole, with a record, and is left alone the next time") {
  rig r;
  const fetch::thing t = r.model();
  std::vector<std::uint64_t> told;
  const fetch::manner how{.watch = [&](std::uint64_t done, std::uint64_t all) {
    CHECK(all == t.size());
    CHECK(done <= all);
    told.push_back(done);
  }};
  const auto first = fetch::fetch_thing(t, r.target, "", how);
  CHECK_FALSE(first.was_there);
  CHECK(first.files.size() == 3);
  CHECK(!told.empty());
  CHECK(r.tree() ==
        std::set<std::string>{".fetched.json", "config.json", "model.safetensors", "vocab.txt"});
  CHECK(r.here.names() == std::vector<std::string>{"thing"});
  CHECK((get(r.target / "model.safetensors") == std::string(300'000, 'w')));

  const auto again = fetch::fetch_thing(t, r.target / "");
  CHECK(again.was_there);
  CHECK(again.files.size() == 3);
  CHECK(r.server.log().size() == 3);

  SECTION("but not where a file has changed") {
    put(r.target / "vocab.txt", "[UNK]\n");
  }
  SECTION("or has gone") {
    fs::remove(r.target / "config.json");
  }
  SECTION("or the record has") {
    fs::remove(r.target / ".fetched.json");
  }
  SECTION("or the record is no JSON") {
    put(r.target / ".fetched.json", "{");
  }
  SECTION("or the record speaks of files elsewhere") {
    put(r.here / "config.json", "{}");
    std::string record = get(r.target / ".fetched.json");
    record.replace(record.find("\"config.json\""), 13, "\"../config.json\"");
    put(r.target / ".fetched.json", record);
  }
  CHECK(r.refused<input_error>(t) == r.target.string() +
                                         ": is there already and not what was fetched as thing, "
                                         "expected a new or empty folder");
}

TEST_CASE("a folder is there whole or not at all") {
  rig r;
  const fetch::thing t = r.model();
  SECTION("a wrong byte in the last file") {
    r.files["/a/b/model.safetensors"].content[7] = 'x';
    CHECK(r.refused<format_error>(t).find("has the SHA-256") != std::string::npos);
    CHECK(r.here.names().empty());
  }
  SECTION("the last file is missing") {
    r.files.erase("/a/b/model.safetensors");
    CHECK(r.refused<input_error>(t).ends_with("the server answers 404, expected the file"));
    CHECK(r.here.names().empty());
  }
  SECTION("a cut connection: the files before it are not fetched again, nor is its beginning") {
    r.files["/a/b/model.safetensors"].cut_at = 200'000;
    CHECK(r.refused<fetch::transfer_failure>(t).ends_with(
        "200000 of 300000 bytes are kept, and the same command goes on from there"));
    CHECK(r.here.names() == std::vector<std::string>{".thing.fetching"});
    static_cast<void>(fetch::fetch_thing(t, r.target));
    REQUIRE(r.server.log().size() == 4);
    CHECK(r.server.log()[3].header("Range") == "bytes=200000-");
    CHECK(r.tree().size() == 4);
    CHECK(r.here.names() == std::vector<std::string>{"thing"});
  }
  SECTION("the same, where the last file cannot be continued") {
    r.files["/a/b/model.safetensors"].cut_at = 200'000;
    r.files["/a/b/model.safetensors"].ranges = false;
    CHECK(r.refused<fetch::transfer_failure>(t).ends_with(
        "the files before it are kept, and the same command goes on from there"));
    r.files["/a/b/model.safetensors"].cut_at = std::string::npos;
    static_cast<void>(fetch::fetch_thing(t, r.target));
    CHECK(r.server.log().size() == 4);
  }
  SECTION("a file of the first call that was damaged is fetched again") {
    r.files["/a/b/model.safetensors"].cut_at = 200'000;
    CHECK(!r.refused<fetch::transfer_failure>(t).empty());
    put(r.here / ".thing.fetching/vocab.txt", "[PAP]\n");
    static_cast<void>(fetch::fetch_thing(t, r.target));
    CHECK(r.server.log().size() == 5);
    CHECK(get(r.target / "vocab.txt") == "[PAD]\n");
  }
}

TEST_CASE("a task is what its archive holds") {
  rig r;
  const std::vector<made_member> members{{"T/train.tsv", "train"},
                                         {"T/dev.tsv", "dev"},
                                         {"T/original/big.txt", std::string(5000, 'x')}};
  fetch::thing t = r.made(fetch::packing::zip, {{"T.zip", archive_of(members)}});
  SECTION("the members that are wanted") {
    t.inside = "T";
    t.members = {"train.tsv", "dev.tsv"};
    const auto first = fetch::fetch_thing(t, r.target);
    CHECK(first.files.size() == 2);
    CHECK(r.tree() == std::set<std::string>{".fetched.json", "dev.tsv", "train.tsv"});
    CHECK(get(r.target / "train.tsv") == "train");
    CHECK(fetch::fetch_thing(t, r.target).was_there);
    CHECK(r.server.log().size() == 1);
  }
  SECTION("or all of them") {
    const fetch::thing all = fetch::archive_at(t.files[0].address, t.files[0].sha256, 0);
    static_cast<void>(fetch::fetch_thing(all, r.target));
    CHECK(r.tree() ==
          std::set<std::string>{".fetched.json", "T/dev.tsv", "T/original/big.txt", "T/train.tsv"});
    CHECK(fetch::fetch_thing(all, r.target).was_there);
  }
}

TEST_CASE("an archive that climbs out of the folder leaves nothing behind") {
  rig r;
  const fetch::thing t =
      r.made(fetch::packing::zip, {{"T.zip", archive_of({{"good", "x"}, {"../../escaped", "x"}})}});
  CHECK(r.refused<format_error>(t) ==
        "T.zip: holds '../../escaped', whose path climbs out of the folder");
  CHECK(r.here.names().empty());
  CHECK_FALSE(fs::exists(r.here.path().parent_path() / "escaped"));
}

TEST_CASE("the paraphrase corpus is made of its three files") {
  rig r;
  const std::string names = "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n";
  const fetch::thing t =
      r.made(fetch::packing::mrpc, {{"ids", "2\t3\n"},
                                    {"train", names + "1\t1\t2\ta\tb\n0\t2\t3\tc\td\n"},
                                    {"test", names + "1\t4\t5\te\tf\n"}});
  static_cast<void>(fetch::fetch_thing(t, r.target));
  CHECK(r.tree() == std::set<std::string>{".fetched.json", "dev.tsv", "test.tsv", "train.tsv"});
  CHECK(get(r.target / "dev.tsv") == names + "0\t2\t3\tc\td\n");
}

TEST_CASE("a mirror has the same paths under another address") {
  rig r;
  fetch::thing t = r.model();
  for (fetch::remote_file& f : t.files) {
    f.address = "https://nowhere.invalid/a/b/" + f.name;
    r.files["/copy/a/b/" + f.name] = r.files["/a/b/" + f.name];
  }
  static_cast<void>(fetch::fetch_thing(t, r.target, r.server / "copy"));
  CHECK(r.tree().size() == 4);
  fs::remove_all(r.target);
  CHECK(r.refused<input_error>(t, "file://" + r.here.path().string())
            .ends_with("found the scheme file, expected http or https"));
  CHECK(r.here.names().empty());
}

TEST_CASE("files of a local folder are copied and checked") {
  rig r;
  const fetch::thing t = r.model();
  const fs::path from = r.here / "from";
  fs::create_directories(from / "thing");
  for (const fetch::remote_file& f : t.files) {
    const bool below = f.name == "config.json";
    put(below ? from / "thing" / f.name : from / f.name, r.files["/a/b/" + f.name].content);
  }
  const auto only_from = [&] { return r.here.names() == std::vector<std::string>{"from"}; };
  SECTION("as they are") {
    CHECK(fetch::fetch_thing(t, r.target, from.string()).files.size() == 3);
    CHECK(r.tree().size() == 4);
    CHECK(r.server.log().empty());
    CHECK(fetch::fetch_thing(t, r.target).was_there);
  }
  SECTION("a wrong byte") {
    const std::string wrong(300'000, 'v');
    put(from / "model.safetensors", wrong);
    CHECK(r.refused<format_error>(t, from.string()) ==
          (from / "model.safetensors").string() + ": has the SHA-256 " + io::sha256_hex(wrong) +
              ", expected " + t.files[2].sha256);
    CHECK(only_from());
  }
  SECTION("another size") {
    put(from / "vocab.txt", "[PAD]");
    CHECK(r.refused<format_error>(t, from.string()) ==
          (from / "vocab.txt").string() + ": has 5 bytes, expected 6");
    CHECK(only_from());
  }
  SECTION("a file that is missing") {
    fs::remove(from / "vocab.txt");
    CHECK(r.refused<input_error>(t, from.string()).starts_with((from / "vocab.txt").string()));
    CHECK(only_from());
  }
  SECTION("a pipe") {
    fs::remove(from / "vocab.txt");
    REQUIRE(::mkfifo((from / "vocab.txt").c_str(), 0600) == 0);
    CHECK(r.refused<input_error>(t, from.string()) ==
          (from / "vocab.txt").string() + ": is no file, expected one");
    CHECK(only_from());
  }
  SECTION("no folder at all") {
    CHECK(r.refused<input_error>(t, (from / "vocab.txt").string()) ==
          (from / "vocab.txt").string() + ": is no folder, expected one or an http(s) address");
    CHECK(only_from());
  }
}

TEST_CASE("the table is sound") {
  std::set<std::string> names;
  int checkpoints = 0, tasks = 0;
  for (const fetch::thing& t : fetch::catalogue()) {
    INFO(t.name);
    CHECK(names.insert(t.name).second);
    CHECK(&fetch::find_thing(t.name) == &t);
    CHECK(t.name.find_first_of("/ ") == std::string::npos);
    (t.is == fetch::kind::checkpoint ? checkpoints : tasks) += 1;
    CHECK((t.form != fetch::packing::zip || t.files.size() == 1));
    CHECK((t.form != fetch::packing::mrpc || t.files.size() == 3));
    std::set<std::string> files;
    for (const fetch::remote_file& f : t.files) {
      CHECK(files.insert(f.name).second);
      CHECK(f.name.find('/') == std::string::npos);
      CHECK(f.address.starts_with("https://"));
      CHECK(f.size > 0);
      CHECK(fetch::detail::checked_sha256(f.sha256) == f.sha256);
    }
  }
  CHECK(checkpoints == 4);
  CHECK(tasks == 9);
  CHECK(&fetch::find_thing("sst-2") == &fetch::find_thing("SST-2"));
  CHECK(sentence<input_error>([] {
          static_cast<void>(fetch::find_thing("SST-3"));
        }).starts_with("fetch: nothing is known by the name 'SST-3', expected bert-base-uncased"));
}

TEST_CASE("the vocabulary of the shared data is the one of the table") {
  const auto vocabulary = shared("data/vocab/bert-base-uncased-vocab.txt");
  if (!vocabulary) return;
  const fetch::remote_file& f = fetch::find_thing("bert-base-uncased").files.at(1);
  CHECK(fs::file_size(*vocabulary) == f.size);
  CHECK(io::sha256_hex_of_file(*vocabulary) == f.sha256);
}

TEST_CASE("a cached MiniLM is the one of the table") {
  const auto model = minilm();
  if (!model) return;
  const scratch_folder here;
  const auto made =
      fetch::fetch_thing(fetch::find_thing("all-MiniLM-L6-v2"), here / "m", model->string());
  CHECK(made.files.size() == 3);
}
