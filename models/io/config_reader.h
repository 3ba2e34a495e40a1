// Typed values of a JSON object of a checkpoint, with errors that name file and key.
#pragma once
#include "models/io/json_integer.h"
#include "runtime/core/error.h"
#include <cstdint>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <string>

namespace linmu::models {

/// The values of an object by key; null counts as absent.
class ConfigReader {
public:
  ConfigReader(const nlohmann::json &object, std::string origin)
      : object_(object), origin_(std::move(origin)) {}

  bool has(const char *key) const { return object_.contains(key) && !object_[key].is_null(); }

  std::int64_t integer(const char *key) const {
    if (!has(key))
      corrupt(fmt::format("requires the key '{}'", key));
    return integer(key, 0);
  }
  std::int64_t integer(const char *key, std::int64_t otherwise) const {
    if (!has(key))
      return otherwise;
    const auto value = integerIn(object_[key], INT64_MIN, INT64_MAX);
    if (!value)
      corrupt(fmt::format("'{}' must be an integer, got {}", key, object_[key].dump()));
    return *value;
  }
  double number(const char *key, double otherwise) const {
    if (!has(key))
      return otherwise;
    if (!object_[key].is_number())
      corrupt(fmt::format("'{}' must be a number, got {}", key, object_[key].dump()));
    return object_[key].get<double>();
  }
  bool boolean(const char *key, bool otherwise) const {
    if (!has(key))
      return otherwise;
    if (!object_[key].is_boolean())
      corrupt(fmt::format("'{}' must be true or false, got {}", key, object_[key].dump()));
    return object_[key].get<bool>();
  }
  std::string string(const char *key, const char *otherwise) const {
    if (!has(key))
      return otherwise;
    if (!object_[key].is_string())
      corrupt(fmt::format("'{}' must be a string, got {}", key, object_[key].dump()));
    return object_[key].get<std::string>();
  }
  [[noreturn]] void corrupt(const std::string &message) const {
    throw Error(ErrorCode::corruptFile, fmt::format("{}: {}", origin_, message));
  }
  [[noreturn]] void unsupported(const std::string &message) const {
    throw Error(ErrorCode::unsupported, fmt::format("{}: {}", origin_, message));
  }

private:
  const nlohmann::json &object_;
  std::string origin_;
};

} // namespace linmu::models
