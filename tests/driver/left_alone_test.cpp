// Runs that are left alone on a bad day: started twice, on a disk that fills up, in a folder that
// cannot be written, on numbers that explode.

#include <chrono>
#include <csignal>
#include <map>
#include <thread>

#include "tests/driver/program.hpp"
#include "tests/support/shared.hpp"
#include <sys/types.h>

#include "tombola/io/json.hpp"
#include "tombola/io/ticket_file.hpp"

using namespace tombola;
using namespace tombola::test;
namespace fs = std::filesystem;

namespace {

/// The files below a folder with their bytes; of results without the time that they took.
std::map<std::string, std::string> files_in(const fs::path& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator{folder}) {
    if (!entry.is_regular_file()) continue;
    std::string& text = all[fs::relative(entry.path(), folder).string()];
    text = text_of(entry.path());
    if (entry.path().filename() != "result.json") continue;
    auto result = io::read_json(entry.path());
    result.erase("seconds");
    result.erase("tokens_per_second");
    text = result.dump();
  }
  return all;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& [name, text] : files_in(folder)) names.push_back(name);
  return names;
}

/// One sentence, and what it says.
std::string one_line(const answer& a) {
  INFO(a.err);
  CHECK(std::count(a.err.begin(), a.err.end(), '\n') == 1);
  CHECK(a.err.starts_with("tombola: "));
  return a.err.substr(0, a.err.find('\n'));
}

bool can_mount() {
  static const bool can = std::system(
                              "unshare -m sh -c 'mount -t tmpfs -o size=1m none /tmp' "
                              ">/dev/null 2>&1") == 0;
  return can;
}

}  // namespace

TEST_CASE("two processes on one run: the second says who computes it; killed, it is taken over") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const std::string settings = "--epochs 60 --threads 1 --checkpoint-seconds 0";
  const std::string line = world.train(world.model, (here / "runs").string(), settings);
  const std::string whole =
      last_line(succeed(world.train(world.model, (here / "whole").string(), settings)));
  const fs::path run = here / "runs" / fs::path{whole}.filename().string();
  const std::string command = std::string{TOMBOLA_DRIVER} + " " + line + " >/dev/null 2>&1 &";
  REQUIRE(std::system(command.c_str()) == 0);
  for (int n = 0; n < 2000 && !fs::exists(run / "state.safetensors"); ++n) {
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  const std::string owner = text_of(run / "lock");
  REQUIRE(owner.starts_with("process "));
  const pid_t first = static_cast<pid_t>(std::stol(owner.substr(8)));
  REQUIRE(::kill(first, SIGSTOP) == 0);  // however fast the machine is, it is not done
  const answer second = test::tombola(line);
  CHECK(second.code == 2);
  CHECK(one_line(second) ==
        "tombola: " + run.string() + ": is being computed by " + owner.substr(0, owner.find('\n')));
  CHECK(second.out.empty());
  REQUIRE(::kill(first, SIGKILL) == 0);
  for (int n = 0; n < 2000 && ::kill(first, 0) == 0; ++n) {
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  CHECK(fs::exists(run / "lock"));
  succeed(line);
  CHECK(files_in(run) == files_in(whole));
}

TEST_CASE("many at once on one run: one computes, the others are told, and the bytes are right") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const std::string settings = "--epochs 20 --threads 1 --checkpoint-seconds 0";
  const std::string whole =
      last_line(succeed(world.train(world.model, (here / "whole").string(), settings)));
  const std::string run = std::string{TOMBOLA_DRIVER} + " " +
                          world.train(world.model, (here / "runs").string(), settings);
  std::string script;
  for (const std::string n : {"1", "2", "3", "4"}) {
    const std::string to = (here / n).string();
    script += "{ " + run + " >/dev/null 2>" + to + "; echo $? >>" + to + "; } & ";
  }
  REQUIRE(std::system((script + "wait").c_str()) == 0);
  std::size_t computed = 0;
  for (const std::string n : {"1", "2", "3", "4"}) {
    const std::string said = text_of(here / n);
    INFO(said);
    computed += said == "0\n" ? 1U : 0U;
    if (said == "0\n") continue;
    CHECK_THAT(said, Catch::Matchers::Contains("is being computed by process"));
    CHECK(last_line(said) == "2");
  }
  CHECK(computed >= 1);
  CHECK(files_in(here / "runs" / fs::path{whole}.filename().string()) == files_in(whole));
}

TEST_CASE("two at once on one file or folder do not mix") {
  const folder here;
  io::write_ticket(here / "good.safetensors", [] {
    ticket t{{{"heads", {12, 12}}}};
    for (std::size_t u = 0; u < 70; ++u) t.set(0, u, false);
    return t;
  }());
  const auto controls = [&](int seed, const std::string& out) {
    return "controls --kind random --seed " + std::to_string(seed) + " --ticket " +
           (here / "good.safetensors").string() + " --out " + (here / out).string();
  };
  std::string script;
  std::vector<std::string> possible;
  for (int seed = 1; seed <= 4; ++seed) {
    const std::string name = std::to_string(seed) + ".safetensors";
    succeed(controls(seed, name));
    possible.push_back(text_of(here / name));
    script +=
        std::string{TOMBOLA_DRIVER} + " " + controls(seed, "one.safetensors") + " >/dev/null & ";
  }
  REQUIRE(std::system((script + "wait").c_str()) == 0);
  CHECK(std::count(possible.begin(), possible.end(), text_of(here / "one.safetensors")) == 1);
  CHECK(names_in(here.str()).size() == 6);
}

TEST_CASE("a disk of 20 MB that fills up, wherever that happens: one sentence, and all goes on") {
  if (!can_mount()) return skip("no right to mount a file system");
  const pocket_world& world = pocket_world::instance();
  const folder here;
  fs::create_directory(here / "disk");
  const std::string disk = (here / "disk").string();
  const std::string settings = "--epochs 3 --threads 1 --checkpoint-seconds 0";
  const std::string full =
      last_line(succeed(world.train(world.model, (here / "whole").string(), settings)));
  const std::string search =
      "find-masks --prune both --guard 0.6 --threads 1 --quiet --run " + full;
  succeed(search + " --out " + (here / "whole").string());
  // All on one small disk that goes with its process: first too full, then with room.
  std::ofstream{here / "script"} << R"(
set -u
mount -t tmpfs -o size=20m none "$1" || exit 99
head -c $((20 * 1024 * 1024 - $2 * 1024)) /dev/zero >"$1/filler"
shift 2
"$@" >/dev/null 2>"$HERE/err"
echo $? >"$HERE/code"
rm -rf "$HERE/full" "$HERE/end"
cp -r "$DISK/runs" "$HERE/full" 2>/dev/null || mkdir "$HERE/full"
rm "$DISK/filler"
"$@" >/dev/null 2>"$HERE/err2" || exit 98
cp -r "$DISK/runs" "$HERE/end"
)";
  const auto run_with = [&](int kilobytes, const std::string& line) {
    return std::system(("HERE=" + here.str() + " DISK=" + disk + " unshare -m sh " +
                        (here / "script").string() + " " + disk + " " + std::to_string(kilobytes) +
                        " " + TOMBOLA_DRIVER + " " + line)
                           .c_str());
  };
  const auto of_whole = files_in(here / "whole");
  std::map<std::string, std::size_t> sentences;
  const std::string out = disk + "/runs", training = world.train(world.model, out, settings);
  for (const auto& [line, places] : std::map<std::string, std::vector<int>>{
           {training, {0, 8, 12, 60, 160, 200, 250, 300, 340}},
           {search + " --out " + out, {0, 8, 12, 16, 24, 32, 48, 64}}}) {
    for (const int kilobytes : places) {
      INFO(line << " with " << kilobytes << " KiB");
      const int status = run_with(kilobytes, line);
      INFO(text_of(here / "err") << text_of(here / "err2"));
      REQUIRE(WEXITSTATUS(status) == 0);
      const std::string said = text_of(here / "err");
      if (text_of(here / "code") != "0\n") {
        CHECK(text_of(here / "code") == "1\n");
        CHECK(std::count(said.begin(), said.end(), '\n') == 1);
        CHECK_THAT(said, Catch::Matchers::Contains(disk + "/runs"));
        CHECK_THAT(said, Catch::Matchers::Contains(": No space left on device"));
        CHECK_FALSE(said.find(".tmp-") != said.npos);
        ++sentences[said.substr(said.rfind('/') + 1)];
        // Nothing temporary is left, and what has a result's name is whole.
        for (const auto& [name, text] : files_in(here / "full")) {
          INFO(name);
          CHECK(name.find(".tmp-") == name.npos);
          CHECK(name.find("result.json") == name.npos);
          CHECK(name.find("/lock") == name.npos);
          const bool unfinished =
              name.find("state.safetensors") != name.npos || name.find("trace-so-far") != name.npos;
          const bool same = unfinished || (of_whole.contains(name) && of_whole.at(name) == text);
          CHECK(same);
        }
      }
      for (const auto& [name, text] : files_in(here / "end")) {
        INFO(name);
        const bool same = of_whole.contains(name) && of_whole.at(name) == text;
        CHECK(same);
      }
    }
  }
  // It did fill up, and in different places.
  for (const auto& [sentence, times] : sentences) UNSCOPED_INFO(times << " x " << sentence);
  CHECK(sentences.size() >= 4);
}

TEST_CASE("a read-only folder: one sentence, and the unfinished run is as it was") {
  if (!can_mount()) return skip("no right to mount a folder read-only");
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const std::string runs = (here / "runs").string();
  const std::string line =
      world.train(world.model, runs, "--epochs 200 --threads 1 --checkpoint-seconds 0");
  fs::create_directory(runs);
  const std::string read_only = "unshare -m sh -c 'mount --bind " + runs + " " + runs +
                                " && mount -o remount,bind,ro " + runs + " && exec \"$@\"' sh ";
  const answer fresh = test::tombola(line, read_only);
  CHECK(fresh.code == 2);
  CHECK_THAT(one_line(fresh),
             Catch::Matchers::Contains("cannot be created: Read-only file system"));
  CHECK(test::tombola(line, "timeout -s KILL 1").code == 137);
  const auto before = files_in(runs);
  CHECK(before.size() >= 2);
  const answer again = test::tombola(line, read_only);
  CHECK(again.code == 2);
  CHECK_THAT(one_line(again),
             Catch::Matchers::Contains("lock: cannot be opened: Read-only file system"));
  CHECK(files_in(runs) == before);
  // A finished one can be asked for there.
  const std::string done = world.train(world.model, runs);
  const std::string run = last_line(succeed(done));
  const answer asked = test::tombola(done, read_only);
  CHECK(asked.code == 0);
  CHECK(last_line(asked.out) == run);
}

TEST_CASE("numbers that explode: the same end however often, and the last good checkpoint") {
  const pocket_world& world = pocket_world::instance();
  const folder here;
  const std::string runs = (here / "runs").string();
  for (const std::string& rate : {std::string{"1e30"}, std::string{"1e42"}}) {
    const std::string line = world.train(
        world.model, runs, "--rate " + rate + " --warm-up 0.4 --threads 1 --checkpoint-seconds 0");
    const answer first = test::tombola(line);
    const std::string said = one_line(first);
    CHECK(first.code == 1);
    CHECK_THAT(said, Catch::Matchers::Contains("became NaN or infinite in"));
    CHECK_THAT(said, Catch::Matchers::Contains("the last good checkpoint is " + runs));
    const auto before = files_in(runs);
    const answer second = test::tombola(line);
    CHECK(second.code == 1);
    CHECK(one_line(second) == said);
    CHECK(files_in(runs) == before);
  }
}

TEST_CASE("a result that the standard output does not take is no success") {
  const folder here;
  io::write_ticket(here / "t.safetensors", ticket{{{"heads", {2, 2}}}});
  const std::string line = std::string{TOMBOLA_DRIVER} + " inspect --json " +
                           (here / "t.safetensors").string() + " >/dev/full 2>" +
                           (here / "err").string();
  CHECK(WEXITSTATUS(std::system(line.c_str())) == 1);
  CHECK(text_of(here / "err") ==
        "tombola: standard output: writing failed: No space left on device\n");
}

TEST_CASE("a limit on the size of files is said like a full disk") {
  const folder here;
  io::write_ticket(here / "t.safetensors", ticket{{{"weights", {3000, 3000}}}});
  const fs::path out = here / "copy.safetensors";
  const answer a = test::tombola(
      "convert " + (here / "t.safetensors").string() + " --out " + out.string(), "ulimit -f 64;");
  CHECK(a.code == 1);
  CHECK(one_line(a) == "tombola: " + out.string() + ": writing failed: File too large");
  CHECK(names_in(here.str()) == std::vector<std::string>{"t.safetensors"});
}
