#pragma once

// Needs libcurl: the component tombola::fetch.

#include <memory>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "tombola/core/error.hpp"

namespace tombola::fetch {

/// Whether a text means an address and not a file or folder: it has a scheme.
[[nodiscard]] inline bool is_address(std::string_view text) noexcept {
  return text.find("://") != text.npos;
}

/// An address without the password that it may hold.
[[nodiscard]] inline std::string without_password(std::string_view address) {
  std::string s{address};
  const auto host = s.find("://");
  if (host != s.npos) {
    const auto at = s.substr(0, s.find_first_of("/?#", host + 3)).rfind('@');
    if (at != s.npos && at > host) s.replace(host + 3, at - host - 3, "***");
  }
  return s;
}

/// The same, fit for a sentence.
[[nodiscard]] inline std::string shown_address(std::string_view address) {
  return printable(without_password(address), 200);
}

namespace detail {

/// An address in its parts, as libcurl cuts it.
class address_parts {
public:
  address_parts() : parts_{curl_url()} {
    if (!parts_) throw runtime_failure("libcurl cannot start to read an address: no memory");
  }

  /// Takes an address, or one relative to what was taken before. False where it is none.
  [[nodiscard]] bool take(const std::string& text) {
    // Schemes that libcurl does not know are read, too: the sentence names them.
    return curl_url_set(parts_.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) ==
           CURLUE_OK;
  }
  /// A part, empty where it is missing. Schemes are in lower case.
  [[nodiscard]] std::string part(CURLUPart which) const {
    char* text = nullptr;
    if (curl_url_get(parts_.get(), which, &text, 0) != CURLUE_OK) return {};
    const std::unique_ptr<char, void (*)(void*)> owner{text, curl_free};
    return owner.get();
  }

private:
  struct cleanup {
    void operator()(CURLU* u) const noexcept { curl_url_cleanup(u); }
  };
  std::unique_ptr<CURLU, cleanup> parts_;
};

[[nodiscard]] inline bool is_web(const std::string& scheme) noexcept {
  return scheme == "http" || scheme == "https";
}

}  // namespace detail

/// Throws input_error, naming the address, unless it is http or https with a host.
inline void check_address(const std::string& address) {
  detail::address_parts parts;
  if (has_control_characters(address) || !parts.take(address)) {
    throw input_error(shown_address(address) +
                      ": is no address, expected http:// or https:// and a host");
  }
  const std::string scheme = parts.part(CURLUPART_SCHEME);
  if (!detail::is_web(scheme) || !is_address(address)) {
    throw input_error(shown_address(address) + ": found the scheme " +
                      (is_address(address) ? shown_address(scheme) : "missing") +
                      ", expected http or https");
  }
}

/// Where a redirect leads to. `location` is absolute or relative to `from`.
///
/// Throws input_error, naming `first`, unless that is http or https, and https where `from` is:
/// what was asked for over a safe line must not come over another.
[[nodiscard]] inline std::string redirected(const std::string& from,
                                            const std::string& location,
                                            const std::string& first) {
  detail::address_parts parts;
  const bool understood = !location.empty() && parts.take(from);
  const std::string before = parts.part(CURLUPART_SCHEME);
  if (!understood || !parts.take(location)) {
    throw input_error(shown_address(first) + ": is redirected to '" + shown_address(location) +
                      "', which is no address");
  }
  const std::string scheme = parts.part(CURLUPART_SCHEME);
  if (!detail::is_web(scheme)) {
    throw input_error(shown_address(first) + ": is redirected to '" + shown_address(location) +
                      "', expected http or https");
  }
  if (before == "https" && scheme != "https") {
    throw input_error(shown_address(first) + ": is redirected from https to '" +
                      shown_address(location) + "', expected https");
  }
  return parts.part(CURLUPART_URL);
}

/// The same path at a mirror, whose address takes the place of scheme and host:
/// `https://a.org/x/y` at `http://b.org/copy/` is `http://b.org/copy/x/y`.
///
/// Throws input_error, naming the mirror, if it is no http(s) address or has a query or fragment.
[[nodiscard]] inline std::string mirrored(const std::string& address, std::string base) {
  check_address(base);
  if (base.find_first_of("?#") != base.npos) {
    throw input_error(shown_address(base) + ": is no mirror, expected an address without ? and #");
  }
  while (base.ends_with('/')) base.pop_back();
  const auto host = address.find("://") + 3;
  const auto path = address.find('/', host);
  return base + (path == address.npos ? "/" : address.substr(path));
}

}  // namespace tombola::fetch
