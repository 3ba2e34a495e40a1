#include "models/mmate/mmate_config.h"
#include "models/io/json_integer.h"
#include "models/io/json_text.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <nlohmann/json.hpp>

namespace linmu::models {

MMateConfig MMateConfig::preset(std::string_view name) {
  MMateConfig config;
  if (name == "safe")
    return config;
  if (name != "paper")
    throw Error(ErrorCode::invalidArgument,
                "M-MATE preset: expected 'paper' or 'safe', got '" + std::string(name) + "'");
  config.reverse_target = ReverseTarget::all;
  config.reverse_scope = ReverseScope::sequence;
  config.reverse_decays_over_text = true;
  config.gate_is_one_on_text = false;
  config.lambda_is_one_on_text = false;
  config.short_convolution = false;
  config.scan_norm = false;
  config.output_norm = true;
  config.join_wrapped = true;
  return config;
}

namespace {

const char *branchesName(MMateConfig::Branches branches) {
  switch (branches) {
  case MMateConfig::Branches::flex:
    return "flex";
  case MMateConfig::Branches::swin:
    return "swin";
  default:
    return "both";
  }
}

/// Calls `visit(name, member)` for each boolean key.
template <typename Config, typename Visit> void eachFlag(Config &config, Visit &&visit) {
  visit("reverse_decays_over_text", config.reverse_decays_over_text);
  visit("gate_is_one_on_text", config.gate_is_one_on_text);
  visit("lambda_is_one_on_text", config.lambda_is_one_on_text);
  visit("short_convolution", config.short_convolution);
  visit("scan_norm", config.scan_norm);
  visit("output_norm", config.output_norm);
  visit("join_wrapped", config.join_wrapped);
}

[[noreturn]] void refuse(const std::string &key, const std::string &expected, const nlohmann::json &actual) {
  throw Error(ErrorCode::invalidArgument,
              "M-MATE key '" + key + "': expected " + expected + ", got " + actual.dump());
}

/// More tokens than this on an axis is no window that a sequence of 2^31 tokens could fill, nor is a window
/// of more tokens than `largestVolume`.
constexpr std::int64_t largestWindow = 1 << 16, largestVolume = INT32_MAX;

template <std::size_t Axes>
void readWindow(const std::string &key, const nlohmann::json &value, std::array<std::int64_t, Axes> &window) {
  const auto extents = integersIn(value, 1, largestWindow);
  if (!extents || extents->size() != Axes)
    refuse(key, std::to_string(Axes) + " whole numbers from 1 to " + std::to_string(largestWindow), value);
  std::ranges::copy(*extents, window.begin());
  // Products of three sizes fit 64 bits.
  std::int64_t volume = 1;
  for (std::int64_t extent : window)
    volume *= extent;
  if (volume > largestVolume)
    refuse(key, "a product of at most " + std::to_string(largestVolume), value);
}

} // namespace

std::string MMateConfig::toJson() const {
  nlohmann::ordered_json json;
  json["branches"] = branchesName(branches);
  json["reverse_target"] = reverse_target == ReverseTarget::all ? "all" : "vision";
  json["reverse_scope"] = reverse_scope == ReverseScope::sequence ? "sequence" : "segment";
  eachFlag(*this, [&](const char *name, bool value) { json[name] = value; });
  json["norm_epsilon"] = norm_epsilon;
  json["video_window"] = video_window;
  json["image_window"] = image_window;
  return json.dump(2);
}

MMateConfig MMateConfig::fromJson(const std::string &text) {
  nlohmann::json json = parseJson(text);
  if (!json.is_object())
    throw Error(ErrorCode::invalidArgument,
                "M-MATE configuration: expected a JSON object, got '" + text.substr(0, 40) + "'");
  MMateConfig config;
  if (auto name = json.find("preset"); name != json.end()) {
    if (!name->is_string())
      refuse("preset", "'paper' or 'safe'", *name);
    config = preset(name->get<std::string>());
  }
  for (auto &[key, value] : json.items()) {
    if (key == "preset")
      continue;
    if (key == "branches") {
      if (value != "both" && value != "flex" && value != "swin")
        refuse(key, "\"both\", \"flex\" or \"swin\"", value);
      config.branches = value == "both" ? Branches::both : value == "flex" ? Branches::flex : Branches::swin;
      continue;
    }
    if (key == "reverse_target") {
      if (value != "all" && value != "vision")
        refuse(key, "\"all\" or \"vision\"", value);
      config.reverse_target = value == "all" ? ReverseTarget::all : ReverseTarget::vision;
      continue;
    }
    if (key == "reverse_scope") {
      if (value != "sequence" && value != "segment")
        refuse(key, "\"sequence\" or \"segment\"", value);
      config.reverse_scope = value == "sequence" ? ReverseScope::sequence : ReverseScope::segment;
      continue;
    }
    if (key == "norm_epsilon") {
      if (!value.is_number() || value.get<double>() <= 0)
        refuse(key, "a positive number", value);
      config.norm_epsilon = value;
      continue;
    }
    if (key == "video_window" || key == "image_window") {
      key == "video_window" ? readWindow(key, value, config.video_window)
                            : readWindow(key, value, config.image_window);
      continue;
    }
    bool known = false;
    eachFlag(config, [&, &key = key, &value = value](const char *name, bool &flag) {
      if (key != name)
        return;
      if (!value.is_boolean())
        refuse(key, "true or false", value);
      flag = value;
      known = true;
    });
    if (!known)
      throw Error(ErrorCode::invalidArgument, "M-MATE configuration: there is no key '" + key + "'");
  }
  return config;
}

} // namespace linmu::models
