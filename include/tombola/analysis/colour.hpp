#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>

namespace tombola::analysis {

/// A colour of the screen; each part in [0, 1], sRGB.
struct colour {
  double red = 0.0;
  double green = 0.0;
  double blue = 0.0;
};

/// The colour of a share in [0, 1]; outside, the nearer end. 0 is dark violet, 1 light yellow.
///
/// Straight lines between five colours whose lightness rises evenly, so that the order can be seen
/// with any colour vision and in a grey print; the colours are those of viridis.
/// Source: S. van der Walt, N. Smith, "A better default colormap for matplotlib", SciPy 2015.
[[nodiscard]] inline colour sequential(double share) noexcept {
  constexpr std::array<colour, 5> stops{{{0.267, 0.005, 0.329},
                                         {0.230, 0.322, 0.546},
                                         {0.128, 0.567, 0.551},
                                         {0.369, 0.789, 0.383},
                                         {0.993, 0.906, 0.144}}};
  const double x = std::isfinite(share) ? std::clamp(share, 0.0, 1.0) * 4.0 : 0.0;
  const auto i = std::min(static_cast<std::size_t>(x), std::size_t{3});
  const double f = x - static_cast<double>(i);
  const colour &a = stops[i], &b = stops[i + 1];
  return {std::lerp(a.red, b.red, f), std::lerp(a.green, b.green, f), std::lerp(a.blue, b.blue, f)};
}

/// Relative luminance in [0, 1]. Source: Web Content Accessibility Guidelines 2.1, W3C 2018.
[[nodiscard]] inline double luminance(const colour& c) noexcept {
  const auto linear = [](double v) {
    return v <= 0.03928 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(c.red) + 0.7152 * linear(c.green) + 0.0722 * linear(c.blue);
}

/// Contrast of two colours, 1 to 21; 4.5 is the least for text (same source).
[[nodiscard]] inline double contrast(const colour& a, const colour& b) noexcept {
  const double la = luminance(a) + 0.05, lb = luminance(b) + 0.05;
  return std::max(la, lb) / std::min(la, lb);
}

/// Black or white, whichever reads better on the colour. Its contrast is 4.5 at least, whatever
/// the colour.
[[nodiscard]] inline colour ink_on(const colour& c) noexcept {
  constexpr colour black{}, white{1.0, 1.0, 1.0};
  return contrast(c, white) > contrast(c, black) ? white : black;
}

/// `#rrggbb`.
[[nodiscard]] inline std::string to_string(const colour& c) {
  constexpr char digits[] = "0123456789abcdef";
  std::string s = "#";
  for (const double v : {c.red, c.green, c.blue}) {
    const auto byte = static_cast<std::size_t>(std::lround(std::clamp(v, 0.0, 1.0) * 255.0));
    s += digits[byte / 16];
    s += digits[byte % 16];
  }
  return s;
}

}  // namespace tombola::analysis
