#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <utility>
#include <vector>

#include "tombola/core/random.hpp"
#include "tombola/prune/pruner.hpp"

// A network of one's own and the library's pruner. The network knows nothing of tombola but the
// ticket that says which of its neurons are there; three functions make it an objective.

/// Points in the square from -1 to 1; label 1 inside the circle of radius 0.75.
struct point {
  double x = 0.0, y = 0.0;
  double label = 0.0;
};

std::vector<point> draw_points(std::size_t n, std::uint64_t seed) {
  const tombola::random_stream random{seed, tombola::purpose::language};
  std::vector<point> points(n);
  for (std::size_t i = 0; i < n; ++i) {
    point& p = points[i];
    p.x = 2.0 * random.uniform(2 * i) - 1.0;
    p.y = 2.0 * random.uniform(2 * i + 1) - 1.0;
    p.label = p.x * p.x + p.y * p.y < 0.75 * 0.75 ? 1.0 : 0.0;
  }
  return points;
}

/// Two inputs, 24 neurons with a rectifier, one output: the probability of label 1.
class network {
public:
  static constexpr std::size_t neurons = 24;

  explicit network(std::uint64_t seed) {
    const tombola::random_stream random{seed, tombola::purpose::initialisation};
    for (std::size_t h = 0; h < neurons; ++h) {
      in_x[h] = random.normal(4 * h);
      in_y[h] = random.normal(4 * h + 1);
      bias[h] = 0.5 * random.normal(4 * h + 2);
      out[h] = 0.3 * random.normal(4 * h + 3);
    }
  }

  /// What neuron h adds to the output; nothing where it is pruned.
  double part(std::size_t h, const point& p, const tombola::mask& kept) const {
    return kept[h] ? out[h] * std::max(0.0, in_x[h] * p.x + in_y[h] * p.y + bias[h]) : 0.0;
  }

  double probability(const point& p, const tombola::mask& kept) const {
    double sum = out_bias;
    for (std::size_t h = 0; h < neurons; ++h) sum += part(h, p, kept);
    return 1.0 / (1.0 + std::exp(-sum));
  }

  /// Stochastic gradient descent by hand, on the cross entropy and a small pull on the output
  /// weights towards 0, which leaves neurons that are not needed with little to say.
  void train(const std::vector<point>& points, int epochs, double rate) {
    const tombola::mask all = tombola::mask::all_kept(neurons);
    for (int epoch = 0; epoch < epochs; ++epoch) {
      for (const point& p : points) {
        const double wrong = probability(p, all) - p.label;  // d loss / d output
        for (std::size_t h = 0; h < neurons; ++h) {
          const double before = in_x[h] * p.x + in_y[h] * p.y + bias[h];
          if (before <= 0.0) continue;
          const double back = wrong * out[h];
          const double pull = out[h] > 0.0 ? 0.01 : -0.01;
          out[h] -= rate * (wrong * before + pull);
          in_x[h] -= rate * back * p.x;
          in_y[h] -= rate * back * p.y;
          bias[h] -= rate * back;
        }
        out_bias -= rate * wrong;
      }
    }
  }

private:
  double in_x[neurons] = {}, in_y[neurons] = {}, bias[neurons] = {}, out[neurons] = {};
  double out_bias = 0.0;
};

/// What the pruner asks. Scores come from the training points, the metric from others.
class circle_objective {
public:
  circle_objective(const network& net, std::vector<point> training, std::vector<point> held_out)
      : net_{net}, training_{std::move(training)}, held_out_{std::move(held_out)} {}

  /// What may be pruned.
  std::vector<tombola::group> groups() const { return {{"neurons", {network::neurons}}}; }

  /// How much each neuron matters: the mean over the points of |d loss / d gate|, where the gate is
  /// a factor on what the neuron adds to the output.
  std::vector<tombola::scores> scores(const tombola::ticket& t) const {
    std::vector<double> sums(network::neurons);
    for (const point& p : training_) {
      const double wrong = net_.probability(p, t[0]) - p.label;
      for (std::size_t h = 0; h < sums.size(); ++h)
        sums[h] += std::abs(wrong * net_.part(h, p, t[0]));
    }
    std::vector<float> means;
    for (const double sum : sums) {
      means.push_back(static_cast<float>(sum / static_cast<double>(training_.size())));
    }
    return {{groups()[0], means}};
  }

  /// How good the network is without the pruned neurons: accuracy, larger is better.
  double metric(const tombola::ticket& t) const {
    std::size_t right = 0;
    for (const point& p : held_out_) {
      right += (net_.probability(p, t[0]) > 0.5) == (p.label > 0.5) ? 1U : 0U;
    }
    return static_cast<double>(right) / static_cast<double>(held_out_.size());
  }

private:
  const network& net_;
  std::vector<point> training_, held_out_;
};

static_assert(tombola::objective<circle_objective>);  // or the compiler says what is missing

int main() {
  const std::vector<point> training = draw_points(1000, 1);
  network net{2};
  net.train(training, 100, 0.02);

  circle_objective objective{net, training, draw_points(1000, 3)};
  const tombola::prune_result found =
      tombola::prune(objective, {.share = 0.05, .rule = tombola::guard::drop(0.02)});

  const double before = found.steps.baseline, after = objective.metric(found.accepted);
  std::printf("all %zu neurons: accuracy %.3f\n", network::neurons, before);
  std::printf("%zu neurons:     accuracy %.3f\nsurvivors:", found.accepted.count(), after);
  for (std::size_t h = 0; h < network::neurons; ++h) {
    if (found.accepted[0][h]) std::printf(" %zu", h);
  }
  std::printf("\n");

  const bool learned = before > 0.9, held = after >= before - 0.02;
  const bool smaller = found.accepted.count() < network::neurons;
  return learned && held && smaller ? 0 : 1;
}
