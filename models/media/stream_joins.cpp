#include "models/media/stream_joins.h"
#include <algorithm>

namespace linmu::media {
namespace {

// A longer pause than this between two pictures is a clip that was recorded at another time, as in FFmpeg.
constexpr double longest_pause = 10; // seconds

// The mark lies on the packet before the break, or on the one before that where a parser holds one back.
constexpr int marks_reach = 2;

} // namespace

bool StreamJoins::accept(AVPacket &packet, AVRational time_base) {
  const bool starts_anew = packet.flags & AV_PKT_FLAG_KEY;
  const Place place = placeOf(packet, starts_anew, time_base);
  const bool fits = judge(place, starts_anew);
  if (packet.flags & AV_PKT_FLAG_CORRUPT) {
    open_ = marks_reach;
    restarted_ = false;
  }
  packet.flags &= ~AV_PKT_FLAG_CORRUPT;
  return fits;
}

bool StreamJoins::judge(Place place, bool starts_anew) {
  if (open_ == 0)
    return true;
  if (place == Place::anew && starts_anew) {
    open_ = 0;
    return true;
  }
  if (place == Place::after_gap)
    return false;
  restarted_ |= starts_anew;
  return --open_ > 0 || restarted_;
}

StreamJoins::Place StreamJoins::placeOf(AVPacket &packet, bool starts_anew, AVRational time_base) {
  if (packet.dts == AV_NOPTS_VALUE)
    return Place::next;
  std::int64_t dts = packet.dts + offset_;
  const auto pause = std::int64_t(longest_pause * time_base.den / std::max(time_base.num, 1));
  const bool times_go_on = end_ == AV_NOPTS_VALUE || (dts >= end_ - step_ && dts <= end_ + pause);
  const bool gap = times_go_on && end_ != AV_NOPTS_VALUE && step_ > 0 && dts - end_ >= step_ * 3 / 4;
  if (times_break_ && starts_anew && !times_go_on) {
    offset_ += end_ - dts;
    dts = end_;
  }
  packet.dts = dts;
  if (packet.pts != AV_NOPTS_VALUE)
    packet.pts += offset_;
  if (packet.duration > 0)
    step_ = packet.duration;
  else if (end_ != AV_NOPTS_VALUE && dts - end_ + step_ > 0)
    step_ = dts - end_ + step_; // from one picture to the next
  end_ = dts + step_;
  return !times_go_on ? Place::anew : gap ? Place::after_gap : Place::next;
}

} // namespace linmu::media
