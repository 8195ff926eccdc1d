// What share of the machine's plain Eigen product peak do the tiled, threaded products reach?

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <system_error>
#include <vector>

#include <Eigen/Core>

#include "tombola/eigen/backend.hpp"

using namespace tombola;

namespace {

using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

view<float> whole(matrix& m) {
  return {m.data(), static_cast<std::size_t>(m.rows()), static_cast<std::size_t>(m.cols())};
}

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// y = x w^T and its two gradients, as a layer of a model asks for them.
struct shape {
  const char* name;
  Eigen::Index tokens, outputs, inputs;
};

constexpr shape shapes[] = {
    {"minilm qkv", 416, 1152, 384},         {"minilm attention output", 416, 384, 384},
    {"minilm up", 416, 1536, 384},          {"minilm down", 416, 384, 1536},
    {"minilm up, long", 2000, 1536, 384},   {"bert-base qkv", 416, 2304, 768},
    {"bert-base up", 416, 3072, 768},       {"bert-base down", 416, 768, 3072},
    {"bert-base up, long", 2000, 3072, 768}};

// Every thread multiplies matrices of its own with one Eigen expression: nothing is shared, and the
// size is one at which Eigen is at its best.
class peak {
public:
  explicit peak(int threads)
      : a_(static_cast<std::size_t>(threads), matrix::Random(size, size)), b_{a_}, c_{a_} {}

  double gflops() {
    const auto n = static_cast<std::ptrdiff_t>(a_.size());
    const double time = seconds([&] {
#ifdef _OPENMP
#pragma omp parallel for num_threads(static_cast <int>(n))
#endif
      for (std::ptrdiff_t i = 0; i < n; ++i) {
        const auto t = static_cast<std::size_t>(i);
        c_[t].noalias() = a_[t] * b_[t].transpose();
      }
    });
    return 2e-9 * std::pow(static_cast<double>(size), 3) * static_cast<double>(n) / time;
  }

private:
  static constexpr Eigen::Index size = 768;
  std::vector<matrix> a_, b_, c_;
};

class layer {
public:
  explicit layer(const shape& s)
      : s_{s},
        x_{matrix::Random(s.tokens, s.inputs)},
        w_{matrix::Random(s.outputs, s.inputs)},
        dy_{matrix::Random(s.tokens, s.outputs)},
        y_(s.tokens, s.outputs),
        dx_(s.tokens, s.inputs),
        dw_{matrix::Zero(s.outputs, s.inputs)} {}

  // GFLOP/s of the three products.
  double gflops(eigen::backend<float>& b, int product) {
    const double work = 2e-9 * static_cast<double>(s_.tokens) * static_cast<double>(s_.outputs) *
                        static_cast<double>(s_.inputs);
    return work / seconds([&] {
             if (product == 0) perform(b, linear<float>{whole(x_), whole(w_), {}, whole(y_)});
             if (product == 1) {
               perform(b, linear_input_gradient<float>{whole(dy_), whole(w_), {}, whole(dx_)});
             }
             if (product == 2) {
               perform(b,
                       linear_weight_gradient<float, float>{whole(dy_), whole(x_), whole(dw_), {}});
             }
           });
  }

  // Whether the three agree with Eigen's expressions, to what float rounds.
  bool right(eigen::backend<float>& b) {
    dw_.setZero();
    for (int product = 0; product < 3; ++product) gflops(b, product);
    const matrix y = x_ * w_.transpose(), dx = dy_ * w_, dw = dy_.transpose() * x_;
    const auto close = [](const matrix& p, const matrix& q) {
      return (p - q).cwiseAbs().maxCoeff() <= 1e-4F * q.cwiseAbs().maxCoeff();
    };
    return close(y_, y) && close(dx_, dx) && close(dw_, dw);
  }

private:
  shape s_;
  matrix x_, w_, dy_, y_, dx_, dw_;
};

struct row {
  int threads = 1;
  double peak = 0.0;           // GFLOP/s, best of the repetitions
  double ours[3] = {0, 0, 0};  // forward, input gradient, weight gradient
};

// Peak and products take turns, so that a noisy moment hits both.
row measure(const shape& s, int threads, int repetitions) {
  eigen::backend<float> b{threads};
  layer l{s};
  if (!l.right(b)) {
    std::fprintf(stderr, "%s: the products differ from Eigen's\n", s.name);
    std::exit(1);
  }
  peak p{threads};
  row r;
  r.threads = threads;
  for (int i = 0; i < repetitions; ++i) {
    r.peak = std::max(r.peak, p.gflops());
    for (int k = 0; k < 3; ++k) r.ours[k] = std::max(r.ours[k], l.gflops(b, k));
  }
  return r;
}

// The number that a word is, 0 where it is none.
int whole_number(const std::string& word) {
  int n = 0;
  const auto r = std::from_chars(word.data(), word.data() + word.size(), n);
  return r.ec == std::errc{} && r.ptr == word.data() + word.size() ? n : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int most = argc > 1 ? whole_number(argv[1]) : 2;
  const int repetitions = argc > 2 ? whole_number(argv[2]) : 10;
  if (most < 1 || most > 1024 || repetitions < 1) {
    std::fprintf(stderr, "usage: %s [threads, 1 to 1024] [repetitions, 1 or more]\n", argv[0]);
    return 2;
  }
  Eigen::setNbThreads(1);  // the peak's expressions run on the thread that they are written on

  std::printf("%-24s %7s %6s   forward  d input  d weight   (GFLOP/s, share of peak)\n", "shape",
              "threads", "peak");
  std::string json;
  double least = 1e9, log_sum = 0.0;
  int count = 0;
  for (const int threads : {1, most}) {
    if (threads == 1 && count > 0) break;
    for (const shape& s : shapes) {
      const row r = measure(s, threads, repetitions);
      std::printf("%-24s %7d %6.0f ", s.name, threads, r.peak);
      json += std::string{json.empty() ? "" : ","} + "{\"shape\":\"" + s.name +
              "\",\"threads\":" + std::to_string(threads) + ",\"peak\":" + std::to_string(r.peak);
      const char* names[] = {"forward", "input_gradient", "weight_gradient"};
      for (int k = 0; k < 3; ++k) {
        const double share = r.ours[k] / r.peak;
        std::printf(" %4.0f %3.0f%%", r.ours[k], 100.0 * share);
        json += std::string{",\""} + names[k] + "\":" + std::to_string(r.ours[k]);
        least = std::min(least, share);
        log_sum += std::log(share);
        ++count;
      }
      std::printf("\n");
      json += "}";
    }
  }
  std::printf(
      "{\"bench\":\"products\",\"unit\":\"GFLOP/s\",\"mean_share\":%.3f,\"least_share\":%.3f,"
      "\"rows\":[%s]}\n",
      std::exp(log_sum / count), least, json.c_str());
  return 0;
}
