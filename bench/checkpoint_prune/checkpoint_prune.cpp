// How long does it take to prune half of a checkpoint of 2 GB in one ranking, exactly, and to write
// it back?

#include <thread>

#include "bench/support/checkpoint_file.hpp"
#include "bench/support/memory.hpp"
#include "bench/support/question.hpp"

#include "tombola/checkpoint/prune.hpp"

using namespace tombola;

int main(int argc, char** argv) {
  const std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  const bench::large_checkpoint made;
  const checkpoint::source from{made.file()};
  const auto all = checkpoint::choose(from).chosen;
  const auto out = made.folder() / "pruned";
  const auto prune = [&] {
    std::filesystem::remove_all(out);
    return checkpoint::prune_by_magnitude(from, all, {0.5, checkpoint::scope::global, {}}, out, {},
                                          {threads, {}});
  };
  std::uint64_t kept = 0, size = 0;
  checkpoint::pruned result;
  const std::size_t grown = bench::memory_of([&] { result = prune(); });
  for (const std::uint64_t k : result.kept) kept += k;
  for (const group& g : result.groups) size += g.size();
  bench::require_equal(kept, size - size / 2, "kept");

  bench::question q{.name = "checkpoint_prune", .size = "2.1 GB, half of 805,306,368 weights"};
  q.notes["memory_bytes"] = grown;
  q.ours = {"tombola", threads, [&] { (void)prune(); }};
  bench::child torch{bench::rival_command("prune", made.file())};
  if (torch.is_there()) {
    q.rivals.push_back({"safetensors and torch, kthvalue", threads, [&] { torch.ask("go"); }});
  } else {
    q.missing.emplace_back("safetensors and torch, kthvalue");
  }
  q.limit = {"read once", threads, [&] { bench::read_file(made.file(), threads); }};
  // A rival takes most of a minute: three turns unless told otherwise.
  std::string often = "--benchmark_repetitions=3";
  std::vector<char*> arguments{argv[0], often.data()};
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  return q.run(static_cast<int>(arguments.size()), arguments.data());
}
