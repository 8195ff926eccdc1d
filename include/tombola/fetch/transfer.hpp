#pragma once

// Needs libcurl: the component tombola::fetch.

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "tombola/core/error.hpp"
#include "tombola/fetch/address.hpp"

namespace tombola::fetch {

/// When a transfer counts as failed.
struct limits {
  long connect_seconds = 30;  ///< until the server answers the call
  long stall_seconds = 60;    ///< with fewer than stall_bytes each
  long stall_bytes = 100;
  int redirects = 10;
};

/// The connection failed: it was refused, cut, or stood still. Trying again may help.
class transfer_failure : public runtime_failure {
public:
  using runtime_failure::runtime_failure;
};

namespace detail {

/// What a server says before the bytes.
struct reply_head {
  long status = 0;
  std::optional<std::uint64_t> length;      ///< bytes to come
  std::optional<std::uint64_t> first, all;  ///< of a part: its first byte, and those of the whole
  bool takes_ranges = false;
  std::string etag, changed, location;

  /// What tells this content from another one at the same address and may be asked for with
  /// If-Range; empty where the server gives nothing strong. Source: RFC 9110, sections 8.8.1,
  /// 13.1.5.
  [[nodiscard]] const std::string& validator() const noexcept {
    return etag.empty() || etag.starts_with("W/") ? changed : etag;
  }
};

[[nodiscard]] inline std::optional<std::uint64_t> whole_number(std::string_view text) noexcept {
  std::uint64_t n = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

/// Whether a value can be sent back as it came: printable characters of ASCII alone.
[[nodiscard]] inline bool is_plain(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// Reads one line of a head: a status line starts a new one.
inline void read_head_line(std::string_view line, reply_head& head) {
  if (line.starts_with("HTTP/")) {
    head = {};
    const auto at = line.find(' ');
    const auto code = at == line.npos ? std::nullopt : whole_number(line.substr(at + 1, 3));
    head.status = static_cast<long>(code.value_or(0));
    return;
  }
  const auto colon = line.find(':');
  if (colon == line.npos) return;
  std::string name{line.substr(0, colon)};
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  if (name == "content-length") {
    head.length = whole_number(value);
  } else if (name == "accept-ranges") {
    head.takes_ranges = value == "bytes";
  } else if (name == "etag" && is_plain(value)) {
    head.etag = value;
  } else if (name == "last-modified" && is_plain(value)) {
    head.changed = value;
  } else if (name == "location") {
    head.location = value;
  } else if (name == "content-range" && value.starts_with("bytes ")) {
    value.remove_prefix(6);
    const auto dash = value.find('-'), slash = value.find('/');
    if (dash == value.npos || slash == value.npos) return;
    head.first = whole_number(value.substr(0, dash));
    head.all = whole_number(value.substr(slash + 1));
  }
}

/// Who takes a file as it comes. What any of these throws ends the transfer.
struct receiver {
  std::function<bool(const reply_head&)> begin;  ///< at 200, 206 or 416; false ends the transfer
  std::function<void(std::span<const std::byte>)> take;
  std::function<void()> wait;  ///< called about once a second, whatever comes
};

/// libcurl, started once. Its own start is not safe beside other threads; this is.
inline void start_curl() {
  struct library {
    library() : code{curl_global_init(CURL_GLOBAL_DEFAULT)} {}
    ~library() {
      if (code == CURLE_OK) curl_global_cleanup();
    }
    CURLcode code;
  };
  static const library started;
  if (started.code != CURLE_OK) throw runtime_failure("libcurl cannot start: no memory");
}

/// One request and its answer.
class request {
public:
  /// from: the first byte that is wanted; validator: of the content that this byte belongs to.
  request(const std::string& address,
          std::uint64_t from,
          const std::string& validator,
          const limits& l,
          const receiver& to)
      : address_{address}, handle_{curl_easy_init()}, to_{&to} {
    if (!handle_) throw runtime_failure("libcurl cannot start a transfer: no memory");
    set(CURLOPT_URL, address.c_str());
    // Redirects are followed one by one, each looked at; no other scheme gets past libcurl either.
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);  // what a proxy says is not the file's head
    set(CURLOPT_USERAGENT, "tombola");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_CONNECTTIMEOUT, l.connect_seconds);
    set(CURLOPT_LOW_SPEED_TIME, l.stall_seconds);
    set(CURLOPT_LOW_SPEED_LIMIT, l.stall_bytes);
    set(CURLOPT_ERRORBUFFER, said_);
    set(CURLOPT_HEADERFUNCTION, &request::on_head);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &request::on_bytes);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &request::on_wait);
    set(CURLOPT_XFERINFODATA, this);
    if (from > 0) {
      add_header("Range: bytes=" + std::to_string(from) + "-");
      add_header("If-Range: " + validator);
      set(CURLOPT_HTTPHEADER, headers_.get());
    }
  }
  request(const request&) = delete;
  request& operator=(const request&) = delete;

  /// Runs it. Throws what the receiver threw.
  void perform() {
    code_ = curl_easy_perform(handle_.get());
    if (thrown_) std::rethrow_exception(thrown_);
  }

  [[nodiscard]] const reply_head& head() const noexcept { return head_; }
  /// Whether a head came that needs no bytes: a redirect, an error, or what the receiver refused.
  [[nodiscard]] bool ended_at_head() const noexcept { return ended_at_head_; }
  [[nodiscard]] CURLcode code() const noexcept { return code_; }
  /// libcurl's own words.
  [[nodiscard]] std::string said() const {
    return printable(said_[0] != '\0' ? said_ : curl_easy_strerror(code_), 160);
  }

private:
  struct end_handle {
    void operator()(CURL* h) const noexcept { curl_easy_cleanup(h); }
  };
  struct end_list {
    void operator()(curl_slist* l) const noexcept { curl_slist_free_all(l); }
  };

  template <class T>
  void set(CURLoption option, T value) {
    // In brackets, because the name is a macro, too.
    if ((curl_easy_setopt)(handle_.get(), option, value) != CURLE_OK) {
      throw runtime_failure("libcurl does not take option " + std::to_string(option) +
                            ", expected version 7.85 or later with http and https");
    }
  }

  void add_header(const std::string& line) {
    curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
    if (longer == nullptr) throw runtime_failure("libcurl cannot start a transfer: no memory");
    static_cast<void>(headers_.release());  // is the longer one's now
    headers_.reset(longer);
  }

  /// Calls f, which says whether to go on; an exception must not pass through libcurl.
  template <class F>
  [[nodiscard]] bool guarded(F f) noexcept {
    try {
      return f();
    } catch (...) {
      thrown_ = std::current_exception();
      return false;
    }
  }

  static std::size_t on_head(char* data, std::size_t one, std::size_t n, void* self) noexcept {
    auto* r = static_cast<request*>(self);
    const bool go_on = r->guarded([&] { return r->take_head_line({data, n}); });
    return go_on ? one * n : 0;
  }
  static std::size_t on_bytes(char* data, std::size_t one, std::size_t n, void* self) noexcept {
    auto* r = static_cast<request*>(self);
    const bool go_on = r->guarded([&] {
      r->to_->take(std::as_bytes(std::span{data, n}));
      return true;
    });
    return go_on ? one * n : 0;
  }
  static int on_wait(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) noexcept {
    auto* r = static_cast<request*>(self);
    const bool go_on = r->guarded([&] {
      r->to_->wait();
      return true;
    });
    return go_on ? 0 : 1;
  }

  [[nodiscard]] bool take_head_line(std::string_view line) {
    constexpr std::size_t most = std::size_t{1} << 20;
    if ((head_bytes_ += line.size()) > most) {
      throw transfer_failure(shown_address(address_) + ": the server's head has no end");
    }
    if (in_bytes_) return true;  // what comes after the bytes
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    if (!line.empty()) {
      read_head_line(line, head_);
      return true;
    }
    if (head_.status / 100 == 1) return true;  // the real head is still to come
    in_bytes_ = true;
    const bool file = head_.status == 200 || head_.status == 206 || head_.status == 416;
    ended_at_head_ = !file || !to_->begin(head_);
    return !ended_at_head_;
  }

  std::string address_;
  std::unique_ptr<CURL, end_handle> handle_;
  std::unique_ptr<curl_slist, end_list> headers_;
  const receiver* to_;
  char said_[CURL_ERROR_SIZE] = {};
  reply_head head_;
  std::size_t head_bytes_ = 0;
  bool in_bytes_ = false, ended_at_head_ = false;
  CURLcode code_ = CURLE_OK;
  std::exception_ptr thrown_;
};

/// Why a transfer failed, for a sentence about the address.
[[nodiscard]] inline std::string trouble_of(const request& r, const limits& l) {
  switch (r.code()) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return "cannot be reached: " + r.said();
    case CURLE_OPERATION_TIMEDOUT:
      if (r.head().status == 0) return "the server does not answer: " + r.said();
      return "the transfer stood still for " + std::to_string(l.stall_seconds) + " s";
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return "the connection was cut";
    default:
      return "the transfer failed: " + r.said();
  }
}

/// Gets what is at an address, following redirects.
///
/// True: everything came that the server meant to send. False: the receiver ended it at the head.
/// Throws transfer_failure where the connection failed or the server cannot answer now (5xx, 408,
/// 429), input_error where the server refuses or redirects to what redirected() refuses or too
/// often; both name the address.
[[nodiscard]] inline bool get(const std::string& address,
                              std::uint64_t from,
                              const std::string& validator,
                              const limits& l,
                              const receiver& to) {
  start_curl();
  check_address(address);
  std::string at = address;
  for (int hop = 0;; ++hop) {
    request r{at, from, validator, l, to};
    r.perform();
    const reply_head& head = r.head();
    if (!r.ended_at_head()) {
      if (r.code() == CURLE_OK) return true;
      throw transfer_failure(shown_address(address) + ": " + trouble_of(r, l));
    }
    switch (head.status) {
      case 200:
      case 206:
      case 416:
        return false;
      case 301:
      case 302:
      case 303:
      case 307:
      case 308:
        break;
      default: {
        const std::string sentence = shown_address(address) + ": the server answers " +
                                     std::to_string(head.status) + ", expected the file";
        const bool for_now = head.status / 100 == 5 || head.status == 408 || head.status == 429;
        if (for_now) throw transfer_failure(sentence);
        throw input_error(sentence);
      }
    }
    if (hop == l.redirects) {
      throw input_error(shown_address(address) + ": is redirected more than " +
                        std::to_string(l.redirects) + " times");
    }
    at = redirected(at, head.location, address);
  }
}

}  // namespace detail

}  // namespace tombola::fetch
