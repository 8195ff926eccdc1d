#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/mman.h>

#include "tombola/checkpoint/checkpoint.hpp"
#include "tombola/checkpoint/choose.hpp"
#include "tombola/checkpoint/pieces.hpp"
#include "tombola/core/detail/count_bits.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/io/ticket_writer.hpp"

namespace tombola::checkpoint {

namespace detail {

/// Calls f(piece, space) for every piece, from several threads, in no order.
template <class F>
void over_pieces(const source& from, std::span<const weights> all, const manner& how, F f) {
  const auto pieces = cut_into_pieces(from, all);
  const std::size_t workers = workers_for(pieces.size(), how);
  std::vector<space> spaces(workers);
  progress p{how, bytes_to_read(from, all)};
  over_tasks(pieces.size(), workers, p, [&](std::size_t t, std::size_t worker) {
    const piece& x = pieces[t];
    const weights& w = all[x.weights];
    f(x, spaces[worker]);
    p.add(x.units * io::info(from.tensors()[w.mask.value_or(w.tensor)].type).bytes);
  });
}

/// So many words of 0. Asks the system for large pages, which it makes in half the time.
[[nodiscard]] inline std::vector<std::uint64_t> zero_words(std::size_t n) {
  constexpr std::uintptr_t page = 4096;
  std::vector<std::uint64_t> words;
  words.reserve(n);
#if defined(MADV_HUGEPAGE)
  const auto begin = reinterpret_cast<std::uintptr_t>(words.data());
  const std::uintptr_t first = (begin + page - 1) / page * page,
                       end = (begin + 8 * n) / page * page;
  // A hint: where it is not taken, nothing is lost.
  if (end > first) (void)::madvise(words.data() + (first - begin) / 8, end - first, MADV_HUGEPAGE);
#endif
  words.resize(n);
  return words;
}

}  // namespace detail

/// The ticket of what some weights keep: the bits of the mask that PyTorch's pruning has left
/// beside them, or else what is not zero. NaN is not zero, -0 is.
///
/// Throws format_error where such a mask holds anything but 0 and 1, runtime_failure where reading
/// fails. Memory: the ticket's bits, and piece_bytes a thread. Cost: one pass, at the speed of
/// reading.
[[nodiscard]] inline ticket mask_of(const source& from,
                                    std::span<const weights> all,
                                    const manner& how = {}) {
  std::vector<group> groups = groups_of(all);
  std::vector<std::vector<std::uint64_t>> words(groups.size());
  // Memory that the system has to make takes half as long as the reading: by all threads, too.
  const std::size_t workers = detail::workers_for(groups.size(), how);
  detail::over_tasks(groups.size(), workers, {how, 0}, [&](std::size_t g, std::size_t) {
    words[g] = detail::zero_words(words_for(groups[g].size()));
  });
  detail::over_pieces(from, all, how, [&](const detail::piece& x, detail::space& s) {
    const auto to =
        std::span{words[x.weights]}.subspan(x.first / bits_per_word, words_for(x.units));
    detail::kept_bits_into(from, all[x.weights], x.first, x.units, to, s);
  });
  std::vector<mask> masks;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    masks.push_back(mask::from_words(groups[g].size(), std::move(words[g])));
  }
  ticket t{std::move(groups), std::move(masks)};
  t.origin.criterion = "nonzero";
  return t;
}

/// Writes that ticket to a file without holding it; returns how many units each group keeps.
///
/// Throws input_error if the file is one of the checkpoint's own, and as mask_of and
/// io::ticket_writer do; the file appears complete or not at all. Memory:
/// piece_bytes and as many bits a thread, whatever the checkpoint's size.
inline std::vector<std::uint64_t> write_mask_of(const source& from,
                                                std::span<const weights> all,
                                                const std::filesystem::path& to,
                                                const manner& how = {}) {
  std::vector<std::filesystem::path> own{from.path()};
  for (const shard& s : from.shards()) own.push_back(s.path);
  for (const std::filesystem::path& file : own) {
    std::error_code code;
    if (std::filesystem::equivalent(file, to, code)) {
      throw input_error(to.string() +
                        ": is a file of the checkpoint, expected another to write to");
    }
  }
  provenance origin;
  origin.criterion = "nonzero";
  io::ticket_writer out{to, groups_of(all), origin};
  std::vector<std::atomic<std::uint64_t>> kept(all.size());
  detail::over_pieces(from, all, how, [&](const detail::piece& x, detail::space& s) {
    const auto bits = detail::kept_bits(from, all[x.weights], x.first, x.units, s);
    out.write(x.weights, x.first, x.units, bits);
    kept[x.weights] += tombola::detail::fastest_bits().count(bits.data(), bits.size());
  });
  out.commit();
  return {kept.begin(), kept.end()};
}

}  // namespace tombola::checkpoint
