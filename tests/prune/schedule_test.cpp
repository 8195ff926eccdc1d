#include "tombola/prune/schedule.hpp"

#include "tests/support/catch.hpp"

using namespace tombola;

TEST_CASE("halves round to the even number") {
  CHECK(round_half_even(0.5) == 0);
  CHECK(round_half_even(1.5) == 2);
  CHECK(round_half_even(2.5) == 2);
  CHECK(round_half_even(2.5000000001) == 3);
  CHECK(round_half_even(3.49) == 3);
  CHECK(round_half_even(0.0) == 0);
  CHECK(share_of(0.05, 10) == 0);
  CHECK(share_of(0.05, 30) == 2);
  CHECK(share_of(0.05, 70) == 4);
  CHECK_THROWS_AS(share_of(1.01, 3), input_error);
  CHECK_THROWS_AS(share_of(-0.1, 3), input_error);
  CHECK_THROWS_AS(share_of(std::nan(""), 3), input_error);
}

TEST_CASE("BERT-base's weights in steps of 5 percent") {
  // n_0 of the study; n_1 = n_0 - 4,250,880 and so on, n_30 by an independent computation.
  const auto left = survivors(share_of_left{0.05, 30}, 85'017'600);
  REQUIRE(left.size() == 31);
  CHECK(left[1] == 80'766'720);
  CHECK(left[2] == 76'728'384);
  CHECK(left[3] == 72'891'965);
  CHECK(left[13] == 43'643'112);
  CHECK(left[29] == 19'208'497);
  CHECK(left[30] == 18'248'072);
}

TEST_CASE("structured steps are rounded down and at least one") {
  CHECK(step_size(0.1, 144) == 14);
  CHECK(step_size(0.1, 12) == 1);
  CHECK(step_size(0.1, 9) == 1);
  CHECK(step_size(1.0, 9) == 9);
  CHECK(step_size(0.1, 30) == 3);
  CHECK_THROWS_AS(step_size(0.0, 9), input_error);
  CHECK_THROWS_AS(step_size(1.5, 9), input_error);
}

TEST_CASE("every schedule ends where its name says") {
  CHECK(survivors(one_shot{0.3}, 1000) == std::vector<std::size_t>{1000, 700});
  CHECK(one_shot{0.3}.remove(1, 1000, 800) == 100);  // 200 were gone before
  CHECK(one_shot{0.3}.remove(1, 1000, 600) == 0);
  CHECK(survivors(share_of_whole{0.4, 4}, 10) == std::vector<std::size_t>{10, 6, 2, 0, 0});
  // 1 - (1 - t/4)^3 of 80 % of 1000: 462.5, 700, 787.5, 800; halves to even.
  CHECK(survivors(cubic{0.8, 4}, 1000) == std::vector<std::size_t>{1000, 538, 300, 212, 200});
  // 1000 * 0.125^(t/3).
  CHECK(survivors(iterative{0.875, 3}, 1000) == std::vector<std::size_t>{1000, 500, 250, 125});
  CHECK(survivors(iterative{1.0, 2}, 7) == std::vector<std::size_t>{7, 0, 0});
  CHECK(survivors(share_of_left{0.5, 0}, 7) == std::vector<std::size_t>{7});
}

TEST_CASE("what is over is known where no later step removes anything") {
  CHECK(is_over(share_of_left{0.05, 1000}, 100, 10));
  CHECK_FALSE(is_over(share_of_left{0.05, 1000}, 100, 11));
  CHECK(is_over(share_of_whole{0.004, 1000}, 100, 100));
  CHECK(is_over(one_shot{0.3}, 1000, 700));
  // The first steps remove nothing, the last one does.
  CHECK(cubic{0.5, 1000}.remove(1, 100, 100) == 0);
  CHECK_FALSE(is_over(cubic{0.5, 1000}, 100, 100));
  CHECK(is_over(cubic{0.5, 1000}, 100, 50));
  CHECK(iterative{0.5, 1000}.remove(1, 100, 100) == 0);
  CHECK_FALSE(is_over(iterative{0.5, 1000}, 100, 51));
  CHECK(is_over(iterative{0.5, 1000}, 100, 50));
  // A schedule that says nothing of its later steps may have any.
  struct table_of_sizes {
    std::vector<std::size_t> sizes{3, 0, 2, 0};
    [[nodiscard]] std::size_t steps() const { return sizes.size(); }
    [[nodiscard]] std::size_t remove(std::size_t step, std::size_t, std::size_t) const {
      return sizes[step - 1];
    }
  };
  CHECK_FALSE(is_over(table_of_sizes{}, 10, 7));
  CHECK(survivors(table_of_sizes{}, 10) == std::vector<std::size_t>{10, 7, 7, 5, 5});
}

TEST_CASE("a schedule's share has to be one") {
  CHECK_THROWS_AS(survivors(one_shot{1.2}, 10), input_error);
  CHECK_THROWS_AS(survivors(cubic{-0.5, 4}, 10), input_error);
  CHECK_THROWS_AS(survivors(iterative{1.5, 4}, 10), input_error);
}
