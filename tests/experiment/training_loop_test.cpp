// Training that goes wrong: it stops at its step, and the last good checkpoint stays.

#include "tombola/experiment/training_loop.hpp"

#include <cstdint>
#include <limits>
#include <string>

#include "tests/io/scratch.hpp"
#include "tests/nn/tiny_model.hpp"
#include <nlohmann/json.hpp>

using namespace tombola;
using namespace tombola::test;
namespace fs = std::filesystem;

namespace {

using backend_type = reference_backend<float>;
constexpr std::size_t per_epoch = 10, none = 1000;

/// Two epochs of ten batches; in one of them a target may be no number.
struct trainee {
  double rate = 1e-3;
  std::size_t poisoned = none;  ///< batch, from the beginning
  std::size_t stop_after = none;
  double checkpoint_seconds = 1e9;
  std::size_t accumulation = 1;

  /// Trains, from the state in the file if there is one, and returns the weights.
  std::vector<float> train(const fs::path& state) const {
    backend_type b;
    nn::bert<backend_type> model{b, tiny_config(nn::head_kind::regression)};
    randomise(model, 3);
    experiment::observer watch;
    std::size_t asked = 0;
    const std::size_t stop = stop_after;
    watch.stop = [&asked, stop] { return ++asked == stop; };
    const experiment::loop_plan plan{.name = "train",
                                     .examples = 3 * per_epoch,
                                     .batch = 3,
                                     .epochs = 2,
                                     .accumulation = accumulation,
                                     .seed = 5,
                                     .checkpoint_seconds = checkpoint_seconds};
    experiment::training_loop<backend_type> loop{model,       {.rate = rate}, plan,
                                                 tiny_limits, state,          watch};
    (void)loop.run([&](std::span<const std::size_t> order, std::size_t first, std::size_t,
                       std::uint32_t epoch, packed_batch& batch) {
      batch = tiny_batch(nn::head_kind::regression, static_cast<std::uint32_t>(first));
      batch.targets[1] = static_cast<float>(order[first]) / 10.0F;
      if (epoch * per_epoch + first / 3 == poisoned) {
        batch.targets[2] = std::numeric_limits<float>::quiet_NaN();
      }
    });
    return values_of(b, model.parameters().stored());
  }
  std::string failure(const fs::path& state) const {
    return sentence<runtime_failure>([&] { (void)train(state); });
  }
};

}  // namespace

TEST_CASE("a loss that becomes NaN: the step, and the checkpoint before it") {
  const scratch_folder folder;
  const fs::path state = folder / "state.safetensors", expected = folder / "expected.safetensors";
  const std::vector<float> whole = trainee{}.train(state);
  CHECK_FALSE(fs::exists(state));

  // A state that every batch writes: the last is that of the batch before the bad one.
  for (const std::size_t poisoned : {1UL, 9UL, 10UL, 13UL, 19UL}) {
    INFO("batch " << poisoned);
    fs::remove(state);
    fs::remove(expected);
    const std::string place = "step " + std::to_string(poisoned + 1) + " (epoch " +
                              std::to_string(poisoned / per_epoch + 1) + ", batch " +
                              std::to_string(poisoned % per_epoch + 1) + ")";
    const trainee bad{.poisoned = poisoned, .checkpoint_seconds = -1.0};
    const std::string said = bad.failure(state);
    CHECK(said == "train: the loss became NaN or infinite in " + place +
                      "; the last good checkpoint is " + state.string());
    CHECK_THROWS_AS(trainee{.stop_after = poisoned}.train(expected), experiment::interrupted);
    const nn::bert_config c = tiny_config(nn::head_kind::regression);
    backend_type b;
    nn::bert<backend_type> one{b, c}, two{b, c};
    nn::optimizer<backend_type> o{b, one.parameters(), {}}, p{b, two.parameters(), {}};
    const auto notes = nn::load_state(state, one, o);
    CHECK(notes.at("batch") == nn::load_state(expected, two, p).at("batch"));
    CHECK(values_of(b, one.parameters().stored()) == values_of(b, two.parameters().stored()));
    CHECK(o.steps() == poisoned);
    // The same once more, from the state; and with the data mended the end of a run that was never
    // disturbed.
    const std::string before = get(state);
    CHECK(bad.failure(state) == said);
    CHECK(get(state) == before);
    CHECK(trainee{}.train(state) == whole);
  }
}

TEST_CASE("a training state is believed where it says a place in this training") {
  const scratch_folder folder;
  const fs::path state = folder / "state.safetensors";
  const trainee half{.accumulation = 2};
  const std::vector<float> whole = half.train(state);
  CHECK_THROWS_AS((trainee{.stop_after = 13, .accumulation = 2}.train(state)),
                  experiment::interrupted);
  const std::string good = get(state);
  const auto with = [&](const std::string& name, const std::string& value) {
    const std::uint64_t size =
        static_cast<unsigned char>(good[0]) +
        256U * static_cast<std::uint64_t>(static_cast<unsigned char>(good[1]));
    auto header = nlohmann::json::parse(good.substr(8, size));
    header.at("__metadata__").at(name) = value;
    const std::string text = header.dump();
    std::string bytes(8, '\0');
    bytes[0] = static_cast<char>(text.size() % 256);
    bytes[1] = static_cast<char>(text.size() / 256);
    put(state, bytes + text + good.substr(8 + size));
  };
  const auto refused = [&](const std::string& name, const std::string& value,
                           const std::string& expected) {
    INFO(name << " " << value);
    with(name, value);
    CHECK(sentence<format_error>([&] { (void)half.train(state); }) ==
          state.string() + ": has the note " + name + " '" + value + "', expected " + expected);
  };
  // Batch 13 of two epochs of ten: six steps of two batches, five of them in the first epoch.
  const std::string epochs = "a whole number from 0 to 1", batches = "a whole number from 1 to 10";
  for (const char* epoch : {"2", "7", "12abc", "-1", "", " 1", "1.0", "4294967297"}) {
    refused("epoch", epoch, epochs);
  }
  for (const char* batch : {"0", "-1", "11", "100000", "3 ", "99999999999999999999"}) {
    refused("batch", batch, batches);
  }
  for (const char* steps : {"0", "5", "7", "99999"}) refused("optimizer_steps", steps, "6");
  // Another place than the one that the steps belong to.
  with("epoch", "0");
  CHECK(sentence<format_error>([&] { (void)half.train(state); }) ==
        state.string() + ": has the note optimizer_steps '6', expected 1");
  const std::string number = "a finite number such as 0x1.8p+0";
  for (const char* sum : {"nan", "inf", "-inf", "0xinf", "1.5", "0x1p+2000", "0x1p+2x", "0x", ""}) {
    refused("loss_sum", sum, number);
    refused("last_epoch_loss", sum, number);
    refused("seconds", sum, number);
  }
  for (const char* tokens : {"12", "18446744073709551615", "-1"}) {
    with("tokens", tokens);
    CHECK(sentence<format_error>([&] { (void)half.train(state); })
              .starts_with(state.string() + ": has the note tokens '" + tokens +
                           "', expected a whole number from 13 to "));
  }
  with("loss_count", "2");
  CHECK(sentence<format_error>([&] { (void)half.train(state); })
            .starts_with(state.string() + ": has the note loss_count '2', expected a whole number "
                                          "from 3 to "));
  put(state, good);
  CHECK(half.train(state) == whole);
}

TEST_CASE("a loss that becomes NaN before any checkpoint, and between two") {
  const scratch_folder folder;
  const fs::path state = folder / "state.safetensors";
  CHECK(trainee{.poisoned = 13}.failure(state) ==
        "train: the loss became NaN or infinite in step 14 (epoch 2, batch 4); no checkpoint had "
        "been written yet");
  CHECK(folder.names().empty());
  // Half a step's gradients are pending: the step is the one that they belong to.
  CHECK(trainee{.poisoned = 13, .accumulation = 2}.failure(state) ==
        "train: the loss became NaN or infinite in step 7 (epoch 2, batch 4); no checkpoint had "
        "been written yet");
  CHECK_THROWS_AS(trainee{.stop_after = 4}.train(state), experiment::interrupted);
  const std::string good = get(state);
  CHECK(trainee{.poisoned = 13}.failure(state).ends_with("is " + state.string()));
  CHECK(get(state) == good);
}

TEST_CASE("a step too large for a float: no infinite weight is saved or comes out") {
  const scratch_folder folder;
  const fs::path state = folder / "state.safetensors";
  CHECK_THROWS_AS(trainee{.stop_after = 2}.train(state), experiment::interrupted);
  const std::string good = get(state);
  const std::string said = trainee{.rate = 1e40, .checkpoint_seconds = -1.0}.failure(state);
  CHECK(said ==
        "train: a weight became NaN or infinite in or before step 3 (epoch 1, batch 3); "
        "the last good checkpoint is " +
            state.string());
  CHECK(get(state) == good);
  // In the very last step, which no loss sees.
  CHECK_THROWS_AS((trainee{.stop_after = 19}.train(folder / "last")), experiment::interrupted);
  const std::string last = trainee{.rate = 1e41}.failure(folder / "last");
  CHECK(
      last.starts_with("train: a weight became NaN or infinite in or before step 20 (epoch 2, "
                       "batch 10)"));
}
