#include "distill/data/sample_source.h"
#include "distill/data/batch.h"
#include "models/io/json_integer.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace linmu::distill {

SampleSource::SampleSource(std::vector<WeightedSet> sets, SourceOptions options)
    : options_(std::move(options)),
      order_(std::move(sets), !options_.evaluation, options_.seed, options_.rank, options_.ranks),
      cache_([this](std::int64_t number) { return order_.load(number); }, options_.memory),
      prefetcher_([this](std::int64_t number) { return cache_.load(order_.firstOf(number)); },
                  std::clamp(options_.workers, 1, 256)) {
  if (options_.batch < 1 || options_.ahead < 1 || options_.workers < 1)
    throw Error(
        ErrorCode::invalidArgument,
        fmt::format("batches of at least one sample, loaded by at least one thread at least one ahead, are "
                    "required, got {}, {} and {}",
                    options_.batch, options_.workers, options_.ahead));
  if (!options_.report)
    options_.report = [](const std::string &line) { std::fputs((line + "\n").c_str(), stderr); };
}

void SampleSource::fill() {
  while (prefetcher_.pending() < std::size_t(options_.ahead)) {
    if (asked_place_ == order_.length()) {
      if (options_.evaluation)
        return;
      asked_place_ = 0;
      ++asked_pass_;
    }
    prefetcher_.push(order_.sampleAt(asked_pass_, asked_place_++));
  }
}

void SampleSource::skip(std::int64_t number, const std::exception_ptr &failure) {
  std::string why;
  try {
    std::rethrow_exception(failure);
  } catch (const Error &error) {
    if (error.code() == ErrorCode::internal)
      throw;
    why = error.what();
  }
  ++skipped_;
  if (damaged_.insert(number).second) {
    options_.report(fmt::format("skipped {}", why));
    damaged_names_.push_back(why.substr(0, why.find(": ")));
  }
  if (++damaged_in_a_row_ >= order_.length())
    throw Error(ErrorCode::corruptFile,
                fmt::format("all {} samples of a pass are damaged; the last: {}", order_.length(), why));
}

std::optional<Batch> SampleSource::leave(Groups::iterator group) {
  std::vector<Sample> samples;
  for (Pending &entry : group->second)
    samples.push_back(std::move(entry.sample));
  groups_.erase(group);
  return batchOf(samples, options_.padding, form_);
}

std::optional<Batch> SampleSource::next() {
  for (;;) {
    fill();
    if (prefetcher_.pending() == 0)
      break;
    Loaded loaded = prefetcher_.pop();
    if (place_ == order_.length()) {
      place_ = 0;
      ++pass_;
    }
    ++place_;
    ++taken_;
    if (loaded.failure) {
      skip(loaded.number, loaded.failure);
      continue;
    }
    damaged_in_a_row_ = 0;
    auto group = groups_.try_emplace(geometryOf(*loaded.sample)).first;
    group->second.push_back({loaded.number, std::move(*loaded.sample)});
    if (std::int64_t(group->second.size()) == options_.batch)
      return leave(group);
  }
  // What is left of an evaluation, the group with the earliest sample first.
  auto first =
      std::ranges::min_element(groups_, {}, [](const auto &group) { return group.second.front().number; });
  return first == groups_.end() ? std::nullopt : leave(first);
}

nlohmann::json SampleSource::position() const {
  nlohmann::json groups = nlohmann::json::array();
  for (const auto &[geometry, entries] : groups_) {
    nlohmann::json numbers = nlohmann::json::array();
    for (const Pending &entry : entries)
      numbers.push_back(entry.number);
    groups.push_back(numbers);
  }
  return {{"data", order_.fingerprint()},
          {"batch", options_.batch},
          {"pass", pass_},
          {"place", place_},
          {"waiting", groups},
          {"taken", taken_},
          {"skipped", skipped_}};
}

void SampleSource::seek(const nlohmann::json &position) {
  auto refuse = [&](const std::string &why) {
    throw Error(ErrorCode::invalidArgument,
                fmt::format("a position in the data {}: {}", why, position.dump()));
  };
  auto within = [&](const nlohmann::json &value, const char *key, std::int64_t most) {
    const auto integer = models::integerIn(value, 0, most);
    if (!integer)
      refuse(fmt::format("must have an integer from 0 to {} as '{}', not {}", most, key, value.dump()));
    return *integer;
  };
  // Of what is only counted; far from where 64 bits end.
  constexpr std::int64_t most = std::int64_t(1) << 60;
  std::int64_t pass = 0, place = 0, taken = 0, skipped = 0;
  std::vector<std::vector<std::int64_t>> waiting;
  try {
    if (position.at("data") != order_.fingerprint())
      refuse(fmt::format("must be of '{}'", order_.fingerprint()));
    if (position.at("batch") != options_.batch)
      refuse(fmt::format("must be of batches of {}", options_.batch));
    pass = within(position.at("pass"), "pass", most);
    place = within(position.at("place"), "place", order_.length());
    taken = within(position.at("taken"), "taken", most);
    skipped = within(position.at("skipped"), "skipped", most);
    if (!position.at("waiting").is_array())
      refuse("must have a list of lists as 'waiting'");
    for (const nlohmann::json &group : position.at("waiting")) {
      auto numbers = models::integersIn(group, 0, order_.size() - 1);
      if (!numbers)
        refuse(fmt::format("must have lists of integers from 0 to {} in 'waiting', not {}", order_.size() - 1,
                           group.dump()));
      waiting.push_back(std::move(*numbers));
    }
  } catch (const nlohmann::json::exception &error) {
    refuse(fmt::format("cannot be read ({})", error.what()));
  }
  prefetcher_.clear();
  Groups groups;
  for (const auto &numbers : waiting)
    for (std::int64_t number : numbers) {
      Sample sample = cache_.load(order_.firstOf(number));
      groups[geometryOf(sample)].push_back({number, std::move(sample)});
    }
  groups_ = std::move(groups);
  pass_ = asked_pass_ = pass;
  place_ = asked_place_ = place;
  taken_ = taken;
  skipped_ = skipped;
  damaged_in_a_row_ = 0;
}

std::string SampleSource::summary() const {
  if (skipped_ == 0)
    return {};
  constexpr std::size_t most = 10;
  std::vector<std::string> names(
      damaged_names_.begin(), damaged_names_.begin() + std::ptrdiff_t(std::min(most, damaged_names_.size())));
  return fmt::format(
      "{} of {} samples were skipped as damaged: {}{}", skipped_, taken_, fmt::join(names, ", "),
      damaged_names_.size() > most ? fmt::format(" and {} more", damaged_names_.size() - most) : "");
}

} // namespace linmu::distill
