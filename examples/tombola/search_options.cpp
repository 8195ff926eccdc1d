// find-masks and its options.

#include "examples/tombola/search_options.hpp"

#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "examples/tombola/checkpoint_commands.hpp"
#include "examples/tombola/option_kinds.hpp"
#include "examples/tombola/run_options.hpp"

#include "tombola/core/error.hpp"

namespace tombola::driver {

namespace {

using namespace experiment;

/// One guard, three ways to state it; two of them on one line are an error.
void add_guard(CLI::App* app, search_settings& s) {
  const auto rule = [&s](guard_rule r) {
    return [&s, r](const double& amount) { s.rule = r, s.guard_amount = amount; };
  };
  CLI::Option* share =
      app->add_option_function<double>("--guard", rule(guard_rule::share),
                                       "Go on while the metric is this share of the full one's, "
                                       "which must be above 0 [0.9]")
          ->check(share_of_one());
  CLI::Option* drop =
      app->add_option_function<double>("--guard-drop", rule(guard_rule::drop),
                                       "Instead: while it is at most this far below the full one's")
          ->check(at_least_zero(true));
  CLI::Option* floor =
      app->add_option_function<double>("--guard-at-least", rule(guard_rule::at_least),
                                       "Instead: while it is at least this")
          ->check(finite());
  share->excludes(drop)->excludes(floor);
  drop->excludes(floor);
  app->add_option(
      "--guard-confidence", s.confidence,
      "The guard is on the lower bound of the examples' results at this level, from 0.5 to "
      "below 1, such as 0.95: for tasks that are scored by accuracy");
}

/// Names of an enumeration's values.
template <class E>
std::map<std::string, E> by_name(std::initializer_list<E> values) {
  std::map<std::string, E> names;
  for (const E e : values) names[to_string(e)] = e;
  return names;
}

template <class E>
std::vector<std::string> words_of(const std::map<std::string, E>& known) {
  std::vector<std::string> words;
  for (const auto& [word, value] : known) words.push_back(word);
  return words;
}

/// The criteria and scopes of each kind of unit.
const auto weight_criteria =
    by_name({weight_criterion::magnitude, weight_criterion::random, weight_criterion::taylor,
             weight_criterion::fisher, weight_criterion::snip, weight_criterion::wanda});
const auto structure_criteria = by_name(
    {structure_criterion::sensitivity, structure_criterion::magnitude, structure_criterion::random,
     structure_criterion::taylor, structure_criterion::wanda, structure_criterion::entropy});
const auto weight_scopes = by_name({weight_scope::global, weight_scope::layer, weight_scope::row});
const auto structure_scopes = by_name({structure_scope::global, structure_scope::layer});

std::vector<std::string> every_criterion() {
  std::vector<std::string> words = words_of(structure_criteria);
  for (const std::string& word : words_of(weight_criteria)) {
    if (!structure_criteria.contains(word)) words.push_back(word);
  }
  return words;
}

/// What a word means for the units that are pruned; the value stays where no word was given.
template <class E>
void choose(E& value,
            const std::map<std::string, E>& known,
            const std::string& word,
            const std::string& option,
            prune_what what) {
  if (word.empty()) return;
  const auto at = known.find(word);
  if (at == known.end()) {
    throw input_error(option + ": found " + word + ", which is not for " + to_string(what) +
                      "; expected " + listed(words_of(known)));
  }
  value = at->second;
}

/// Refuses options that a search for these units would not look at.
void refuse_given(const std::vector<const CLI::Option*>& options,
                  const std::string& of,
                  prune_what what) {
  for (const CLI::Option* option : options) {
    if (option->count() == 0) continue;
    throw input_error(option->get_name() + ": is of " + of + ", found a search for " +
                      to_string(what));
  }
}

/// How a search ranks units, and over weights how many go when. Returns what weights alone have.
std::vector<const CLI::Option*> add_ranking(CLI::App* app,
                                            search_settings& s,
                                            search_words& words) {
  static const auto schedules =
      by_name({weight_schedule::share_of_left, weight_schedule::share_of_whole,
               weight_schedule::one_shot, weight_schedule::cubic, weight_schedule::iterative});
  app->add_option(
         "--criterion", words.criterion,
         "What units are ranked by: heads, MLPs and neurons by sensitivity (of gates, see "
         "--estimator), magnitude, random, taylor or wanda, heads also by entropy; weights "
         "by magnitude, random, taylor, fisher, snip or wanda")
      ->check(among(every_criterion()))
      ->type_name("WORD")
      ->default_str("sensitivity, of weights magnitude");
  CLI::Option* scope =
      app->add_option(
             "--scope", words.scope,
             "What is ranked together: global (everything), layer (the heads or neurons of "
             "one, or a matrix) or row (the weights of an output)")
          ->check(among({"global", "layer", "row"}))
          ->type_name("WORD")
          ->default_str("global");
  CLI::Option* schedule =
      app->add_option(
             "--schedule", s.weights.schedule,
             "share_of_left or share_of_whole: --weight-step goes in every step; one_shot, "
             "cubic or iterative: it has gone at the end")
          ->transform(one_of(schedules))
          ->default_str("share_of_left");
  CLI::Option* share =
      app->add_option("--weight-step", s.weight_share, "Share of the weights: see --schedule")
          ->capture_default_str()
          ->check(share_of_one());
  CLI::Option* steps = app->add_option("--weight-steps", s.weight_steps,
                                       "Most steps over weights; 0: 30 in mode study, else 60")
                           ->capture_default_str()
                           ->transform(whole(0, 10'000));
  const auto put = [&s](const std::string& text) {
    s.weights.pattern = pattern_of(text, "find-masks: --nm");
  };
  const CLI::Option* pattern =
      app->add_option_function<std::string>(
             "--nm", put, "Instead: N:M keeps N of every M weights in a row, in one step")
          ->excludes(scope)
          ->excludes(schedule)
          ->excludes(share)
          ->excludes(steps);
  return {schedule, share, steps, pattern};
}

}  // namespace

void add_find_masks(CLI::App& root, search_settings& s, search_words& words, run_command& c) {
  static const std::map<std::string, prune_what> what{{"heads", prune_what::heads},
                                                      {"mlps", prune_what::mlps},
                                                      {"both", prune_what::both},
                                                      {"neurons", prune_what::neurons},
                                                      {"weights", prune_what::weights}};
  static const std::map<std::string, search_mode> modes{{"standard", search_mode::standard},
                                                        {"study", search_mode::study}};
  static const std::map<std::string, selection_split> splits{{"dev", selection_split::dev},
                                                             {"train", selection_split::train}};
  static const auto estimators =
      by_name({estimator::per_token, estimator::per_example, estimator::squared,
               estimator::signed_mean, estimator::per_batch, estimator::cumulative});
  CLI::App* app = root.add_subcommand("find-masks", "Find the good ticket of a trained model");
  app->footer(
      "Example: tombola find-masks --run runs/train-SST-2-s1-0123456789ab --prune both --out runs\n"
      "Heads by another criterion: ... --prune heads --criterion taylor --scope layer\n"
      "Weights: ... --prune weights --criterion wanda --scope row --schedule cubic --weight-step "
      "0.6\n"
      "Weights in rounds of pruning and retraining: examples/rewinding.sh");
  app->add_option(
         "--run", s.run,
         "Folder of a training run: of the full model, or, to prune weights further, under "
         "a ticket of weights")
      ->required();
  app->add_option("--data", s.data, "Folder of the tasks, if it has moved");
  app->add_option("--prune", s.prune, "heads, mlps, both, neurons or weights")
      ->transform(one_of(what))
      ->required();
  app->add_option("--mode", s.mode, "standard, or study: exactly as the study's code")
      ->transform(one_of(modes))
      ->default_str("standard");
  CLI::Option* which =
      app->add_option("--estimator", s.which, "Gate sensitivity; mode study takes cumulative")
          ->transform(one_of(estimators))
          ->default_str("per_example");
  app->add_option("--select", s.select, "Examples that the search looks at: dev or train")
      ->transform(one_of(splits))
      ->default_str("dev");
  add_guard(app, s);
  const CLI::Option* step =
      app->add_option("--step", s.step_share, "Share of heads, MLPs or neurons to remove in a step")
          ->capture_default_str()
          ->check(share_of_one());
  const std::vector<const CLI::Option*> of_weights = add_ranking(app, s, words);
  counted(app, "--batch", s.batch, "Sequences in a batch");
  add_run(app, c);
  app->callback([&s, &c, &words, which, step, of_weights] {
    const bool weights = s.prune == prune_what::weights;
    if (weights) {
      refuse_given({step}, "heads, MLPs and neurons", s.prune);
      choose(s.weights.criterion, weight_criteria, words.criterion, "--criterion", s.prune);
      choose(s.weights.within, weight_scopes, words.scope, "--scope", s.prune);
    } else {
      refuse_given(of_weights, "weights", s.prune);
      choose(s.structures.criterion, structure_criteria, words.criterion, "--criterion", s.prune);
      choose(s.structures.scope, structure_scopes, words.scope, "--scope", s.prune);
    }
    if (which->count() > 0 &&
        (weights || s.structures.criterion != structure_criterion::sensitivity)) {
      throw input_error(std::string{"--estimator: is of criterion sensitivity, found "} +
                        (weights ? "a search for weights" : "criterion " + words.criterion));
    }
    if (s.mode == search_mode::study && s.prune == prune_what::mlps && step->count() > 0) {
      throw input_error("--step: found mode study with --prune mlps, which removes one MLP a step");
    }
    if (s.mode == search_mode::study && which->count() > 0 && s.which != estimator::cumulative) {
      throw input_error(std::string{"--estimator: found "} + to_string(s.which) +
                        " in mode study, expected cumulative, the only one it has");
    }
    if (s.weights.schedule == weight_schedule::one_shot && s.weight_steps > 1) {
      throw input_error("--weight-steps: found " + std::to_string(s.weight_steps) +
                        ", but schedule one_shot has one");
    }
    find_masks(s, c);
  });
}

}  // namespace tombola::driver
