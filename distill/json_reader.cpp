#include "distill/json_reader.h"
#include "models/io/json_integer.h"
#include "models/io/json_text.h"
#include "runtime/core/error.h"
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace linmu::distill {

using nlohmann::json;

JsonReader::JsonReader(const json &object, std::string origin, std::string path)
    : object_(object), origin_(std::move(origin)), path_(std::move(path)) {
  if (!object_.is_object())
    throw Error(ErrorCode::invalidArgument,
                fmt::format("{}: {}expected an object, got {}", origin_, path_.empty() ? "" : path_ + ": ",
                            object_.dump().substr(0, 60)));
}

std::string JsonReader::pathOf(const std::string &key) const {
  return path_.empty() ? key : path_ + "." + key;
}

void JsonReader::refuse(const std::string &key, const std::string &message) const {
  throw Error(ErrorCode::invalidArgument, fmt::format("{}: {}: {}", origin_, pathOf(key), message));
}

void JsonReader::refuseValue(const std::string &key, const std::string &expected) const {
  refuse(key, fmt::format(
                  "expected {}, got {}", expected,
                  has(key) ? object_[key].dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 60)
                           : "nothing"));
}

void JsonReader::refuseChoice(const std::string &key, const std::vector<std::string_view> &names) const {
  refuseValue(key, fmt::format("one of \"{}\"", fmt::join(names, "\", \"")));
}

const json *JsonReader::take(const std::string &key) {
  taken_.insert(key);
  auto found = object_.find(key);
  return found == object_.end() ? nullptr : &*found;
}

std::string JsonReader::string(const std::string &key, std::optional<std::string> otherwise) {
  const json *value = take(key);
  if (!value && otherwise)
    return *otherwise;
  if (!value || !value->is_string())
    refuseValue(key, "a text");
  return value->get<std::string>();
}

std::string JsonReader::path(const std::string &key) {
  std::string text = string(key);
  if (!models::isPath(text))
    refuseValue(key, "a path");
  return text;
}

bool JsonReader::boolean(const std::string &key, bool otherwise) {
  const json *value = take(key);
  if (!value)
    return otherwise;
  if (!value->is_boolean())
    refuseValue(key, "true or false");
  return value->get<bool>();
}

double JsonReader::number(const std::string &key, double otherwise, double least, double most) {
  const json *value = take(key);
  if (!value)
    return otherwise;
  if (!value->is_number() || !(value->get<double>() >= least && value->get<double>() <= most))
    refuseValue(key, fmt::format("a number from {} to {}", least, most));
  return value->get<double>();
}

std::int64_t JsonReader::integer(const std::string &key, std::optional<std::int64_t> otherwise,
                                 std::int64_t least, std::int64_t most) {
  const json *value = take(key);
  if (!value && otherwise)
    return *otherwise;
  const auto integer = value ? models::integerIn(*value, least, most) : std::nullopt;
  if (!integer)
    refuseValue(key, fmt::format("a whole number from {} to {}", least, most));
  return *integer;
}

std::vector<std::string> JsonReader::strings(const std::string &key, std::vector<std::string> otherwise) {
  const json *value = take(key);
  if (!value)
    return otherwise;
  bool fits = value->is_array();
  for (const json &element : fits ? *value : json::array())
    fits &= element.is_string();
  if (!fits)
    refuseValue(key, "a list of texts");
  return value->get<std::vector<std::string>>();
}

JsonReader JsonReader::object(const std::string &key) {
  const json *value = take(key);
  return {value ? *value : json::object(), origin_, pathOf(key)};
}

std::vector<JsonReader> JsonReader::objects(const std::string &key) {
  const json *value = take(key);
  if (!value || !value->is_array() || value->empty())
    refuseValue(key, "a list of objects, at least one");
  std::vector<JsonReader> readers;
  for (std::size_t i = 0; i < value->size(); ++i)
    readers.emplace_back((*value)[i], origin_, fmt::format("{}[{}]", pathOf(key), i));
  return readers;
}

json JsonReader::any(const std::string &key) {
  const json *value = take(key);
  return value ? *value : json();
}

void JsonReader::requireAllTaken() const {
  for (const auto &[key, value] : object_.items())
    if (!taken_.contains(key))
      refuse(key, fmt::format("there is no such key; known are {}", fmt::join(taken_, ", ")));
}

} // namespace linmu::distill
