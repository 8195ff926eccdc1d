// The commands that train or run a model, and their options.

#include "examples/tombola/run_options.hpp"

#include <initializer_list>
#include <map>
#include <string>

#include "examples/tombola/checkpoint_commands.hpp"
#include "examples/tombola/option_kinds.hpp"

#include "tombola/core/error.hpp"

namespace tombola::driver {

namespace {

void add_run(CLI::App* app, run_command& c) {
  app->add_option("--out", c.out, "Folder of runs; the run's own folder in it is printed")
      ->required();
  static const std::map<std::string, precision_choice> precisions{
      {"float32", precision_choice::float32},
      {"bfloat16", precision_choice::bfloat16},
      {"auto", precision_choice::automatic}};
  app->add_option("--precision", c.precision,
                  "Operands of large products: float32, bfloat16, or auto, the faster one here, "
                  "measured; all else is float32")
      ->transform(one_of(precisions))
      ->default_str("float32");
  add_threads(app, c.common);
  app->set_config("--config", "", "Options from a file, `key = value` lines");
  add_common(app, c.common);
}

void add_optimizer(CLI::App* app, nn::adamw_settings& o) {
  static const std::map<std::string, adamw_form> forms{{"study", adamw_form::study},
                                                       {"torch", adamw_form::torch}};
  app->add_option("--optimizer", o.form, "Form of AdamW: study (transformers 2.5.1) or torch")
      ->transform(one_of(forms))
      ->default_str("study");
  app->add_option("--rate", o.rate, "Peak learning rate")
      ->capture_default_str()
      ->check(at_least_zero(false));
  app->add_option("--decay", o.decay, "Weight decay, not on biases and layer norms")
      ->capture_default_str()
      ->check(at_least_zero(true));
  app->add_option("--clip", o.max_norm, "Largest gradient norm; 0 for none")
      ->capture_default_str()
      ->check(at_least_zero(true));
}

void add_pretrain(CLI::App& root, experiment::pretrain_settings& s, run_command& c) {
  CLI::App* app = root.add_subcommand("pretrain", "Masked language modelling from scratch");
  app->footer("Example: tombola pretrain --corpus corpus.txt --vocab vocab.txt --out runs");
  s.model.positions = 64;
  s.model.hidden = 128;
  s.model.layers = 4;
  s.model.heads = 4;
  s.model.intermediate = 512;
  s.max_length = 32;
  s.optimizer.rate = 1e-3;
  app->add_option("--corpus", s.corpus, "Text, one sentence a line")->required();
  app->add_option("--vocab", s.vocabulary, "A vocab.txt")->required();
  app->add_option("--name", s.name, "What folder and report call the text")->capture_default_str();
  app->add_option("--seed", s.seed, "Seed")->capture_default_str();
  counted(app, "--layers", s.model.layers, "Layers");
  counted(app, "--hidden", s.model.hidden, "Hidden size");
  counted(app, "--heads", s.model.heads, "Heads per layer");
  counted(app, "--intermediate", s.model.intermediate, "Size of the MLPs");
  counted(app, "--positions", s.model.positions, "Positions");
  counted(app, "--epochs", s.epochs, "Epochs");
  counted(app, "--batch", s.batch, "Sequences in a batch");
  counted(app, "--max-length", s.max_length, "Tokens of a sequence");
  app->add_option("--warm-up", s.warm_up_share, "Share of the steps")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  add_optimizer(app, s.optimizer);
  add_run(app, c);
  app->callback([&] { pretrain(s, c); });
}

void add_train(CLI::App& root, experiment::train_settings& s, run_command& c) {
  static const std::map<std::string, nn::weight_form> forms{
      {"stored_zeros", nn::weight_form::stored_zeros}, {"study", nn::weight_form::study}};
  CLI::App* app = root.add_subcommand("train", "Fine-tune on a task, in full or under a ticket");
  app->footer(
      "Example: tombola train --model minilm --data glue --task SST-2 --seed 1 --out runs\n"
      "Under a ticket: ... --ticket runs/find-masks-SST-2-s1-0123456789ab/ticket.safetensors");
  app->add_option(
         "--model", s.model,
         "Folder of a BERT, RoBERTa or DistilBERT: config.json, model.safetensors, vocabulary")
      ->required();
  app->add_option("--data", s.data, "Folder with one folder per task")->required();
  app->add_option("--task", s.task, "Task, such as SST-2")->required();
  app->add_option("--seed", s.seed, "Seed of order, dropout, drawn rows and fresh parameters")
      ->capture_default_str();
  app->add_option("--ticket", s.ticket, "Train inside this ticket");
  app->add_option("--weight-form", s.form,
                  "Pruned weights: stored_zeros, or kept and multiplied at each pass (study)")
      ->transform(one_of(forms))
      ->default_str("stored_zeros");
  counted(app, "--epochs", s.epochs, "Epochs");
  counted(app, "--batch", s.batch, "Sequences in a batch");
  counted(app, "--accumulate", s.accumulation, "Batches per step");
  counted(app, "--max-length", s.max_length, "Tokens of a sequence; longer ones are cut");
  app->add_option("--rows", s.rows, "Training rows, drawn by the seed; 0 for all")
      ->capture_default_str();
  app->add_option("--warm-up", s.warm_up_share, "Share of the steps")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  app->add_option("--checkpoint-seconds", s.checkpoint_seconds, "Time between checkpoints")
      ->capture_default_str()
      ->check(at_least_zero(true));
  add_optimizer(app, s.optimizer);
  add_run(app, c);
  app->callback([&] { train(s, c); });
}

/// One guard, three ways to state it; two of them on one line are an error.
void add_guard(CLI::App* app, experiment::search_settings& s) {
  using experiment::guard_rule;
  const auto rule = [&s](guard_rule r) {
    return [&s, r](const double& amount) { s.rule = r, s.guard_amount = amount; };
  };
  CLI::Option* share =
      app->add_option_function<double>("--guard", rule(guard_rule::share),
                                       "Go on while the metric is this share of the full one's, "
                                       "which must be above 0 [0.9]")
          ->check(CLI::Range(0.0, 1.0));
  CLI::Option* drop =
      app->add_option_function<double>("--guard-drop", rule(guard_rule::drop),
                                       "Instead: while it is at most this far below the full one's")
          ->check(at_least_zero(true));
  CLI::Option* floor = app->add_option_function<double>(
      "--guard-at-least", rule(guard_rule::at_least), "Instead: while it is at least this");
  share->excludes(drop)->excludes(floor);
  drop->excludes(floor);
}

/// Names of an enumeration's values.
template <class E>
std::map<std::string, E> by_name(std::initializer_list<E> values) {
  std::map<std::string, E> names;
  for (const E e : values) names[to_string(e)] = e;
  return names;
}

/// Which weights a search over weights removes.
void add_weight_rule(CLI::App* app, experiment::search_settings& s) {
  using namespace experiment;
  using criterion = weight_criterion;
  static const auto criteria = by_name({criterion::magnitude, criterion::random, criterion::taylor,
                                        criterion::fisher, criterion::snip, criterion::wanda});
  static const auto scopes =
      by_name({weight_scope::global, weight_scope::layer, weight_scope::row});
  static const auto schedules =
      by_name({weight_schedule::share_of_left, weight_schedule::share_of_whole,
               weight_schedule::one_shot, weight_schedule::cubic, weight_schedule::iterative});
  app->add_option("--criterion", s.weights.criterion,
                  "What weights are scored by: magnitude, random, taylor, fisher, snip or wanda")
      ->transform(one_of(criteria))
      ->default_str("magnitude");
  CLI::Option* scope =
      app->add_option("--scope", s.weights.within,
                      "Weights of one ranking: global (all), layer (a matrix) or row (an output)")
          ->transform(one_of(scopes))
          ->default_str("global");
  CLI::Option* schedule =
      app->add_option(
             "--schedule", s.weights.schedule,
             "share_of_left or share_of_whole: --weight-step goes in every step; one_shot, "
             "cubic or iterative: it has gone at the end")
          ->transform(one_of(schedules))
          ->default_str("share_of_left");
  CLI::Option* share =
      app->add_option("--weight-step", s.weight_share, "Share of the weights to remove in a step")
          ->capture_default_str()
          ->check(CLI::Range(0.0, 1.0));
  CLI::Option* steps = app->add_option("--weight-steps", s.weight_steps,
                                       "Most steps over weights; 0: 30 in mode study, else 60")
                           ->capture_default_str();
  const auto put = [&s](const std::string& text) {
    s.weights.pattern = pattern_of(text, "find-masks: --nm");
  };
  app->add_option_function<std::string>(
         "--nm", put, "Instead: N:M keeps N of every M weights in a row, in one step")
      ->excludes(scope)
      ->excludes(schedule)
      ->excludes(share)
      ->excludes(steps);
}

void add_find_masks(CLI::App& root, experiment::search_settings& s, run_command& c) {
  using namespace experiment;
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
      "Weights: ... --prune weights --criterion wanda --scope row --schedule cubic --weight-step "
      "0.6");
  app->add_option("--run", s.run, "Folder of a training run")->required();
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
  app->add_option("--step", s.step_share, "Share of heads, MLPs or neurons to remove in a step")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  add_weight_rule(app, s);
  counted(app, "--batch", s.batch, "Sequences in a batch");
  add_run(app, c);
  app->callback([&s, &c, which] {
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

void add_evaluate(CLI::App& root, experiment::evaluation_settings& s, run_command& c) {
  CLI::App* app =
      root.add_subcommand("evaluate", "Score a trained model, under a ticket or as it is");
  app->footer(
      "Example: tombola evaluate --run runs/train-SST-2-s1-0123456789ab --ticket bad.ticket "
      "--out runs");
  app->add_option("--run", s.run, "Folder of a training run")->required();
  app->add_option("--ticket", s.ticket, "Score under this ticket");
  app->add_option("--model", s.model, "Score this model in the run's place, such as a compact one");
  app->add_option("--data", s.data, "Folder of the tasks, if it has moved");
  app->add_option("--split", s.split, "Split to score on")->capture_default_str();
  counted(app, "--batch", s.batch, "Sequences in a batch");
  add_run(app, c);
  app->callback([&] { evaluate(s, c); });
}

}  // namespace

void add_run_commands(CLI::App& root, run_command_options& o) {
  add_pretrain(root, o.pretraining, o.run);
  add_train(root, o.training, o.run);
  add_find_masks(root, o.search, o.run);
  add_evaluate(root, o.evaluation, o.run);
}

}  // namespace tombola::driver
