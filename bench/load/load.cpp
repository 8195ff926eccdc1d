// How long does a checkpoint of BERT-base take from the system's cache: its tensors found, and all
// of it checked and copied into a model?

#include "bench/support/model_work.hpp"
#include <unistd.h>

#include "tombola/io/safetensors.hpp"
#include "tombola/nn/checkpoint.hpp"

int main(int argc, char** argv) {
  using namespace bench;
  const model_options o = read_model_options(argc, argv);
  const auto folder =
      std::filesystem::temp_directory_path() / ("tombola_bench_load_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const nn::bert_config c = shape_of("base");
  device_type device = make_default_backend(o.threads, product_precision::float32);
  nn::bert<device_type> model{device, c};
  nn::initialise(device, model.parameters(), 1);
  nn::save_model(model, folder);
  const auto file = folder / "model.safetensors";

  // The answer first: what was loaded is what was saved.
  nn::bert<device_type> again{device, c};
  static_cast<void>(nn::load_weights(again, folder, 0));
  const auto sum = [&](nn::bert<device_type>& m) {
    std::vector<float> all(m.parameters().layout().total());
    device.read(read_only(m.parameters().stored()), std::span<float>{all});
    std::uint64_t s = 0;
    for (const float x : all) s = s * 31 + std::bit_cast<std::uint32_t>(x);
    return s;
  };
  require_equal(sum(again), sum(model), "bits of the model");

  table t{"load", "s", o};
  const std::string megabytes =
      std::to_string(std::filesystem::file_size(file) / 1'000'000) + " MB, warm";
  t.ask({.name = "BERT-base, " + megabytes + ", into a model",
         .work = [&] { static_cast<void>(nn::load_weights(again, folder, 0)); },
         .rivals = {"load --shape base"},
         .threads = o.threads,
         .line = "load/safetensors load_file, into a model"});
  t.ask({.name = "BERT-base, " + megabytes + ", tensors found, nothing copied",
         .work = [&] { benchmark::DoNotOptimize(io::safetensors_file{file}.tensors().size()); },
         .rivals = {"load --shape base"},
         .threads = o.threads,
         .line = "load/safetensors load_file, mapped"});
  t.finish();
  std::filesystem::remove_all(folder);
}
