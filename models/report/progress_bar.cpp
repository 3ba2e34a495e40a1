#include "models/report/progress_bar.h"
#include "runtime/core/error.h"
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

namespace linmu::report {
namespace {

constexpr double redraw_seconds = 0.1;
constexpr int line_percent = 10;
constexpr double line_seconds = 15.0;
constexpr int bar_cells = 24;

std::string readable(double seconds) {
  const int whole = int(seconds + 0.5);
  return whole < 60 ? fmt::format("{} s", whole) : fmt::format("{} min {:02} s", whole / 60, whole % 60);
}

/// At most `columns` code points.
std::string clipped(std::string text, int columns) {
  int seen = 0;
  for (std::size_t at = 0; at < text.size(); ++at)
    if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80 && seen++ == columns) {
      text.resize(at);
      break;
    }
  return text;
}

} // namespace

ProgressOutput ProgressOutput::detect(std::FILE *stream) {
  ProgressOutput output{.stream = stream};
  const char *terminal = std::getenv("TERM");
  const int descriptor = ::fileno(stream);
  output.in_place = descriptor >= 0 && ::isatty(descriptor) && terminal &&
                    std::string_view(terminal) != "dumb" && *terminal;
  winsize window{};
  if (output.in_place && ::ioctl(descriptor, TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
    output.columns = window.ws_col;
  return output;
}

double ProgressBar::steadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

ProgressBar::ProgressBar(std::string task, double total, ProgressOutput output, std::function<double()> clock)
    : task_(std::move(task)), total_(total), output_(output), clock_(std::move(clock)), start_(clock_()),
      drawn_at_(start_) {
  if (!(total > 0))
    throw Error(ErrorCode::invalidArgument,
                fmt::format("progress of \"{}\": expected a positive total, found {:g}", task_, total));
}

ProgressBar::~ProgressBar() {
  if (drawn_ && !finished_ && output_.in_place) {
    std::fputs("\n", output_.stream);
    std::fflush(output_.stream);
  }
}

void ProgressBar::update(double done, const std::string &detail) {
  if (finished_)
    return;
  done_ = std::clamp(done, 0.0, total_);
  detail_ = detail;
  const double since = clock_() - drawn_at_;
  const int percent = int(100.0 * done_ / total_);
  const bool due = output_.in_place ? since >= redraw_seconds
                                    : percent >= drawn_percent_ + line_percent || since >= line_seconds;
  // In a log, the line of 100% is finish's.
  if (output_.in_place ? !drawn_ || due : percent < 100 && (!drawn_ || due))
    draw(false);
}

void ProgressBar::finish(const std::string &detail) {
  if (finished_)
    return;
  done_ = total_;
  detail_ = detail;
  draw(true);
  finished_ = true;
}

void ProgressBar::draw(bool last) {
  const double now = clock_();
  const std::string text = line(now - start_, last);
  if (output_.in_place)
    // The last column stays free: some terminals wrap as soon as it is written.
    std::fputs(("\r\x1b[K" + clipped(text, output_.columns - 1) + (last ? "\n" : "")).c_str(),
               output_.stream);
  else
    std::fputs((text + "\n").c_str(), output_.stream);
  std::fflush(output_.stream);
  drawn_ = true;
  drawn_at_ = now;
  drawn_percent_ = int(100.0 * done_ / total_);
}

std::string ProgressBar::line(double elapsed, bool last) const {
  const double fraction = done_ / total_;
  const int percent = int(100.0 * fraction);
  if (!output_.in_place)
    return fmt::format("{}: {}%, {}{}{}", task_, percent, readable(elapsed), detail_.empty() ? "" : ", ",
                       detail_);
  const int full = int(bar_cells * fraction);
  std::string bar(full, '=');
  if (full < bar_cells)
    bar += '>' + std::string(bar_cells - full - 1, ' ');
  const double left = fraction > 0 ? elapsed * (1 - fraction) / fraction : 0;
  // An early estimate would jump about.
  const bool estimate = !last && fraction >= 0.05 && elapsed >= 1.0 && left >= 1.0;
  return fmt::format("{} [{}] {:3}%  {}{}{}{}", task_, bar, percent, readable(elapsed),
                     estimate ? fmt::format(", about {} left", readable(left)) : "",
                     detail_.empty() ? "" : "  ", detail_);
}

} // namespace linmu::report
