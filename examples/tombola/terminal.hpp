#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "tombola/experiment/observer.hpp"

namespace tombola::driver {

/// What the person at the keyboard sees of long work: one line that renews itself on a terminal,
/// elsewhere a plain line every ten seconds, so that short work leaves none. Everything goes to the
/// standard error stream; results go to the other one.
class terminal {
public:
  /// quiet: neither progress nor notes.
  explicit terminal(bool quiet);
  ~terminal();
  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;

  /// Callbacks into this object, which must outlive them; `stop` turns true at Ctrl-C.
  [[nodiscard]] experiment::observer observer();

  void note(const std::string& sentence);

  /// Takes the line of progress away, so that a result can be printed in its place.
  void clear_line();

private:
  void show(const experiment::progress& p);

  bool quiet_;
  bool rewrites_;
  bool line_is_open_ = false;
  std::chrono::steady_clock::time_point last_plain_line_;  ///< or when this began
};

/// Shows work that is counted in bytes, with the time that is left at the rate of the bytes so far.
/// Ctrl-C then makes it throw experiment::interrupted. `screen` must outlive it.
[[nodiscard]] std::function<void(std::uint64_t done, std::uint64_t all)> bytes_watch(
    terminal& screen, const std::string& what);

/// From now on Ctrl-C asks running work for an orderly end; a second one ends the program at once.
void stop_politely_at_ctrl_c();

}  // namespace tombola::driver
