#include "examples/tombola/terminal.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <iostream>
#include <memory>

#include <fmt/format.h>
#include <unistd.h>

namespace tombola::driver {

namespace {

volatile std::sig_atomic_t stop_requested = 0;

extern "C" void ask_for_a_stop(int signal) {
  stop_requested = 1;
  std::signal(signal, SIG_DFL);
}

std::string time_text(double seconds) {
  const auto s = static_cast<long>(seconds + 0.5);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02} h", s / 3600, s / 60 % 60);
}

std::string line_of(const experiment::progress& p) {
  std::string line = p.what;
  if (p.total > 0) {
    line += fmt::format("  {}/{} ({:.0f} %)", p.done, p.total,
                        100.0 * static_cast<double>(p.done) / static_cast<double>(p.total));
  }
  if (std::isfinite(p.loss)) line += fmt::format("  loss {:.4f}", p.loss);
  if (p.tokens_per_second > 0) line += fmt::format("  {:.0f} tokens/s", p.tokens_per_second);
  // Whoever does not know, and whoever has done, has nothing left to say.
  const bool is_known = std::isfinite(p.seconds_left) && p.seconds_left >= 0;
  return is_known ? line + fmt::format("  {} left", time_text(p.seconds_left)) : line;
}

}  // namespace

terminal::terminal(bool quiet)
    : quiet_{quiet},
      rewrites_{isatty(STDERR_FILENO) == 1},
      last_plain_line_{std::chrono::steady_clock::now()} {}

terminal::~terminal() {
  clear_line();
}

experiment::observer terminal::observer() {
  return {.report = quiet_ ? std::function<void(const experiment::progress&)>{}
                           : [this](const experiment::progress& p) { show(p); },
          .note = [this](const std::string& s) { note(s); },
          .stop = [] { return stop_requested != 0; }};
}

void terminal::note(const std::string& sentence) {
  if (quiet_) return;
  clear_line();
  std::cerr << sentence << '\n';
}

void terminal::show(const experiment::progress& p) {
  if (rewrites_) {
    std::cerr << "\r\033[K" << line_of(p) << std::flush;
    line_is_open_ = true;
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  if (now - last_plain_line_ < std::chrono::seconds{10}) return;
  last_plain_line_ = now;
  std::cerr << line_of(p) << '\n';
}

void terminal::clear_line() {
  if (line_is_open_) std::cerr << "\r\033[K" << std::flush;
  line_is_open_ = false;
}

std::function<void(std::uint64_t, std::uint64_t)> bytes_watch(terminal& screen,
                                                              const std::string& what) {
  using clock = std::chrono::steady_clock;
  struct state {
    experiment::observer watcher;
    clock::time_point start = clock::now(), last = start;
    std::uint64_t first = 0;  // done when the work began: what an earlier call left
    bool has_first = false;
  };
  stop_politely_at_ctrl_c();
  const auto s = std::make_shared<state>(state{.watcher = screen.observer()});
  return [s, what](std::uint64_t done, std::uint64_t all) {
    if (s->watcher.wants_stop()) throw experiment::interrupted(what + ": stopped");
    const auto now = clock::now();
    if (!s->has_first) s->first = done, s->has_first = true;
    if (now - s->last < std::chrono::milliseconds{200}) return;
    s->last = now;
    constexpr std::uint64_t megabyte = 1'000'000;
    const double seconds = std::chrono::duration<double>(now - s->start).count();
    const auto come = static_cast<double>(done - std::min(done, s->first));
    const double left =
        come == 0.0 || all < done ? NAN : seconds * static_cast<double>(all - done) / come;
    const std::string unknown = all == 0 ? fmt::format(" {}", done / megabyte) : "";
    s->watcher.tell({what + "," + unknown + " MB", static_cast<std::size_t>(done / megabyte),
                     static_cast<std::size_t>(all / megabyte), NAN, 0.0, left});
  };
}

void stop_politely_at_ctrl_c() {
  std::signal(SIGINT, ask_for_a_stop);
  std::signal(SIGTERM, ask_for_a_stop);
  std::signal(SIGHUP, ask_for_a_stop);  // the terminal has gone
}

}  // namespace tombola::driver
