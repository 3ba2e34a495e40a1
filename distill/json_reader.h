// Reading a JSON object of which every key must be known.
#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace linmu::distill {

/// Takes values by key. Each function throws Error(invalidArgument) of one sentence, "ORIGIN: PATH: expected
/// ..., got ...", where PATH is like stages[1].losses.token.
class JsonReader {
public:
  /// Throws for what is no object.
  JsonReader(const nlohmann::json &object, std::string origin, std::string path = {});

  bool has(const std::string &key) const { return object_.contains(key); }

  std::string string(const std::string &key, std::optional<std::string> otherwise = {});
  /// A text that names a file or folder.
  std::string path(const std::string &key);
  bool boolean(const std::string &key, bool otherwise);
  /// least <= value <= most
  double number(const std::string &key, double otherwise, double least, double most);
  std::int64_t integer(const std::string &key, std::optional<std::int64_t> otherwise, std::int64_t least,
                       std::int64_t most = std::int64_t(1) << 40);
  /// One of the names of `choices`.
  template <typename T>
  T choice(const std::string &key, T otherwise, const std::vector<std::pair<std::string_view, T>> &choices) {
    if (!has(key))
      return otherwise;
    std::vector<std::string_view> names;
    std::string given = string(key);
    for (const auto &[name, value] : choices) {
      if (name == given)
        return value;
      names.push_back(name);
    }
    refuseChoice(key, names);
  }
  std::vector<std::string> strings(const std::string &key, std::vector<std::string> otherwise);
  /// An empty object where there is none.
  JsonReader object(const std::string &key);
  /// The elements of an array of objects.
  std::vector<JsonReader> objects(const std::string &key);
  /// Whatever it is.
  nlohmann::json any(const std::string &key);

  /// Throws for the first key that nobody took.
  void requireAllTaken() const;
  [[noreturn]] void refuse(const std::string &key, const std::string &message) const;

private:
  const nlohmann::json *take(const std::string &key);
  [[noreturn]] void refuseValue(const std::string &key, const std::string &expected) const;
  [[noreturn]] void refuseChoice(const std::string &key, const std::vector<std::string_view> &names) const;
  std::string pathOf(const std::string &key) const;

  nlohmann::json object_;
  std::string origin_, path_;
  std::set<std::string> taken_;
};

} // namespace linmu::distill
