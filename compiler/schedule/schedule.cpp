#include "compiler/schedule/schedule.h"
#include "compiler/schedule/key_space.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FormatVariadic.h"

using namespace linmu;
using llvm::StringRef;

namespace {
/// Reads one value into the schedule, as its key says; false where the text is no such value.
struct Reader {
  StringRef text;
  Schedule &schedule;

  bool integer(std::int64_t minimum, std::int64_t maximum, std::int64_t multiple, std::int64_t &field) const {
    std::int64_t value = 0;
    if (text.getAsInteger(10, value) || value < minimum || value > maximum || value % multiple != 0)
      return false;
    field = value;
    return true;
  }
  bool operator()(const NumberKey &key) const {
    return integer(key.minimum, key.maximum, key.multiple, schedule.*key.field);
  }
  bool operator()(const CostKey &key) const {
    return integer(key.minimum, key.maximum, 1, schedule.costs.*key.field);
  }
  bool operator()(const FlagKey &key) const {
    schedule.*key.field = text == "true";
    return text == "true" || text == "false";
  }
  bool operator()(const AlgorithmKey &) const {
    for (Algorithm algorithm : algorithms)
      if (text == nameOf(algorithm)) {
        schedule.algorithm = algorithm;
        return true;
      }
    return false;
  }
};

/// What a key takes, in words.
struct Expectation {
  std::string integer(std::int64_t minimum, std::int64_t maximum, std::int64_t multiple) const {
    std::string kind = multiple == 1 ? "a whole number" : "a multiple of " + std::to_string(multiple);
    return llvm::formatv("{0} from {1} to {2}", kind, minimum, maximum);
  }
  std::string operator()(const NumberKey &key) const {
    return integer(key.minimum, key.maximum, key.multiple);
  }
  std::string operator()(const CostKey &key) const { return integer(key.minimum, key.maximum, 1); }
  std::string operator()(const FlagKey &) const { return "true or false"; }
  std::string operator()(const AlgorithmKey &) const {
    llvm::SmallVector<StringRef> names;
    for (Algorithm algorithm : algorithms)
      names.push_back(nameOf(algorithm));
    return alternatives(names);
  }
};
} // namespace

static llvm::Error read(StringRef name, StringRef text, Schedule &schedule) {
  llvm::SmallVector<StringRef> names;
  for (const ScheduleKey &key : scheduleKeys()) {
    names.push_back(key.name);
    if (key.name != name)
      continue;
    if (std::visit(Reader{text, schedule}, key.values)) {
      schedule.given.insert(name.str());
      return llvm::Error::success();
    }
    return llvm::createStringError("schedule: requires " + name + " to be " +
                                   std::visit(Expectation{}, key.values) + ", got '" + text + "'");
  }
  return llvm::createStringError("schedule: requires a key out of " + alternatives(names, "and") + ", got '" +
                                 name + "'");
}

llvm::Expected<Schedule> linmu::parseSchedule(const std::map<std::string, std::string> &text,
                                              Schedule target) {
  for (const auto &[key, value] : text)
    if (llvm::Error error = read(key, value, target))
      return std::move(error);
  return target;
}

llvm::Expected<Schedule> linmu::parseSchedule(StringRef text, Schedule target) {
  std::map<std::string, std::string> entries;
  llvm::SmallVector<StringRef> parts;
  text.split(parts, ',', -1, /*KeepEmpty=*/false);
  for (StringRef part : parts) {
    auto [key, value] = part.split('=');
    if (key.size() == part.size())
      return llvm::createStringError("schedule: requires KEY=VALUE, got '" + part + "'");
    if (!entries.emplace(key.trim().str(), value.trim().str()).second)
      return llvm::createStringError("schedule: requires each key once, got '" + key + "' twice");
  }
  return parseSchedule(entries, std::move(target));
}
