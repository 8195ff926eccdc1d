#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "tombola/backend/backend.hpp"
#include "tombola/core/packed_batch.hpp"
#include "tombola/nn/activations.hpp"
#include "tombola/nn/bert_layout.hpp"
#include "tombola/nn/config.hpp"
#include "tombola/nn/device_batch.hpp"
#include "tombola/nn/dropout_plan.hpp"
#include "tombola/nn/encoder.hpp"
#include "tombola/nn/gates.hpp"
#include "tombola/nn/masked_lm_head.hpp"
#include "tombola/nn/parameters.hpp"
#include "tombola/nn/sequence_head.hpp"

namespace tombola::nn {

/// Memory of passes through one model, planned once for the largest batch of a run.
template <backend B>
class workspace {
public:
  workspace(B& b, const bert_config& c, const batch_limits& most, keep what)
      : batch{b, most},
        encoder{b, c, most, what},
        losses_{b.template allocate<double>(std::max(most.sequences, most.masked))} {
    if (c.head == head_kind::masked_lm) {
      // At least one row: a batch may have no token to predict.
      masked_lm.emplace(b, c, std::max<std::size_t>(most.masked, 1));
    } else {
      sequence.emplace(b, c, most.sequences);
    }
  }

  device_batch<B> batch;
  encoder_activations<B> encoder;
  std::optional<sequence_activations<B>> sequence;
  std::optional<masked_lm_activations<B>> masked_lm;

  /// One loss per sequence, or per token to predict.
  [[nodiscard]] view<double> losses(std::size_t n) noexcept { return {losses_.data(), n, 1}; }

private:
  decltype(std::declval<B&>().template allocate<double>(0)) losses_;
};

/// BERT with one head, over any backend: parameters, gates, and passes over packed batches.
///
/// A pass is: w.batch.write(batch, config()), forward, loss, backward. None of them waits for the
/// device; losses and logits are read with the backend's read. Not copyable: its parts refer to
/// one another.
template <backend B>
class bert {
public:
  using A = typename B::activation;

  /// All parameters are 0: load a checkpoint or initialise. Throws input_error for a config that
  /// no model can have.
  bert(B& b, const bert_config& c) : bert{b, (check(c), c), parameter_layout{}} {}

  bert(const bert&) = delete;
  bert& operator=(const bert&) = delete;

  [[nodiscard]] const bert_config& config() const noexcept { return config_; }
  [[nodiscard]] const bert_slots& slots() const noexcept { return slots_; }
  [[nodiscard]] nn::parameters<B>& parameters() noexcept { return parameters_; }
  [[nodiscard]] nn::gates<B>& gates() noexcept { return gates_; }
  [[nodiscard]] B& device() noexcept { return backend_; }

  /// From the batch in w to w's logits: [B, K], or [M, V] for the masked LM.
  view<A> forward(workspace<B>& w, const dropout_plan& drop = {}) {
    if (config_.head == head_kind::masked_lm) {
      masked_lm_.forward(w.batch, encoder_.forward(w.batch, w.encoder, drop), *w.masked_lm);
      return w.masked_lm->logits.rows(w.batch.masked());
    }
    const view<A> first = w.sequence->first.rows(w.batch.sequences());
    if (w.encoder.kept == keep::nothing) {
      encoder_.forward_first(w.batch, w.encoder, drop, first);
    } else {
      const view<const A> hidden = encoder_.forward(w.batch, w.encoder, drop);
      perform(backend_, gather_rows<A>{hidden, w.batch.first_rows(), first});
    }
    sequence_.forward(w.batch, *w.sequence, drop);
    return w.sequence->logits.rows(w.batch.sequences());
  }

  /// One loss per sequence (or masked token), after forward; keeps `scale` times their gradients
  /// for backward. scale 1 / n gives the gradient of the mean, 1 that of each example alone.
  view<double> loss(workspace<B>& w, double scale) {
    if (config_.head == head_kind::masked_lm) {
      const view<double> out = w.losses(w.batch.masked());
      masked_lm_.loss(w.batch, *w.masked_lm, scale, out);
      return out;
    }
    const view<double> out = w.losses(w.batch.sequences());
    sequence_.loss(w.batch, *w.sequence, scale, out);
    return out;
  }

  /// Gradients of what loss() kept, to all weights (added) or to the gates alone.
  /// Precondition: w was made with keep::gradients or keep::importance accordingly.
  void backward(workspace<B>& w, gradients_of wanted, const dropout_plan& drop = {}) {
    const view<A> dhidden = w.encoder.dhidden.rows(w.batch.tokens());
    if (config_.head == head_kind::masked_lm) {
      masked_lm_.backward(w.batch, *w.masked_lm, dhidden, wanted);
    } else {
      sequence_.backward(w.batch, *w.sequence, dhidden, drop, wanted);
    }
    encoder_.backward(w.batch, w.encoder, drop, wanted);
    if (wanted == gradients_of::weights) parameters_.mask_gradient();
  }

  /// Masks every group of the ticket from now on: `heads` and `mlps` through the gates, all others
  /// as weights of that name. Throws where a group does not fit the model; the model is unchanged.
  void apply(const ticket& t, weight_form form) {
    std::vector<std::pair<std::string, mask_view>> weights;
    bool gated = false;
    for (std::size_t i = 0; i < t.groups().size(); ++i) {
      const group& g = t.groups()[i];
      const std::string& name = g.name;
      if (holds_structures(g)) {
        gated = true;
      } else {
        const slot& s = parameters_.layout()[parameters_.layout().index_of(name)];
        require_same_group(g, {name, s.extents()});
        weights.emplace_back(name, mask_view{t[i]});
      }
    }
    if (gated) gates_.check(t);
    parameters_.apply(weights, form);
    gated ? gates_.set(t) : gates_.clear();
  }

  nn::encoder<B>& layers() noexcept { return encoder_; }

private:
  bert(B& b, const bert_config& c, parameter_layout layout)
      : backend_{b},
        config_{c},
        slots_{lay_out(c, layout)},
        parameters_{b, std::move(layout)},
        gates_{b, c},
        encoder_{b, config_, slots_, parameters_, gates_},
        sequence_{b, config_, slots_, parameters_},
        masked_lm_{b, config_, slots_, parameters_} {}

  B& backend_;
  bert_config config_;
  bert_slots slots_;
  nn::parameters<B> parameters_;
  nn::gates<B> gates_;
  nn::encoder<B> encoder_;
  sequence_head<B> sequence_;
  masked_lm_head<B> masked_lm_;
};

}  // namespace tombola::nn
