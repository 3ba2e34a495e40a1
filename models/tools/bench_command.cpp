// linmu bench: what mixing tokens takes in one layer of a model's shape, by the number of tokens.
#include "models/decoder/threads.h"
#include "models/io/json_file.h"
#include "models/report/table.h"
#include "models/tools/commands.h"
#include "models/tools/device_option.h"
#include "models/tools/layer_times.h"
#include "models/tools/patience.h"
#include "models/tools/whole_number.h"
#include "runtime/core/error.h"
#include "runtime/core/settings.h"
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <optional>

namespace linmu::tools {
namespace {

struct Arguments {
  std::string model, mixer = "{}", device = "cpu", precision = "f32";
  std::vector<std::int64_t> tokens{1024, 4096, 16384}, frame{16, 16};
  std::int64_t batch = 1, repeats = 5;
  bool gradients = false, json = false;
};

/// The decoder's shape of a folder, or of a config.json by itself.
models::DecoderConfig shapeOf(const std::string &model) {
  std::filesystem::path path = model;
  if (std::filesystem::is_directory(path))
    path /= "config.json";
  const nlohmann::json config = models::readJsonObject(path);
  const bool has_text = config.contains("text_config");
  return models::readConfigJson(has_text ? config["text_config"] : config, path.string());
}

void run(const Arguments &arguments) {
  models::setTorchThreads(Settings::current().threads);
  LayerTimesOptions options;
  options.shape = shapeOf(arguments.model);
  options.mixer = models::MMateConfig::fromJson(arguments.mixer);
  options.device = deviceOf(arguments.device);
  options.bf16 = arguments.precision == "bf16";
  options.gradients = arguments.gradients;
  options.batch = arguments.batch;
  options.frame = {arguments.frame[0], arguments.frame[1]};
  options.repeats = arguments.repeats;
  for (std::int64_t tokens : arguments.tokens)
    options.check(tokens);
  LayerTimes times(options);
  report::Table table{{"tokens"}, {}};
  for (const char *mixer : LayerTimes::mixers)
    table.header.push_back(mixer);
  for (std::int64_t tokens : arguments.tokens) {
    std::vector<std::string> row{std::to_string(tokens)};
    for (const char *mixer : LayerTimes::mixers) {
      std::optional<Patience> patience(fmt::format("timing {} on {} tokens", mixer, tokens));
      const LayerTime time = times.of(mixer, tokens);
      patience.reset();
      row.push_back(fmt::format("{:.3g} ms", 1e3 * time.seconds) +
                    (time.bytes ? fmt::format(", {:.0f} MiB", *time.bytes / (1 << 20)) : ""));
      if (!arguments.json)
        continue;
      nlohmann::ordered_json line = {{"tokens", tokens}, {"mixer", mixer}, {"seconds", time.seconds}};
      if (time.bytes)
        line["bytes"] = *time.bytes;
      fmt::print("{}\n", line.dump());
      std::fflush(stdout);
    }
    table.rows.push_back(row);
  }
  if (!arguments.json)
    fmt::print("{}", report::formatTable(table));
}

} // namespace

void addBench(CLI::App &app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App *command = app.add_subcommand(
      "bench", "Time the token mixing of one layer: attention, M-MATE and each of its branches");
  command->add_option("MODEL", arguments->model, "A model's folder or its config.json; weights are random")
      ->required();
  addWholeNumbers(*command, "--tokens", arguments->tokens, "Of a video (1024,4096,16384)")
      ->check(CLI::Range(1, 1 << 30))
      ->delimiter(',');
  addWholeNumbers(*command, "--frame", arguments->frame, "Rows and columns of tokens (16,16)")
      ->check(CLI::Range(1, 65536))
      ->delimiter(',')
      ->expected(2);
  addWholeNumber(*command, "--batch", arguments->batch, "Sequences (1)")->check(CLI::Range(1, 65536));
  addWholeNumber(*command, "--repeats", arguments->repeats, "Of which the median counts (5)")
      ->check(CLI::Range(1, 10000));
  command->add_option("--mixer", arguments->mixer, "M-MATE's configuration, as in recipes");
  command->add_flag("--gradients", arguments->gradients, "Forward and backward");
  addDevice(*command, arguments->device);
  command->add_option("--precision", arguments->precision, "Of products: f32 (default) or bf16")
      ->check(CLI::IsMember({"f32", "bf16"}));
  command->add_flag("--json", arguments->json, "A line of JSON for each figure");
  command->callback([arguments] { run(*arguments); });
}

} // namespace linmu::tools
