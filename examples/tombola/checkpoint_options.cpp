// The options of mask-of and prune.

#include "examples/tombola/checkpoint_options.hpp"

#include <map>
#include <string>

#include "examples/tombola/option_kinds.hpp"

namespace tombola::driver {

namespace {

void add_mask_of(CLI::App& root, checkpoint_options& o) {
  mask_of_options& s = o.mask;
  CLI::App* app = root.add_subcommand("mask-of", "The ticket of what is not zero in a checkpoint");
  app->footer(
      "Example: tombola mask-of pruned-model --only '*.attention.*' --out ticket.safetensors");
  app->add_option("checkpoint", s.checkpoint,
                  "A safetensors file of any architecture, the index of several, or their folder")
      ->required();
  add_only(app, s.only);
  app->add_option("--out", s.out, "Ticket to write")->required();
  add_threads(app, o.common);
  add_common(app, o.common);
  app->callback([&o] { mask_of(o.mask, o.common); });
}

void add_prune(CLI::App& root, checkpoint_options& o) {
  using checkpoint::scope;
  static const std::map<std::string, scope> scopes{
      {"global", scope::global}, {"tensor", scope::tensor}, {"row", scope::row}};
  prune_options& s = o.pruning;
  CLI::App* app = root.add_subcommand("prune", "Prune the weights of any checkpoint by magnitude");
  app->footer(
      "Example: tombola prune model --share 0.5 --out pruned\n"
      "N:M:     tombola prune model --nm 2:4 --out pruned");
  app->add_option("checkpoint", s.checkpoint,
                  "A safetensors file of any architecture, the index of several, or their folder")
      ->required();
  app->add_option("--criterion", o.criterion, "magnitude: the smallest go first")
      ->capture_default_str()
      ->check(among({"magnitude"}));
  CLI::Option* share = app->add_option("--share", s.what.share, "Share of the weights to remove")
                           ->check(share_of_one());
  CLI::Option* within = app->add_option("--scope", s.what.within,
                                        "Rank all weights together (global), or those of each "
                                        "tensor or row by themselves")
                            ->transform(one_of(scopes))
                            ->default_str("global");
  CLI::Option* of = app->add_option("--nm", s.keep_of, "N:M keeps N of every M in a row");
  of->excludes(share)->excludes(within);
  add_only(app, s.only);
  app->add_option("--out", s.out, "Folder to write: the checkpoint and its ticket.safetensors")
      ->required();
  add_threads(app, o.common);
  add_common(app, o.common);
  app->callback([&o, share, of] {
    if (share->empty() && of->empty()) {
      throw input_error("prune: neither --share nor --nm is given, expected one of them");
    }
    prune(o.pruning, o.common);
  });
}

}  // namespace

void add_checkpoint_commands(CLI::App& root, checkpoint_options& o) {
  add_mask_of(root, o);
  add_prune(root, o);
}

}  // namespace tombola::driver
