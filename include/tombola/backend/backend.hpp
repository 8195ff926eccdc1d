#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "tombola/backend/backward.hpp"
#include "tombola/backend/forward.hpp"
#include "tombola/backend/optimiser.hpp"

namespace tombola {

/// Memory of a device, and the ways in and out of it.
///
/// B::parameter is the element type of parameters, their gradients and moments, B::activation that
/// of activations and of the weights that enter products.
/// Laws: allocate<T>(n) gives n numbers, all zero, that live as long as the returned buffer, which
/// moves and does not copy; its data() is aligned to 64 bytes. write, copy and fill come into force
/// before any later verb. read waits for all earlier verbs and is the only call that waits.
template <class B>
concept storage = requires(B& b,
                           std::size_t n,
                           view<typename B::activation> a,
                           view<const typename B::activation> ca,
                           std::span<typename B::activation> host,
                           std::span<const typename B::activation> chost,
                           typename B::activation value) {
  typename B::parameter;
  typename B::activation;
  { b.template allocate<double>(n).data() } -> std::same_as<double*>;
  { b.template allocate<std::int32_t>(n).size() } -> std::same_as<std::size_t>;
  b.write(chost, a);
  b.read(ca, host);
  b.copy(ca, a);
  b.fill(a, value);
};

/// From tokens to losses. Laws: each verb computes what its comment in forward.hpp says, to the
/// accuracy that the conformance suite asks; the same bits whatever the number of threads.
template <class B, class A = typename B::activation>
concept forward_verbs = requires(B& b) {
  b.run(embed<A>{});
  b.run(linear<A>{});
  b.run(linear_gelu<A>{});
  b.run(add_norm<A>{});
  b.run(dropout<A>{});
  b.run(attention<A>{});
  b.run(tanh_of<A>{});
  b.run(relu_of<A>{});
  b.run(scale_columns<A>{});
  b.run(gather_rows<A>{});
  b.run(cross_entropy<A>{});
  b.run(squared_error<A>{});
  b.run(attention_statistics<A>{});
};

/// From losses to gradients. Laws: the derivative of the backend's own forward verb, adding and
/// overwriting exactly as backward.hpp says.
template <class B, class A = typename B::activation, class P = typename B::parameter>
concept backward_verbs = requires(B& b) {
  b.run(linear_input_gradient<A>{});
  b.run(linear_weight_gradient<A, P>{});
  b.run(gelu_backward<A>{});
  b.run(add_norm_backward<A>{});
  b.run(norm_weight_gradient<A, P>{});
  b.run(attention_backward<A>{});
  b.run(head_dots<A>{});
  b.run(neuron_dots<A>{});
  b.run(tanh_backward<A>{});
  b.run(relu_backward<A>{});
  b.run(scatter_rows<A>{});
  b.run(embed_backward<A, P>{});
};

/// From gradients to parameters. Laws: optimiser.hpp's; nothing is answered to the host.
template <class B, class A = typename B::activation, class P = typename B::parameter>
concept optimiser_verbs = requires(B& b) {
  b.run(sum_of_squares<P>{});
  b.run(clip_factor{});
  b.run(adamw<P>{});
  b.run(apply_mask<P, A>{});
};

/// What BERT is written over: an object, so that two of them live in one program.
/// Model: reference_backend<double> in reference.hpp; the conformance suite is in
/// tests/backend/conformance.hpp.
template <class B>
concept backend = storage<B> && forward_verbs<B> && backward_verbs<B> && optimiser_verbs<B>;

/// The front door: checks a verb's shapes, once, then hands it to the backend, which trusts it.
/// Throws shape_error, naming verb and argument, with what was found and what was expected.
template <class B, class Verb>
void perform(B& b, const Verb& verb) {
  verb.check();
  b.run(verb);
}

}  // namespace tombola
