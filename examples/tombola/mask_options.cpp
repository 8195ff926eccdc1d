// The commands that run no model, and their options.

#include "examples/tombola/mask_options.hpp"

#include <map>
#include <string>

#include "examples/tombola/option_kinds.hpp"

namespace tombola::driver {

namespace {

void add_select(CLI::App& root, mask_options& o) {
  using n = select_options;
  static const std::map<std::string, normalisation> normalisations{
      {"none", normalisation::none},
      {"layer_l2", normalisation::layer_l2},
      {"min_max", normalisation::min_max},
      {"layer_l2_min_max", normalisation::layer_l2_min_max},
      {"group_mean", normalisation::group_mean},
      {"group_l2", normalisation::group_l2}};
  static const std::map<std::string, n::scope> scopes{{"all", n::scope::all},
                                                      {"group", n::scope::group}};
  n& s = o.selection;
  CLI::App* app = root.add_subcommand("select", "Scores to a mask: keep the highest");
  app->footer(
      "Example: tombola select head_importance.npy --keep-share 0.5 --least 1 --out head_mask.npy\n"
      "N:M:     tombola select scores.safetensors --keep-of 2:4 --out mask.npz");
  app->add_option("scores", s.scores,
                  "Arrays of scores, larger is more important: .npy, .npz, .csv or .safetensors; "
                  "each array is a group")
      ->required();
  CLI::Option* share =
      app->add_option("--keep-share", s.share, "Keep this share")->check(share_of_one());
  constexpr std::uint64_t most_units = 1'000'000'000'000;  // more than there are in any file
  CLI::Option* count =
      app->add_option("--keep", s.count, "Keep exactly so many")->transform(whole(0, most_units));
  CLI::Option* of = app->add_option("--keep-of", s.keep_of, "N:M keeps N of every M in a row");
  share->excludes(count)->excludes(of);
  count->excludes(of);
  CLI::Option* within = app->add_option("--within", s.within,
                                        "Rank all groups together (all) or each by itself "
                                        "(group)")
                            ->transform(one_of(scopes))
                            ->default_str("all");
  app->add_option("--normalise", s.how,
                  "Scores first: none, layer_l2, min_max, layer_l2_min_max, group_mean, group_l2")
      ->transform(one_of(normalisations))
      ->default_str("none");
  app->add_option("--least", s.least, "Keep at least so many in each layer")
      ->transform(whole(0, most_units))
      ->excludes(of);
  app->add_option("--most", s.most, "Keep at most so many in each layer")
      ->transform(whole(0, most_units))
      ->excludes(of);
  within->excludes(of);
  app->add_option("--out", s.out, "Mask to write: .npy, .npz or .safetensors")->required();
  add_common(app, o.common);
  app->callback([&o] { select(o.selection, o.common); });
}

void add_controls(CLI::App& root, mask_options& o) {
  static const std::map<std::string, controls_options::source> modes{
      {"standard", controls_options::source::standard}, {"study", controls_options::source::study}};
  controls_options& s = o.control;
  CLI::App* app = root.add_subcommand("controls", "Random, bad, inverted and super tickets");
  app->footer(
      "Example: tombola controls --ticket good.safetensors --kind random --seed 7 --out "
      "random.safetensors\n"
      "As the study drew them, for all tasks and seeds of a folder:\n"
      "         tombola controls --mode study --ticket masks/heads_mlps --kind bizzaro --out "
      "bizzaro");
  app->add_option("--ticket", s.tickets,
                  "Good ticket; two or more for super, bizzaro and midling; a folder of masks in "
                  "mode study")
      ->required();
  app->add_option("--kind", s.kind,
                  "random, layers (random, each layer of its size), bad, inverted; of several: "
                  "super (survives in all), bizzaro (in none), midling (in neither)")
      ->required()
      ->check(among({"random", "layers", "bad", "inverted", "super", "bizzaro", "midling"}));
  app->add_option("--mode", s.mode, "standard, or study: its generators and its own sampling")
      ->transform(one_of(modes))
      ->default_str("standard");
  add_seed(app, s.seed, "Seed of the draw; mode study has its own");
  app->add_option("--model", s.model, "Model folder; needed for the bad ticket of weights");
  app->add_option("--out", s.out, "Ticket to write; in mode study a new folder")->required();
  add_common(app, o.common);
  app->callback([&o] { controls(o.control, o.common); });
}

void add_comparisons(CLI::App& root, mask_options& o) {
  const auto add = [&](const char* name, const char* help, const char* footer, auto command) {
    CLI::App* app = root.add_subcommand(name, help);
    app->footer(footer);
    app->add_option("files", o.comparison.named,
                    "Tickets (.safetensors), 0/1 arrays (.npy, .npz), or folders of them; pruned "
                    "checkpoints (.safetensors, .index.json) and their folders")
        ->required();
    add_only(app, o.comparison.only, "; tickets are taken whole");
    add_threads(app, o.common);
    add_common(app, o.common);
    app->callback([&o, command] { command(o.comparison, o.common); });
  };
  add("compare", "Overlap of every pair of masks, beside what chance gives",
      "Example: tombola compare seed_1/head_mask.npy seed_2/head_mask.npy", compare);
  add("agreement", "Agreement of several masks: kappa, alpha, Cochran's Q, survival",
      "Example: tombola agreement masks/SST-2/seed_*/head_mask.npy", agreement);
}

void add_convert(CLI::App& root, mask_options& o) {
  using io::mask_number;
  static const std::map<std::string, mask_number> numbers{{"float32", mask_number::float32},
                                                          {"float64", mask_number::float64},
                                                          {"uint8", mask_number::uint8},
                                                          {"bool", mask_number::boolean}};
  convert_options& s = o.conversion;
  CLI::App* app = root.add_subcommand("convert", "Masks from one kind of file to another");
  app->footer(
      "Example: tombola convert head_mask.npy mlp_mask.npy --out ticket.safetensors\n"
      "Back:    tombola convert ticket.safetensors --group heads --out head_mask.npy");
  app->add_option("files", s.files, "Masks: .npy, .npz or tickets; their groups are put together")
      ->required();
  app->add_option("--group", s.groups, "Only these groups");
  app->add_option("--as", s.number, "Numbers of .npy and .npz: float32, float64, uint8, bool")
      ->transform(one_of(numbers))
      ->default_str("float32");
  app->add_option("--out", s.out, "File to write: .npy for one group, .npz, or a ticket")
      ->required();
  add_common(app, o.common);
  app->callback([&o] { convert(o.conversion, o.common); });
}

void add_report(CLI::App& root, mask_options& o) {
  CLI::App* app = root.add_subcommand("report", "One HTML file on a folder of runs or of masks");
  app->footer(
      "Example: tombola report runs\n"
      "A table: tombola report masks.csv --out page      (columns file, task, seed; also set, "
      "group)");
  app->add_option("source", o.reported.source,
                  "Runs; masks as <task>/seed_<n>/head_mask.npy; or a CSV that maps files to task "
                  "and seed")
      ->required();
  app->add_option("--out", o.reported.out,
                  "Folder to write to; without it the source itself, or the folder of a table");
  add_common(app, o.common);
  app->callback([&o] { report(o.reported, o.common); });
}

void add_inspect(CLI::App& root, mask_options& o) {
  CLI::App* app =
      root.add_subcommand("inspect", "What is in a ticket, trace, mask, checkpoint or run");
  app->footer("Example: tombola inspect ticket.safetensors");
  app->add_option("file", o.inspection.file, "A file, or the folder of a run or model")->required();
  app->add_option("--nm", o.inspection.pattern, "The N:M pattern to look for")
      ->capture_default_str();
  add_threads(app, o.common);
  add_common(app, o.common);
  app->callback([&o] { inspect(o.inspection, o.common); });
}

void add_pocket(CLI::App& root, mask_options& o) {
  pocket_options& s = o.language;
  CLI::App* app = root.add_subcommand("pocket", "Write a small generated language with two tasks");
  app->footer("Example: tombola pocket pocket-data");
  app->add_option("folder", s.folder, "Folder to write to")->required();
  add_seed(app, s.seed);
  counted(app, "--corpus", s.corpus, "Sentences for pretraining");
  counted(app, "--train", s.train, "Training examples of each task");
  counted(app, "--dev", s.dev, "Development examples of each task");
  add_common(app, o.common);
  app->callback([&o] { pocket(o.language, o.common); });
}

void add_completion(CLI::App& root, mask_options& o) {
  CLI::App* app = root.add_subcommand("completion", "A script that completes commands and options");
  app->footer("Example: source <(tombola completion bash)");
  app->add_option("shell", o.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  app->callback([&o, &root] { completion(o.shell, root); });
}

}  // namespace

void add_mask_commands(CLI::App& root, mask_options& o) {
  add_select(root, o);
  add_controls(root, o);
  add_comparisons(root, o);
  add_convert(root, o);
  add_report(root, o);
  add_inspect(root, o);
  add_pocket(root, o);
  add_completion(root, o);
}

}  // namespace tombola::driver
