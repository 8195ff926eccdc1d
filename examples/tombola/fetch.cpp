// fetch: public checkpoints and GLUE tasks by name, or one file by its address, each checked.

#include "tombola/fetch/fetch.hpp"

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "examples/tombola/fetch_commands.hpp"
#include "examples/tombola/json_line.hpp"
#include "examples/tombola/option_kinds.hpp"
#include "examples/tombola/terminal.hpp"
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tombola::driver {

namespace {

double megabytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / 1e6;
}

const char* kind_of(const fetch::thing& t) {
  return t.is == fetch::kind::checkpoint ? "checkpoint" : "task";
}

void list(bool as_json) {
  if (!as_json) {
    for (const fetch::thing& t : fetch::catalogue()) {
      std::cout << fmt::format("{:<24} {:<10} {:>7.1f} MB  {}\n", t.name, kind_of(t),
                               megabytes(t.size()), t.what);
    }
    return;
  }
  nlohmann::json all = nlohmann::json::array();
  for (const fetch::thing& t : fetch::catalogue()) {
    nlohmann::json files = nlohmann::json::array();
    for (const fetch::remote_file& f : t.files) {
      files.push_back(
          {{"name", f.name}, {"address", f.address}, {"size", f.size}, {"sha256", f.sha256}});
    }
    all.push_back({{"name", t.name},
                   {"kind", kind_of(t)},
                   {"what", t.what},
                   {"size", t.size()},
                   {"files", files},
                   {"unpacked", t.members}});
  }
  std::cout << json_line({{"things", all}});
}

nlohmann::json json_of(const std::string& name, const fetch::fetched& f) {
  nlohmann::json files = nlohmann::json::array();
  for (const fetch::fetched_file& file : f.files) {
    files.push_back({{"name", file.name}, {"size", file.size}, {"sha256", file.sha256}});
  }
  return {{"name", name}, {"path", f.at.string()}, {"was_there", f.was_there}, {"files", files}};
}

/// Every name once, `glue` being all nine tasks. A wrong name is told before anything is fetched.
std::vector<const fetch::thing*> things_of(const std::vector<std::string>& names) {
  std::vector<const fetch::thing*> things;
  const auto add = [&](const fetch::thing& t) {
    if (std::find(things.begin(), things.end(), &t) == things.end()) things.push_back(&t);
  };
  for (const std::string& name : names) {
    if (name != "glue" && name != "GLUE") {
      add(fetch::find_thing(name));
      continue;
    }
    for (const fetch::thing& t : fetch::catalogue()) {
      if (t.is == fetch::kind::glue_task) add(t);
    }
  }
  return things;
}

void refuse_options_of_addresses(const fetch_options& o) {
  if (!o.sha256.empty() || o.size != 0 || o.unpack) {
    throw input_error(
        "fetch: --sha256, --size and --unpack go with an address, expected none with names: the "
        "table has them");
  }
}

fetch::fetched fetch_address(const fetch_options& o, const fetch::manner& how) {
  const std::string& address = o.names[0];
  fetch::check_address(address);
  if (o.names.size() > 1) {
    throw input_error("fetch: found " + std::to_string(o.names.size()) +
                      " names and addresses, expected one address alone or names alone");
  }
  if (!o.from.empty()) {
    throw input_error("fetch: --from goes with names, expected none with an address");
  }
  if (o.sha256.empty() || o.out.empty()) {
    throw input_error("fetch: an address without " +
                      std::string{o.sha256.empty() ? "--sha256" : "--out"} +
                      ", expected the SHA-256 of the file and a name to write it to");
  }
  if (!o.unpack) return fetch::fetch_file(address, o.sha256, o.size, o.out, how);
  return fetch::fetch_thing(fetch::archive_at(address, o.sha256, o.size), o.out, {}, how);
}

void run(const fetch_options& o) {
  if (o.list) {
    const bool more = !o.names.empty() || !o.from.empty() || !o.out.empty() || !o.sha256.empty() ||
                      o.size != 0 || o.unpack;
    if (more) {
      throw input_error("fetch: --list says all there is, expected nothing with it but --json");
    }
    return list(o.common.json);
  }
  if (o.names.empty()) {
    throw input_error("fetch: no name is given, expected one of --list or an http(s) address");
  }
  terminal screen{o.common.quiet || o.common.json};
  nlohmann::json all = nlohmann::json::array();
  const auto report = [&](const std::string& name, const fetch::fetched& f) {
    screen.clear_line();
    if (f.was_there) screen.note(f.at.string() + ": was there already, complete");
    if (o.common.json) {
      all.push_back(json_of(name, f));
    } else {
      std::cout << f.at.string() << std::endl;  // the next one may take long
    }
  };
  const auto any_address = std::find_if(o.names.begin(), o.names.end(), fetch::is_address);
  if (any_address != o.names.end()) {
    const std::string name = fetch::shown_address(*any_address);
    report(name, fetch_address(o, {.net = {}, .watch = bytes_watch(screen, "fetch")}));
  } else {
    refuse_options_of_addresses(o);
    for (const fetch::thing* t : things_of(o.names)) {
      const fetch::manner how{.net = {}, .watch = bytes_watch(screen, "fetch " + t->name)};
      report(t->name, fetch::fetch_thing(*t, o.out / t->name, o.from, how));
    }
  }
  if (o.common.json) std::cout << json_line({{"fetched", all}});
}

}  // namespace

void add_fetch_command(CLI::App& root, fetch_options& o) {
  CLI::App* app =
      root.add_subcommand("fetch", "Download public checkpoints and GLUE tasks, checked");
  app->footer(
      "Example: tombola fetch bert-base-uncased SST-2 --out data      (data/bert-base-uncased, "
      "data/SST-2)\n"
      "Offline: tombola fetch SST-2 --from downloads --out data       (downloads/SST-2.zip)\n"
      "Others:  tombola fetch https://a.example/x.bin --sha256 HEX --out x.bin\n"
      "Proxies: http_proxy, https_proxy, all_proxy and no_proxy are taken from the environment");
  app->add_option("names", o.names,
                  "What --list names; glue for its nine tasks; or one http(s) address");
  app->add_flag("--list", o.list, "Say what can be fetched by name");
  app->add_option("--from", o.from,
                  "A folder with the files, or the address of a mirror that has the same paths");
  app->add_option("--out", o.out,
                  "Folder to put the folders of these names into, if not the current one; with an "
                  "address the file to write, with --unpack the folder");
  app->add_option("--sha256", o.sha256, "Of the file at the address, 64 hexadecimal digits");
  app->add_option("--size", o.size, "Of the file at the address, in bytes, if it is known")
      ->transform(whole(0, largest_whole));
  app->add_flag("--unpack", o.unpack, "A zip archive is at the address: unpack it into --out");
  add_common(app, o.common);
  app->callback([&o] { run(o); });
}

}  // namespace tombola::driver
