#pragma once

namespace tombola::driver {

/// What every command takes.
struct common_options {
  bool json = false;
  bool quiet = false;
  int threads = 1;
};

}  // namespace tombola::driver
