#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tombola/core/packed_batch.hpp"
#include "tombola/data/batches.hpp"
#include "tombola/experiment/loop_position.hpp"
#include "tombola/experiment/observer.hpp"
#include "tombola/nn/bert.hpp"
#include "tombola/nn/optimizer.hpp"
#include "tombola/nn/training_state.hpp"

namespace tombola::experiment {

/// Trains a model, batch after batch, and can be stopped anywhere.
///
/// The state goes to a file every checkpoint_seconds and when the observer wants an end; a loop
/// that finds the file goes on from it and ends with the same bits as one that was never stopped.
template <backend B>
class training_loop {
public:
  /// most: the largest batch; the workspace is planned for it once.
  training_loop(nn::bert<B>& model,
                const nn::adamw_settings& settings,
                const loop_plan& plan,
                const nn::batch_limits& most,
                std::filesystem::path state_file,
                const observer& watch)
      : model_{model},
        plan_{plan},
        most_tokens_{most.tokens},
        optimizer_{model.device(), model.parameters(), settings},
        workspace_{model.device(), model.config(), most, nn::keep::gradients},
        state_file_{std::move(state_file)},
        watch_{watch} {
    if (plan.examples == 0 || plan.batch == 0 || plan.epochs == 0 || plan.accumulation == 0) {
      throw input_error(
          "training: examples, batch size, epochs and accumulation must be at least 1");
    }
    if (plan.steps() == 0) {
      throw input_error("training: " + std::to_string(plan.batches_per_epoch()) +
                        " batches make no step of " + std::to_string(plan.accumulation));
    }
  }

  /// Runs to the end. fill(order, first, count, epoch, batch) packs one batch.
  /// Throws format_error where the state in the file is of no place in this plan, runtime_failure
  /// where a loss, a gradient or a weight is not finite (the last good state stays), interrupted
  /// where the observer wants an end.
  template <class Fill>
  loop_position run(Fill fill) {
    if (std::filesystem::exists(state_file_)) {
      at_ = detail::from_notes(nn::load_state(state_file_, model_, optimizer_), plan_, most_tokens_,
                               state_file_);
      watch_.say("resumed at epoch " + std::to_string(at_.epoch + 1) + ", batch " +
                 std::to_string(at_.batch + 1));
    }
    started_ = saved_ = clock::now();
    seconds_before_ = at_.seconds;
    tokens_before_ = at_.tokens;
    for (; at_.epoch < plan_.epochs; next_epoch()) {
      const auto order = data::epoch_order(plan_.examples, plan_.seed, at_.epoch);
      while (at_.batch < plan_.batches_per_epoch()) {
        const std::size_t first = at_.batch * plan_.batch;
        fill(order, first, std::min(plan_.batch, plan_.examples - first), at_.epoch, host_);
        train_on_batch();
        ++at_.batch;
        after_batch();
      }
    }
    // No loss has seen what the last step did.
    if (!nn::has_finite_weights(model_)) fail("a weight", batches_done() - 1);
    at_.seconds = seconds_before_ + seconds_since(started_);
    return at_;
  }

private:
  using clock = std::chrono::steady_clock;
  static double seconds_since(clock::time_point t) {
    return std::chrono::duration<double>(clock::now() - t).count();
  }

  void train_on_batch() {
    const nn::dropout_plan drop{true, plan_.seed, at_.epoch};
    const std::size_t n = host_.masked_rows.empty() ? host_.sequences() : host_.masked_rows.size();
    workspace_.batch.write(host_, model_.config());
    model_.forward(workspace_, drop);
    const view<double> losses = model_.loss(
        workspace_, 1.0 / (static_cast<double>(n) * static_cast<double>(plan_.accumulation)));
    model_.backward(workspace_, nn::gradients_of::weights, drop);
    remember_losses(losses);
    if ((at_.batch + 1) % plan_.accumulation == 0) {
      const auto warm_up = static_cast<std::size_t>(
          std::llround(plan_.warm_up_share * static_cast<double>(plan_.steps())));
      optimizer_.step(nn::linear_schedule(optimizer_.steps(), warm_up, plan_.steps()));
    }
    at_.tokens += host_.tokens();
  }

  /// Losses stay with the device until somebody wants to see them.
  void remember_losses(view<double> losses) {
    if (history_used_ + losses.size() > history_.size()) collect_losses();
    if (losses.size() > history_.size()) {
      history_ = model_.device().template allocate<double>(64 * losses.size());
    }
    model_.device().copy(read_only(losses),
                         view<double>{history_.data() + history_used_, losses.size(), 1});
    history_used_ += losses.size();
    remembered_.push_back(at_.batch);
    batch_losses_.push_back(losses.size());
  }

  /// Adds what was remembered, one by one, so that the sum does not depend on when this is called.
  void collect_losses() {
    std::vector<double> values(history_used_);
    model_.device().read(view<const double>{history_.data(), history_used_, 1},
                         std::span<double>{values});
    const double before = at_.loss_sum;
    std::size_t next = 0;
    for (std::size_t k = 0; k < remembered_.size(); ++k) {
      const std::size_t batch = remembered_[k];
      const std::size_t end = next + batch_losses_[k];
      for (; next < end; ++next) {
        if (!std::isfinite(values[next])) {
          fail("the loss", at_.epoch * plan_.batches_per_epoch() + batch);
        }
        at_.loss_sum += values[next];
      }
    }
    at_.loss_count += values.size();
    if (!values.empty()) {
      recent_loss_ = (at_.loss_sum - before) / static_cast<double>(values.size());
    }
    history_used_ = 0;
    remembered_.clear();
    batch_losses_.clear();
  }

  void after_batch() {
    const bool ends = watch_.wants_stop();
    const bool shows = watch_.report && seconds_since(reported_) > 1.0;
    const bool saves = seconds_since(saved_) > plan_.checkpoint_seconds;
    if (at_.batch % 16 == 0 || ends || shows || saves) check_finite();
    if (shows) report();
    if (ends || saves) save();
    if (ends) {
      throw interrupted(plan_.name + ": stopped after batch " + std::to_string(at_.batch) +
                        " of epoch " + std::to_string(at_.epoch + 1) +
                        "; the same command goes on from there");
    }
  }

  void report() {
    reported_ = clock::now();
    const double seconds = seconds_since(started_);
    const std::size_t total = plan_.batches_per_epoch() * plan_.epochs;
    const std::size_t done = batches_done();
    const double rate = static_cast<double>(at_.tokens - tokens_before_) / seconds;
    const double per_batch = (seconds_before_ + seconds) / static_cast<double>(done);
    watch_.tell({plan_.name, done, total, recent_loss_, rate,
                 per_batch * static_cast<double>(total - done)});
  }

  void save() {
    if (!nn::has_finite_weights(model_)) fail("a weight", batches_done() - 1);
    loop_position p = at_;
    p.seconds = seconds_before_ + seconds_since(started_);
    nn::save_state(state_file_, model_, optimizer_, detail::to_notes(p));
    saved_ = clock::now();
  }

  void next_epoch() {
    check_finite();
    at_.last_epoch_loss = at_.loss_sum / static_cast<double>(at_.loss_count);
    at_.loss_sum = 0.0;
    at_.loss_count = 0;
    at_.batch = 0;
    ++at_.epoch;
  }

  /// Waits. What training had reached before the failure stays in the state file.
  void check_finite() {
    collect_losses();
    if (optimizer_.has_failed()) fail("the gradient", batches_done() - 1);
  }

  [[nodiscard]] std::size_t batches_done() const {
    return at_.epoch * plan_.batches_per_epoch() + at_.batch;
  }

  /// batch: counted from the beginning of training.
  [[noreturn]] void fail(const char* what, std::size_t batch) const {
    const bool kept = std::filesystem::exists(state_file_);
    throw runtime_failure(plan_.name + ": " + what + " became NaN or infinite " +
                          (std::string_view{what} == "the loss" ? "in" : "in or before") +
                          " step " + std::to_string(batch / plan_.accumulation + 1) + " (epoch " +
                          std::to_string(batch / plan_.batches_per_epoch() + 1) + ", batch " +
                          std::to_string(batch % plan_.batches_per_epoch() + 1) + "); " +
                          (kept ? "the last good checkpoint is " + state_file_.string()
                                : "no checkpoint had been written yet"));
  }

  nn::bert<B>& model_;
  loop_plan plan_;
  std::size_t most_tokens_;  ///< of a batch
  nn::optimizer<B> optimizer_;
  nn::workspace<B> workspace_;
  std::filesystem::path state_file_;
  const observer& watch_;
  packed_batch host_;
  loop_position at_;
  decltype(std::declval<B&>().template allocate<double>(0)) history_ =
      model_.device().template allocate<double>(0);
  std::size_t history_used_ = 0;
  std::vector<std::size_t> remembered_;    ///< batches whose losses are in the history
  std::vector<std::size_t> batch_losses_;  ///< and how many of each
  double recent_loss_ = std::numeric_limits<double>::quiet_NaN();
  double seconds_before_ = 0.0;
  std::size_t tokens_before_ = 0;
  clock::time_point started_{}, saved_{}, reported_{};
};

}  // namespace tombola::experiment
