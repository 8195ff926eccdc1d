#pragma once

// The version, once: CMake and packaging read these three lines.
#define TOMBOLA_VERSION_MAJOR 0
#define TOMBOLA_VERSION_MINOR 1
#define TOMBOLA_VERSION_PATCH 0
