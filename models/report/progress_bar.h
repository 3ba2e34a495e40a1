// How far a long task is, on a terminal or in a log.
#pragma once
#include <cstdio>
#include <functional>
#include <string>

namespace linmu::report {

struct ProgressOutput {
  std::FILE *stream = stderr;
  bool in_place = false; ///< redraw one line; else print a line now and then
  int columns = 80;      ///< of the terminal

  /// In place if `stream` is a terminal that can move its cursor ($TERM is set and not "dumb").
  static ProgressOutput detect(std::FILE *stream = stderr);
};

/// In place: `Prefill [=====>      ]  45%  12 s, about 15 s left  4,096 tokens`, redrawn at most ten times a
/// second. Otherwise `Prefill: 45%, 12 s, 4,096 tokens` when 10% or 15 s have passed since the last line. For
/// one thread.
class ProgressBar {
public:
  /// `total`: the work to do, in any unit, > 0; Error(invalidArgument) otherwise. `clock` returns seconds,
  /// steady.
  ProgressBar(std::string task, double total, ProgressOutput output = ProgressOutput::detect(),
              std::function<double()> clock = steadySeconds);

  /// Ends the line, so that what is printed next starts its own, also when an exception passes.
  ~ProgressBar();
  ProgressBar(const ProgressBar &) = delete;
  ProgressBar &operator=(const ProgressBar &) = delete;

  /// `done` of `total` (clamped to it); `detail` says what is being worked on.
  void update(double done, const std::string &detail = {});

  /// Everything is done: shows 100% and the time it took. Later calls do nothing.
  void finish(const std::string &detail = {});

  static double steadySeconds();

private:
  void draw(bool last);
  std::string line(double elapsed, bool last) const;

  std::string task_;
  double total_;
  ProgressOutput output_;
  std::function<double()> clock_;
  std::string detail_;
  double done_ = 0;
  double start_;
  double drawn_at_;
  int drawn_percent_ = -1;
  bool drawn_ = false;
  bool finished_ = false;
};

} // namespace linmu::report
