// The same bits: for any number of threads, and when training goes on from a saved state. On the
// backend that trains, in float, with dropout.

#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/io/scratch.hpp"
#include "tests/nn/tiny_model.hpp"

#include "tombola/eigen/backend.hpp"
#include "tombola/nn/training_state.hpp"

using namespace tombola;
using namespace tombola::test;

namespace {

using backend_type = eigen::backend<float>;

/// A model large enough that its products have several tiles.
nn::bert_config config() {
  nn::bert_config c = tiny_config(nn::head_kind::classification);
  c.hidden = 72;
  c.intermediate = 200;
  c.vocabulary = 300;
  c.positions = 40;
  return c;
}

packed_batch batch(std::uint32_t number) {
  packed_batch b;
  const random_stream r{8, purpose::language, number};
  for (std::uint32_t x = 0; x < 9; ++x) {
    const std::size_t n = x == 0 ? 1 : 5 + r.below(35, 1000 + x);
    std::vector<std::int32_t> ids(n), segments(n);
    for (std::size_t t = 0; t < n; ++t) {
      ids[t] = static_cast<std::int32_t>(r.below(300, 64 * x + t));
      segments[t] = t < n / 2 ? 0 : 1;
    }
    b.add(ids, segments, 9 * number + x);
    b.labels.push_back(static_cast<std::int32_t>(r.below(3, 2000 + x)));
  }
  return b;
}

struct trainee {
  backend_type b;
  nn::bert<backend_type> model{b, config()};
  nn::workspace<backend_type> w{b, config(), {9 * 40, 9, 0}, nn::keep::gradients};
  nn::optimizer<backend_type> o{b, model.parameters(), {.rate = 1e-3, .decay = 0.01}};

  explicit trainee(int threads) : b{threads} { randomise(model, 9); }

  void backward(std::uint32_t number) {
    const nn::dropout_plan drop{true, 21, number};
    w.batch.write(batch(number), model.config());
    mean_loss(model, w, drop);
    model.backward(w, nn::gradients_of::weights, drop);
  }
  void steps(std::uint32_t first, std::uint32_t end) {
    for (std::uint32_t i = first; i < end; ++i) {
      backward(i);
      o.step(0.9);
    }
  }
  std::vector<float> weights() { return values_of(b, model.parameters().stored()); }
};

bool same_bits(const std::vector<float>& x, const std::vector<float>& y) {
  return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("three steps give the same bits with 1, 2 and 3 threads") {
  trainee one{1}, two{2}, three{3};
  const auto before = one.weights();
  for (trainee* t : {&one, &two, &three}) t->steps(0, 3);
  CHECK(one.weights() != before);
  CHECK(same_bits(one.weights(), two.weights()));
  CHECK(same_bits(one.weights(), three.weights()));
  CHECK(one.o.norm() == two.o.norm());
}

TEST_CASE("training goes on from a saved state with the same bits") {
  scratch_folder folder;
  const auto file = folder / "state.safetensors";
  trainee straight{2};
  straight.steps(0, 2);
  straight.backward(2);  // a gradient that waits for its second half
  nn::save_state(file, straight.model, straight.o, {{"epoch", "3"}, {"order", "7 1"}});
  straight.steps(3, 6);

  trainee resumed{1};
  randomise(resumed.model, 1234);
  resumed.steps(7, 10);  // more of them than the state has seen
  const auto notes = nn::load_state(file, resumed.model, resumed.o);
  CHECK(notes.at("epoch") == "3");
  CHECK(notes.at("order") == "7 1");
  CHECK(resumed.o.steps() == 2);
  resumed.steps(3, 6);
  CHECK(same_bits(resumed.weights(), straight.weights()));
  CHECK(folder.names() == std::vector<std::string>{"state.safetensors"});
}

TEST_CASE("a state under a ticket goes on under the ticket") {
  scratch_folder folder;
  const auto file = folder / "state.safetensors";
  const std::string name = "encoder.layer.0.output.dense.weight";
  ticket t{{{name, {72, 200}}}};
  for (std::size_t u = 0; u < t.size(); u += 3) t.set(0, u, false);
  trainee straight{2}, resumed{2};
  for (trainee* x : {&straight, &resumed}) x->model.apply(t, nn::weight_form::study);
  straight.steps(0, 2);
  nn::save_state(file, straight.model, straight.o, {});
  nn::load_state(file, resumed.model, resumed.o);
  auto& p = resumed.model.parameters();
  const auto effective = values_of(resumed.b, p.effective(p.layout().index_of(name)));
  const auto stored = values_of(resumed.b, p.stored(p.layout().index_of(name)));
  for (std::size_t u = 0; u < stored.size(); ++u) {
    REQUIRE(effective[u] == (u % 3 == 0 ? 0.0F : stored[u]));
  }
  straight.steps(2, 4);
  resumed.steps(2, 4);
  CHECK(same_bits(resumed.weights(), straight.weights()));
}

TEST_CASE("a file that is no state of this model is refused, and nothing changes") {
  scratch_folder folder;
  const auto file = folder / "state.safetensors";
  trainee t{2};
  t.steps(0, 1);
  nn::save_state(file, t.model, t.o, {});
  const std::string whole = get(file);
  trainee fresh{1};
  const auto weights = fresh.weights();
  const auto refusal = [&] {
    return sentence<format_error>([&] { nn::load_state(file, fresh.model, fresh.o); },
                                  file.string() + ": ");
  };
  for (const std::size_t left :
       {whole.size() - 1, whole.size() / 2, std::size_t{100}, std::size_t{7}, std::size_t{0}}) {
    put(file, std::string_view{whole}.substr(0, left));
    INFO(left);
    CHECK_THROWS_AS(nn::load_state(file, fresh.model, fresh.o), input_error);
  }
  const auto n = t.model.parameters().layout().total();
  const std::string size = std::to_string(n);
  const std::vector<float> numbers(n, 2.0F), fewer(n - 1);
  const auto write = [&](const std::vector<std::pair<const char*, std::span<const float>>>& parts,
                         const std::map<std::string, std::string>& notes) {
    std::vector<io::tensor_to_write> out;
    for (const auto& [name, x] : parts) {
      out.push_back({name, io::dtype::f32, {x.size()}, std::as_bytes(x)});
    }
    io::write_safetensors(file, out, notes);
  };
  using parts = std::vector<std::pair<const char*, std::span<const float>>>;
  const parts right{
      {"stored", numbers}, {"gradient", numbers}, {"first", numbers}, {"second", numbers}};
  write({{"stored", numbers}, {"gradient", numbers}, {"first", numbers}}, {});
  CHECK(refusal() == "tensor second has 0 numbers, this model's state has " + size);
  write({{"stored", numbers}, {"gradient", fewer}, {"first", numbers}, {"second", numbers}}, {});
  CHECK(refusal() == "tensor gradient has " + std::to_string(n - 1) +
                         " numbers, this model's state has " + size);
  write(right, {{"epoch", "1"}});
  CHECK(refusal() == "has no note optimizer_steps, expected a training state");
  for (const char* wrong : {"", "seven", "-1", "3x", "99999999999999999999999"}) {
    write(right, {{"optimizer_steps", wrong}});
    CHECK(refusal() ==
          "has the note optimizer_steps '" + std::string{wrong} + "', expected a whole number");
  }
  CHECK(same_bits(fresh.weights(), weights));
  CHECK(fresh.o.steps() == 0);
  put(file, whole);
  nn::load_state(file, fresh.model, fresh.o);
  CHECK(same_bits(fresh.weights(), t.weights()));
}

TEST_CASE("a state with a weight that is not finite is not saved: the one before stays") {
  scratch_folder folder;
  const auto file = folder / "state.safetensors";
  trainee t{1};
  t.steps(0, 2);
  nn::save_state(file, t.model, t.o, {});
  const std::string good = get(file);
  auto weights = t.weights();
  for (const float bad : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    weights.back() = bad;
    t.b.write(std::span<const float>{weights}, t.model.parameters().stored());
    CHECK_FALSE(nn::has_finite_weights(t.model));
    CHECK(sentence<runtime_failure>([&] { nn::save_state(file, t.model, t.o, {}); }) ==
          file.string() + ": not saved, a weight was not finite by step 2");
    CHECK(get(file) == good);
  }
  CHECK(folder.names() == std::vector<std::string>{"state.safetensors"});
}
