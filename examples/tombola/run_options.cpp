// The commands that train or run a model, and their options.

#include "examples/tombola/run_options.hpp"

#include <map>
#include <string>

#include "examples/tombola/config_file.hpp"
#include "examples/tombola/option_kinds.hpp"
#include "examples/tombola/search_options.hpp"

#include "tombola/core/error.hpp"

namespace tombola::driver {

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
  add_config_file(app);
  add_common(app, c.common);
}

namespace {

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
  add_seed(app, s.seed);
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
      ->check(share_of_one());
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
  add_seed(app, s.seed, "Seed of order, dropout, drawn rows and fresh parameters");
  app->add_option("--ticket", s.ticket, "Train inside this ticket");
  const CLI::Option* form =
      app->add_option("--weight-form", s.form,
                      "Pruned weights: stored_zeros, or kept and multiplied at each pass (study)")
          ->transform(one_of(forms))
          ->default_str("stored_zeros");
  counted(app, "--epochs", s.epochs, "Epochs");
  counted(app, "--batch", s.batch, "Sequences in a batch");
  counted(app, "--accumulate", s.accumulation, "Batches per step");
  counted(app, "--max-length", s.max_length, "Tokens of a sequence; longer ones are cut");
  app->add_option("--rows", s.rows, "Training rows, drawn by the seed; 0 for all")
      ->capture_default_str()
      ->transform(whole(0, most_counted));
  app->add_option("--warm-up", s.warm_up_share, "Share of the steps")
      ->capture_default_str()
      ->check(share_of_one());
  app->add_option("--checkpoint-seconds", s.checkpoint_seconds, "Time between checkpoints")
      ->capture_default_str()
      ->check(at_least_zero(true));
  add_optimizer(app, s.optimizer);
  add_run(app, c);
  app->callback([&s, &c, form] {
    if (form->count() > 0 && s.ticket.empty()) {
      throw input_error("--weight-form: is of the weights that a ticket prunes, found no --ticket");
    }
    train(s, c);
  });
}

void add_evaluate(CLI::App& root, experiment::evaluation_settings& s, run_command& c) {
  CLI::App* app =
      root.add_subcommand("evaluate", "Score a trained model, under a ticket or as it is");
  app->footer(
      "Example: tombola evaluate --run runs/train-SST-2-s1-0123456789ab --ticket bad.safetensors "
      "--out runs");
  app->add_option("--run", s.run, "Folder of a training run")->required();
  app->add_option("--ticket", s.ticket,
                  "Score under this ticket; without it under the one of its training, if any");
  app->add_option("--model", s.model, "Score this model in the run's place, such as a compact one");
  app->add_option("--data", s.data, "Folder of the tasks, if it has moved");
  app->add_option("--split", s.split,
                  "dev, train, or another file of the task's folder without .tsv")
      ->capture_default_str();
  counted(app, "--batch", s.batch, "Sequences in a batch");
  add_run(app, c);
  app->callback([&] { evaluate(s, c); });
}

}  // namespace

void add_run_commands(CLI::App& root, run_command_options& o) {
  add_pretrain(root, o.pretraining, o.run);
  add_train(root, o.training, o.run);
  add_find_masks(root, o.search, o.searching, o.run);
  add_evaluate(root, o.evaluation, o.run);
}

}  // namespace tombola::driver
