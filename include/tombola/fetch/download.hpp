#pragma once

// Needs libcurl: the component tombola::fetch.

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tombola/core/error.hpp"
#include "tombola/fetch/catalogue.hpp"
#include "tombola/fetch/transfer.hpp"
#include "tombola/fetch/workplace.hpp"
#include "tombola/io/descriptor.hpp"
#include "tombola/io/sha256.hpp"

namespace tombola::fetch {

/// How something is fetched; what comes does not depend on it.
struct manner {
  limits net = {};
  /// Told now and then how many bytes of how many are there; 0 of all where nobody knows. What it
  /// throws ends the work.
  std::function<void(std::uint64_t done, std::uint64_t all)> watch = {};
};

/// The most that is taken of a file whose size nobody knows: 16 GiB.
inline constexpr std::uint64_t most_of_unknown = std::uint64_t{16} << 30;

namespace detail {

/// A file that grows while it is hashed, bounded by what it has to be.
class arriving_file {
public:
  /// Opens what is there, or a new file. Throws input_error, naming it, where that cannot be done.
  arriving_file(std::filesystem::path path, const remote_file& wanted)
      : path_{std::move(path)},
        address_{shown_address(wanted.address)},
        wanted_{&wanted},
        most_{wanted.size == 0 ? most_of_unknown : wanted.size},
        file_{::open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666)} {
    struct stat info {};
    if (!file_.is_open() && io::is_full_disk(errno)) io::cannot_create(path_, errno);
    if (!file_.is_open() || ::fstat(file_.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
      throw input_error(path_.string() + ": cannot be written: " +
                        (file_.is_open() ? "it is no file" : io::system_text(errno)));
    }
    there_ = static_cast<std::uint64_t>(info.st_size);
  }

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// Bytes in the file when it was opened; 0 after start_over().
  [[nodiscard]] std::uint64_t there() const noexcept { return there_; }
  [[nodiscard]] std::uint64_t most() const noexcept { return most_; }

  /// Hashes what is there, so that more can be appended. tell() is called now and then.
  template <class Tell>
  void take_up(Tell tell) {
    std::vector<std::byte> piece(std::size_t{1} << 20);
    while (const std::size_t n = io::read_some(file_, piece.data(), piece.size(), path_)) {
      hash_.update(std::span{piece}.first(n));
      size_ += n;
      tell();
    }
  }

  /// Empties it.
  void start_over() {
    if (::ftruncate(file_.get(), 0) != 0 || ::lseek(file_.get(), 0, SEEK_SET) != 0) {
      throw runtime_failure(path_.string() + ": cannot be emptied: " + io::system_text(errno));
    }
    hash_ = {};
    size_ = there_ = 0;
  }

  /// Appends. Throws format_error, naming the address, as soon as that is more than the file has;
  /// runtime_failure, naming the file, where the disk does not take it.
  void append(std::span<const std::byte> bytes) {
    if (bytes.size() > most_ - size_) {
      throw format_error(address_, "sends more than the " + std::to_string(most_) + " bytes " +
                                       (wanted_->size == 0 ? "that are taken without a size"
                                                           : "that the file has"));
    }
    hash_.update(bytes);
    size_ += bytes.size();
    while (!bytes.empty()) {
      const auto n = ::write(file_.get(), bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        throw runtime_failure(path_.string() + ": writing failed: " + io::system_text(errno));
      }
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
  }

  /// Whether the bytes so far are the right ones.
  [[nodiscard]] bool is_right() const {
    io::sha256 so_far = hash_;
    return so_far.hex() == wanted_->sha256;
  }

  /// Throws format_error, naming the address, unless the bytes are the right ones; runtime_failure
  /// where the disk does not take them. Call once, last.
  void finish() {
    const std::string found = hash_.hex();
    if (found != wanted_->sha256) {
      throw format_error(address_, "has the SHA-256 " + found + ", expected " + wanted_->sha256);
    }
    if (::fsync(file_.get()) != 0 && errno != EINVAL) {
      throw runtime_failure(path_.string() +
                            ": flushing to the disk failed: " + io::system_text(errno));
    }
  }

private:
  std::filesystem::path path_;
  std::string address_;
  const remote_file* wanted_;
  std::uint64_t most_;
  io::descriptor file_;
  std::uint64_t there_ = 0, size_ = 0;
  io::sha256 hash_;
};

/// Why a reply cannot be part of what is wanted, or nothing.
[[nodiscard]] inline std::string complaint_about(const reply_head& head,
                                                 const remote_file& wanted,
                                                 std::uint64_t from) {
  if (head.status == 206 && from == 0) return "sends a part, expected the whole";
  const std::uint64_t before = head.status == 206 ? from : 0;
  if (!head.length || wanted.size == 0 || *head.length == wanted.size - before) return {};
  return "announces " + std::to_string(before + *head.length) + " bytes, expected " +
         std::to_string(wanted.size);
}

/// Whether a part continues what is there of the same content.
[[nodiscard]] inline bool continues(const reply_head& head,
                                    const beginning& b,
                                    const remote_file& wanted,
                                    std::uint64_t from) {
  const bool same = head.validator().empty() || head.validator() == b.validator;
  const bool fits =
      head.first == from && (wanted.size == 0 || !head.all || *head.all == wanted.size);
  return head.status == 206 && same && fits;
}

/// One file into a workplace; see download().
class one_download {
public:
  one_download(const remote_file& wanted,
               workplace& place,
               const manner& how,
               std::uint64_t before,
               std::uint64_t all)
      : wanted_{&wanted},
        place_{&place},
        how_{&how},
        before_{before},
        all_{all},
        path_{place / wanted.name},
        file_{path_, wanted} {}

  void run() {
    try {
      begin();
      if (!is_whole()) {
        if (!attempt()) {  // what was there belongs to other content
          forget();
          if (!attempt()) {
            throw input_error(shown_address(wanted_->address) +
                              ": the server does not send the file from its beginning");
          }
        }
        if (file_.size() < wanted_->size) {
          throw transfer_failure(shown_address(wanted_->address) + ": the connection was cut");
        }
      }
    } catch (const transfer_failure& e) {
      throw transfer_failure(e.what() + keep_what_continues());
    } catch (const input_error&) {
      throw;
    } catch (const runtime_failure&) {
      // A stop that was asked for, or a disk that is full.
      static_cast<void>(keep_what_continues());
      throw;
    }
    file_.finish();
  }

private:
  void tell() const {
    if (how_->watch) how_->watch(before_ + file_.size(), all_);
  }

  [[nodiscard]] bool is_whole() const noexcept {
    return wanted_->size != 0 && file_.size() == wanted_->size;
  }

  /// Takes up what an earlier call has left, if it is the file or the beginning of it.
  void begin() {
    const auto left = read_beginning(path_);
    const bool same = left && left->address == without_password(wanted_->address) &&
                      left->sha256 == wanted_->sha256;
    const bool whole = wanted_->size != 0 && file_.there() == wanted_->size;
    if (file_.there() > 0 && file_.there() <= file_.most() && (same || whole)) {
      if (same) beginning_ = *left;
      file_.take_up([this] { tell(); });
      if (!whole || file_.is_right()) return;
    }
    forget();
  }

  void forget() {
    beginning_ = {};
    std::error_code ignored;
    std::filesystem::remove(beside(path_), ignored);
    file_.start_over();
  }

  /// False where what is there cannot be continued.
  [[nodiscard]] bool attempt() {
    const std::uint64_t from = file_.size();
    receiver to;
    to.begin = [&](const reply_head& head) { return take_head(head, from); };
    to.take = [&](std::span<const std::byte> bytes) { file_.append(bytes); };
    to.wait = [&] { tell(); };
    return get(wanted_->address, from, beginning_.validator, how_->net, to);
  }

  [[nodiscard]] bool take_head(const reply_head& head, std::uint64_t from) {
    if (head.status == 416) return false;
    if (head.status == 206 && from > 0 && !continues(head, beginning_, *wanted_, from))
      return false;
    if (const auto wrong = complaint_about(head, *wanted_, from); !wrong.empty()) {
      throw format_error(shown_address(wanted_->address), wrong);
    }
    if (head.status == 200) {
      forget();
      if (head.takes_ranges && !head.validator().empty()) {
        beginning_ = {without_password(wanted_->address), head.validator(), wanted_->sha256};
        write_beginning(path_, beginning_);
      }
    }
    return true;
  }

  /// What came of this file stays if a later call can go on from it. The end of a sentence.
  [[nodiscard]] std::string keep_what_continues() {
    const std::uint64_t come = std::max(file_.size(), file_.there());
    if (come > 0 && (!beginning_.validator.empty() || come == wanted_->size)) {
      place_->keep();
      return "; " + std::to_string(come) +
             (wanted_->size == 0 ? "" : " of " + std::to_string(wanted_->size)) +
             " bytes are kept, and the same command goes on from there";
    }
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
    std::filesystem::remove(beside(path_), ignored);
    if (before_ == 0) return "; nothing was kept";
    place_->keep();
    return "; the files before it are kept, and the same command goes on from there";
  }

  const remote_file* wanted_;
  workplace* place_;
  const manner* how_;
  std::uint64_t before_, all_;
  std::filesystem::path path_;
  arriving_file file_;
  beginning beginning_;
};

}  // namespace detail

/// Downloads a file into a workplace, going on from what an earlier call has left there.
///
/// What is left is hashed again and continued by a Range request, if the server gave the content a
/// strong name (ETag, Last-Modified) that it still has; else it is fetched from its first byte.
/// before, all: bytes of other files that are there, and of all, for the watcher.
///
/// Throws format_error, naming the address, where more or other bytes come than expected;
/// transfer_failure where the connection fails, having kept in the workplace what a later call can
/// go on from; and as fetch::get() does. Cost: that of hashing.
inline void download(const remote_file& wanted,
                     workplace& place,
                     const manner& how,
                     std::uint64_t before,
                     std::uint64_t all) {
  detail::one_download{wanted, place, how, before, all}.run();
}

}  // namespace tombola::fetch
