// How long does the ticket of what is not zero take, in a checkpoint of 2 GB in the system's cache?

#include <chrono>
#include <thread>

#include "bench/support/checkpoint_file.hpp"
#include "bench/support/memory.hpp"
#include "bench/support/question.hpp"

#include "tombola/checkpoint/mask_of.hpp"

using namespace tombola;

namespace {

/// What one writes without a library: each number read and looked at, its bit set.
std::size_t one_by_one(const std::filesystem::path& path) {
  const io::safetensors_file file{path};
  std::size_t kept = 0;
  for (const io::tensor_entry& t : file.tensors()) {
    mask m{t.size()};
    const std::vector<float> values = io::to_floats(t);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] != 0.0F) m.set(i);
    }
    kept += m.count();
  }
  return kept;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  const bench::large_checkpoint made;
  const checkpoint::source from{made.file()};
  const auto all = checkpoint::choose(from).chosen;
  bench::require_equal(checkpoint::mask_of(from, all).count(), one_by_one(made.file()), "ours");

  const auto ticket_file = made.folder() / "ticket.safetensors";
  const std::size_t grown = bench::memory_of([&] {
    (void)checkpoint::write_mask_of(from, all, ticket_file, {threads, {}});
  });
  // What the command does: pieces as they come, the file flushed to the disk.
  const auto start = std::chrono::steady_clock::now();
  (void)checkpoint::write_mask_of(from, all, ticket_file, {threads, {}});
  const std::chrono::duration<double> written = std::chrono::steady_clock::now() - start;
  bench::question q{.name = "checkpoint", .size = "2.1 GB, 805,306,368 weights, F32 and BF16"};
  q.notes["bytes"] = from.shards()[0].bytes;
  q.notes["written_s"] = written.count();
  q.notes["memory_where_written_bytes"] = grown;
  q.ours = {"tombola", threads, [&] {
              benchmark::DoNotOptimize(checkpoint::mask_of(from, all, {threads, {}}));
            }};
  q.rivals.push_back({"number by number", 1, [&] { one_by_one(made.file()); }});
  bench::child torch{bench::rival_command("mask", made.file())};
  if (torch.is_there()) {
    q.rivals.push_back({"safetensors and torch, packed", threads, [&] { torch.ask("go"); }});
  } else {
    q.missing.emplace_back("safetensors and torch, packed");
  }
  q.limit = {"read once", threads, [&] { bench::read_file(made.file(), threads); }};
  return q.run(argc, argv);
}
