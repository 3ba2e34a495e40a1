// What tests/python compare with a transcription of the encoder.
//   vlm_probe new FOLDER SEED      the tiny model of the unit tests
//   vlm_probe encode FOLDER IN.safetensors OUT.safetensors
//       `frames` [T, H, W, 3] (u8) and `cotangent` [1, t h w, d] (f32) to `patches` [t h w, features],
//       `tokens` [1, t h w, d], the decoder's, and `gradient.NAME` of sum(tokens * cotangent) for each tensor
//       of encoder and projector
#include "runtime/core/error.h"
#include "runtime/io/safetensors_file.h"
#include "runtime/io/safetensors_writer.h"
#include "tests/unit/data_fixture.h"
#include <cstring>
#include <fmt/format.h>

namespace {

using namespace linmu;
using namespace linmu::models;

void encode(const std::filesystem::path &folder, const std::filesystem::path &in,
            const std::filesystem::path &out) {
  VisionLanguageModel model = VisionLanguageModel::open(folder);
  SafetensorsFile input = SafetensorsFile::open(in);
  const StoredTensor &stored = input.at("frames"), &cotangent = input.at("cotangent");
  media::Frames frames{.count = int(stored.shape[0]),
                       .size = {.width = int(stored.shape[2]), .height = int(stored.shape[1])},
                       .rgb = std::vector<std::uint8_t>(stored.bytes.size())};
  std::memcpy(frames.rgb.data(), stored.bytes.data(), stored.bytes.size());
  Patches patches = model.preprocessor.patchesOf(frames);
  std::map<std::string, torch::Tensor> results;
  model.eachVisionTensor([](const NamedTensor &entry) { entry.tensor.requires_grad_(); });
  const torch::Tensor values = model.preprocessor.valuesOf(patches.pixels);
  torch::Tensor tokens = model.visionTokens(values.unsqueeze(0), {0, patches.t, patches.h, patches.w});
  torch::Tensor weights = torch::empty(cotangent.shape, torch::kFloat32);
  std::memcpy(weights.data_ptr(), cotangent.bytes.data(), cotangent.bytes.size());
  (tokens * weights).sum().backward();
  results["patches"] = values;
  results["tokens"] = tokens.detach();
  model.eachVisionTensor(
      [&](const NamedTensor &entry) { results["gradient." + entry.name] = entry.tensor.grad(); });
  std::vector<TensorToStore> outputs;
  for (auto &[name, tensor] : results) {
    tensor = tensor.contiguous();
    outputs.push_back({name,
                       StoredType::f32,
                       tensor.sizes().vec(),
                       {static_cast<const std::byte *>(tensor.data_ptr()), std::size_t(tensor.nbytes())}});
  }
  writeSafetensors(out, outputs);
}

} // namespace

int main(int argc, char **argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  try {
    if (command == "new" && argc == 4)
      test::writeTinyVlm(argv[2], std::stoull(argv[3]));
    else if (command == "encode" && argc == 5)
      encode(argv[2], argv[3], argv[4]);
    else
      throw Error(ErrorCode::invalidArgument, "vlm_probe: see its source for the commands");
  } catch (const std::exception &error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
