// result.json of a run.

#include "tests/fuzz/support.hpp"

#include "tombola/analysis/results.hpp"

using namespace tombola;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto& path = fuzz::as_file(fuzz::text_of(data, size));
  const auto r = fuzz::accepted([&] { return analysis::read_result(path); });
  if (!r) return 0;
  fuzz::check_sentence(r->run);
  fuzz::hold(r->seconds >= 0 && r->tokens_per_second >= 0, "a run takes time");
  if (!r->ticket) return 0;
  for (const auto& [name, kept] : r->ticket->kept) {
    fuzz::hold(kept <= r->ticket->size.at(name), "a ticket keeps what there is");
  }
  return 0;
}

void fuzz::make_seeds(seeds& to) {
  const std::string full = R"({"format": "tombola-result", "version": 1, "step": "find-masks",
"task": "SST-2", "seed": 3, "run": {"step": "find-masks", "settings": {"rate": 0.1}},
"metric": "accuracy", "score": 0.9, "metrics": {"accuracy": 0.9, "f1": null}, "majority": 0.5,
"ticket": {"file": "ticket.safetensors", "kind": "good", "family": "heads", "fingerprint": "00",
"search": "guard 0.9", "kept": {"heads": 7}, "size": {"heads": 12}}, "setting": "rate 0.1",
"retrained": false, "seconds": 1.5, "tokens_per_second": 100, "machine": "x", "commit": "0",
"inputs": [{"name": "dev", "path": "dev.tsv", "sha256": ""}]})";
  to.add(full);
  to.add(full, "find-masks", "\\u001b[31m");
  to.add(full, "\"good\"", "\"g\\nood\"");
  to.add(full, "7", "13");
  to.add(full, "1.5", "-1.5");
  to.add(full, "tombola-result", "tombola-results");
  to.add(full, "0.9", "null");
  to.words({"\"format\":",
            "\"version\":",
            "\"step\":",
            "\"task\":",
            "\"seed\":",
            "\"run\":",
            "\"settings\":",
            "\"metric\":",
            "\"score\":",
            "\"metrics\":",
            "\"majority\":",
            "\"ticket\":",
            "\"file\":",
            "\"kind\":",
            "\"family\":",
            "\"fingerprint\":",
            "\"search\":",
            "\"kept\":",
            "\"size\":",
            "\"setting\":",
            "\"retrained\":",
            "\"seconds\":",
            "\"tokens_per_second\":",
            "\"machine\":",
            "\"commit\":",
            "\"inputs\":",
            "heads_mlps",
            "weights",
            "evaluate",
            "pretrain",
            "null",
            "true",
            "1e308",
            "\\u001b"});
}
