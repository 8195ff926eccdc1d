#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tombola/backend/backend.hpp"
#include "tombola/core/error.hpp"
#include "tombola/core/mask.hpp"
#include "tombola/core/ticket.hpp"
#include "tombola/nn/bert_layout.hpp"
#include "tombola/nn/config.hpp"

namespace tombola::nn {

/// One factor per head, on its context vector, one per MLP, on its whole branch, bias included, and
/// one per neuron of an MLP, on what its gelu gives.
///
/// A factor on a head's context equals one on its attention probabilities. All start at 1, which
/// costs nothing: no factor is then multiplied. Those of neurons are apart from the others: a
/// ticket may cover either or both.
template <backend B>
class gates {
public:
  using A = typename B::activation;

  gates(B& b, const bert_config& c)
      : backend_{&b},
        layers_{c.layers},
        compact_{c.is_compact()},
        groups_{gate_groups(c)},
        first_head_{first_heads(c)},
        head_factors_{b.template allocate<A>(first_head_.back())},
        mlp_factors_{b.template allocate<A>(c.layers)},
        first_neuron_{first_neurons(c)},
        neuron_factors_{b.template allocate<A>(first_neuron_.back())} {
    groups_.push_back(neuron_group(c));
  }

  /// Heads of all layers together: L * H, or what a compact model has left.
  [[nodiscard]] std::size_t head_count() const noexcept { return first_head_.back(); }

  /// Neurons of all layers together: L * F, or what a compact model has left.
  [[nodiscard]] std::size_t neuron_count() const noexcept { return first_neuron_.back(); }

  /// Sets the gates of heads [L, H] (a compact model's layer after layer) and of MLPs [L]. Throws
  /// shape_error for other lengths.
  void set(std::span<const double> heads, std::span<const double> mlps) {
    if (heads.size() != head_count() || mlps.size() != layers_) {
      throw shape_error("gates: " + std::to_string(heads.size()) + " heads and " +
                        std::to_string(mlps.size()) + " MLPs, the model has " +
                        std::to_string(head_count()) + " and " + std::to_string(layers_));
    }
    const std::vector<A> h(heads.begin(), heads.end()), m(mlps.begin(), mlps.end());
    backend_->write(std::span<const A>{h}, view<A>{head_factors_.data(), h.size(), 1});
    backend_->write(std::span<const A>{m}, view<A>{mlp_factors_.data(), m.size(), 1});
    active_ = true;
  }

  /// Sets the gates of neurons [L, F] (a compact model's layer after layer). Throws shape_error for
  /// another length.
  void set_neurons(std::span<const double> neurons) {
    if (neurons.size() != neuron_count()) {
      throw shape_error("gates: " + std::to_string(neurons.size()) + " neurons, the model has " +
                        std::to_string(neuron_count()));
    }
    const std::vector<A> n(neurons.begin(), neurons.end());
    backend_->write(std::span<const A>{n}, view<A>{neuron_factors_.data(), n.size(), 1});
    neurons_active_ = true;
  }

  /// Throws shape_error where the ticket's heads, MLPs or neurons are not those that the model has,
  /// or the model is compact.
  void check(const ticket& t) const {
    for (const group& g : groups_) (void)factors(t, g);
  }

  /// 1 where the ticket keeps a unit, 0 elsewhere. Of what it has no group, `heads`, `mlps` or
  /// `neurons`, it keeps all. Throws as check does.
  void set(const ticket& t) {
    check(t);
    clear();
    if (t.find("heads") || t.find("mlps")) {
      set(factors(t, groups_[0]), factors(t, groups_[1]));
    }
    if (t.find("neurons")) set_neurons(factors(t, groups_[2]));
  }

  /// All gates at 1, and no longer multiplied.
  void clear() noexcept { active_ = neurons_active_ = false; }

  /// Factors of layer l as the verbs take them: [1, H] and [1], or empty where all gates are 1.
  [[nodiscard]] view<const A> heads(std::size_t l) const noexcept {
    if (!active_) return {};
    return {head_factors_.data() + first_head_[l], 1, first_head_[l + 1] - first_head_[l]};
  }
  [[nodiscard]] view<const A> mlp(std::size_t l) const noexcept {
    if (!active_) return {};
    return {mlp_factors_.data() + l, 1, 1};
  }
  /// [1, F], or empty where all gates of neurons are 1.
  [[nodiscard]] view<const A> neurons(std::size_t l) const noexcept {
    if (!neurons_active_) return {};
    return {neuron_factors_.data() + first_neuron_[l], 1, first_neuron_[l + 1] - first_neuron_[l]};
  }

private:
  [[nodiscard]] static std::vector<std::size_t> first_heads(const bert_config& c) {
    std::vector<std::size_t> first(c.layers + 1);
    for (std::size_t l = 0; l < c.layers; ++l) first[l + 1] = first[l] + c.shape(l).heads;
    return first;
  }
  [[nodiscard]] static std::vector<std::size_t> first_neurons(const bert_config& c) {
    std::vector<std::size_t> first(c.layers + 1);
    for (std::size_t l = 0; l < c.layers; ++l) first[l + 1] = first[l] + c.shape(l).intermediate;
    return first;
  }

  /// Of a group of the whole model.
  [[nodiscard]] std::vector<double> factors(const ticket& t, const group& whole) const {
    const auto i = t.find(whole.name);
    if (!i) return std::vector<double>(whole.size(), 1.0);
    if (compact_) {
      throw shape_error("ticket: group " + to_string(t.groups()[*i]) +
                        " is over units of a whole model, this one is compact");
    }
    require_same_group(t.groups()[*i], whole);
    const mask& m = t[*i];
    std::vector<double> f(m.size());
    for (std::size_t u = 0; u < m.size(); ++u) f[u] = m[u] ? 1.0 : 0.0;
    return f;
  }

  using buffer = decltype(std::declval<B&>().template allocate<A>(0));
  B* backend_;
  std::size_t layers_;
  bool compact_;
  std::vector<group> groups_;            ///< heads, MLPs, neurons of the whole model
  std::vector<std::size_t> first_head_;  ///< [L + 1] where each layer's factors begin
  buffer head_factors_, mlp_factors_;
  std::vector<std::size_t> first_neuron_;  ///< [L + 1] likewise
  buffer neuron_factors_;
  bool active_ = false, neurons_active_ = false;
};

}  // namespace tombola::nn
