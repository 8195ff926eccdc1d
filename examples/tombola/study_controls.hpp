#pragma once

#include "examples/tombola/mask_commands.hpp"

namespace tombola::driver {

/// Mode study of `controls`: for every task and seed of a folder of masks, the control that the
/// study drew, in the order of its scripts, into a folder of the same layout; from its own masks
/// its own files, byte for byte.
///
/// Tasks and seeds that the study does not have follow those that it has, by name and number.
void study_controls(const controls_options& o, const common_options& c);

}  // namespace tombola::driver
