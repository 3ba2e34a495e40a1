#include "models/vision/preprocessor.h"
#include "models/io/config_reader.h"
#include "models/io/json_file.h"
#include "models/io/json_integer.h"
#include <algorithm>

namespace linmu::models {

Patches PreprocessorConfig::patchesOf(const media::Frames &frames) const {
  const std::int64_t side = patch_side, depth = patch_frames, width = frames.size.width,
                     height = frames.size.height;
  if (frames.count < 1 || width < side || height < side || width % side || height % side ||
      frames.rgb.size() != frames.bytesPerFrame() * std::size_t(frames.count))
    throw Error(ErrorCode::invalidArgument,
                fmt::format("frames must have sides that are multiples of {} pixels, got {} of {} x {}", side,
                            frames.count, width, height));
  Patches result;
  result.t = (frames.count + depth - 1) / depth;
  result.h = height / side;
  result.w = width / side;
  const std::int64_t features = 3 * depth * side * side;
  result.pixels = torch::empty({result.t * result.h * result.w, features}, torch::kUInt8);
  std::uint8_t *out = result.pixels.data_ptr<std::uint8_t>();
  for (std::int64_t t = 0; t < result.t; ++t)
    for (std::int64_t y = 0; y < result.h; ++y)
      for (std::int64_t x = 0; x < result.w; ++x)
        for (int channel = 0; channel < 3; ++channel)
          for (std::int64_t k = 0; k < depth; ++k) {
            const auto rgb = frames.frame(int(std::min<std::int64_t>(t * depth + k, frames.count - 1)));
            for (std::int64_t row = 0; row < side; ++row)
              for (std::int64_t column = 0; column < side; ++column)
                *out++ = rgb[3 * ((y * side + row) * width + x * side + column) + channel];
          }
  return result;
}

torch::Tensor PreprocessorConfig::valuesOf(const torch::Tensor &pixels) const {
  if (pixels.scalar_type() == torch::kFloat32)
    return pixels;
  if (pixels.scalar_type() != torch::kUInt8 || pixels.dim() < 1 || pixels.size(-1) % 3)
    throw Error(ErrorCode::invalidArgument,
                fmt::format("patches must be f32, or u8 of three channels, got {} with {} features",
                            c10::toString(pixels.scalar_type()), pixels.dim() ? pixels.size(-1) : 0));
  // By a table in f64, made where the pixels are, so that equal bytes give equal values everywhere.
  const torch::Tensor shares =
      torch::arange(256, torch::dtype(torch::kFloat64).device(pixels.device())) / 255.0;
  const std::int64_t of_channel = pixels.size(-1) / 3;
  std::vector<torch::Tensor> channels;
  for (int channel = 0; channel < 3; ++channel) {
    const torch::Tensor table = ((shares - mean[channel]) / deviation[channel]).to(torch::kFloat32);
    torch::Tensor part = pixels.narrow(-1, channel * of_channel, of_channel);
    torch::Tensor values = table.index_select(0, part.reshape({-1}).to(torch::kInt32));
    channels.push_back(values.view(part.sizes()));
  }
  return torch::cat(channels, -1);
}

namespace {

media::FrameSize readSize(const ConfigReader &reader, const nlohmann::json &object, const char *key,
                          std::int64_t side) {
  if (!reader.has(key))
    reader.corrupt(fmt::format("requires the key '{}'", key));
  const nlohmann::json &size = object[key];
  auto of = [&](const char *name) {
    const auto extent =
        size.is_object() && size.contains(name) ? integerIn(size[name], side, 8192) : std::nullopt;
    if (!extent || *extent % side != 0)
      reader.corrupt(
          fmt::format("'{}' must hold a 'height' and a 'width' that are multiples of the patch_size {}, at "
                      "most 8192, got {}",
                      key, side, size.dump()));
    return int(*extent);
  };
  return {.width = of("width"), .height = of("height")};
}

std::array<double, 3> readChannels(const ConfigReader &reader, const nlohmann::json &object,
                                   const char *key) {
  const nlohmann::json value = reader.has(key) ? object[key] : nlohmann::json();
  const bool numbers = value.is_array() && value.size() == 3 &&
                       std::ranges::all_of(value, [](const auto &v) { return v.is_number(); });
  if (!numbers)
    reader.corrupt(fmt::format("'{}' must be a list of three numbers, got {}", key, value.dump()));
  return value.get<std::array<double, 3>>();
}

} // namespace

PreprocessorConfig readPreprocessorConfig(const std::filesystem::path &path, const VisionConfig &vision) {
  const nlohmann::json object = readJsonObject(path);
  ConfigReader reader(object, path.string());
  PreprocessorConfig config;
  config.patch_side = reader.integer("patch_size");
  config.patch_frames = reader.integer("temporal_patch_size");
  if (config.patch_side != vision.patch_side || config.patch_frames != vision.patch_frames)
    reader.corrupt(fmt::format("patches are {} x {} x {}, those of the encoder in config.json {} x {} x {}",
                               config.patch_frames, config.patch_side, config.patch_side, vision.patch_frames,
                               vision.patch_side, vision.patch_side));
  config.picture_size = readSize(reader, object, "image_size", config.patch_side);
  config.video_size = readSize(reader, object, "video_size", config.patch_side);
  config.video_frames = reader.integer("num_frames");
  if (config.video_frames < 1 || config.video_frames > 1 << 20 || config.video_frames % config.patch_frames)
    reader.corrupt(fmt::format("'num_frames' must be a multiple of the temporal_patch_size {}, got {}",
                               config.patch_frames, config.video_frames));
  config.mean = readChannels(reader, object, "image_mean");
  config.deviation = readChannels(reader, object, "image_std");
  if (std::ranges::any_of(config.deviation, [](double value) { return !(value > 0); }))
    reader.corrupt(fmt::format("'image_std' must be positive, got {}", object["image_std"].dump()));
  return config;
}

nlohmann::json toJson(const PreprocessorConfig &config) {
  auto size = [](media::FrameSize size) -> nlohmann::json {
    return {{"height", size.height}, {"width", size.width}};
  };
  return {{"image_processor_type", "LinMUImageProcessor"},
          {"patch_size", config.patch_side},
          {"temporal_patch_size", config.patch_frames},
          {"image_size", size(config.picture_size)},
          {"video_size", size(config.video_size)},
          {"num_frames", config.video_frames},
          {"image_mean", config.mean},
          {"image_std", config.deviation}};
}

} // namespace linmu::models
