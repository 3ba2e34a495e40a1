#include "models/vision/preprocessor.h"
#include "models/io/config_reader.h"
#include "models/io/json_file.h"
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
  result.values = torch::empty({result.t * result.h * result.w, features}, torch::kFloat32);
  // As a table, so that equal bytes give equal values whatever the compiler makes of the loop below.
  std::array<std::array<float, 256>, 3> table;
  for (int channel = 0; channel < 3; ++channel)
    for (int value = 0; value < 256; ++value)
      table[channel][value] = float((value / 255.0 - mean[channel]) / deviation[channel]);
  float *out = result.values.data_ptr<float>();
  for (std::int64_t t = 0; t < result.t; ++t)
    for (std::int64_t y = 0; y < result.h; ++y)
      for (std::int64_t x = 0; x < result.w; ++x)
        for (int channel = 0; channel < 3; ++channel)
          for (std::int64_t k = 0; k < depth; ++k) {
            const auto rgb = frames.frame(int(std::min<std::int64_t>(t * depth + k, frames.count - 1)));
            for (std::int64_t row = 0; row < side; ++row)
              for (std::int64_t column = 0; column < side; ++column)
                *out++ = table[channel][rgb[3 * ((y * side + row) * width + x * side + column) + channel]];
          }
  return result;
}

namespace {

media::FrameSize readSize(const ConfigReader &reader, const nlohmann::json &object, const char *key,
                          std::int64_t side) {
  if (!reader.has(key))
    reader.corrupt(fmt::format("requires the key '{}'", key));
  const nlohmann::json &size = object[key];
  auto of = [&](const char *name) {
    const bool fits = size.is_object() && size.contains(name) && size[name].is_number_integer() &&
                      size[name].get<std::int64_t>() >= side && size[name].get<std::int64_t>() <= 8192 &&
                      size[name].get<std::int64_t>() % side == 0;
    if (!fits)
      reader.corrupt(
          fmt::format("'{}' must hold a 'height' and a 'width' that are multiples of the patch_size {}, at "
                      "most 8192, got {}",
                      key, side, size.dump()));
    return int(size[name].get<std::int64_t>());
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
