// Clips written one behind the other, as transport streams may be.
#pragma once
#include "models/media/ffmpeg_handles.h"
#include <cstdint>

namespace linmu::media {

/// Watches the packets of one stream in the order of the file. At a join the demultiplexer's counters break
/// off and times start anew: it marks the packet before as incomplete, which a lost part would look like as
/// well. What follows tells them apart: a clip begins with a picture that needs no other, and its times start
/// anew or follow without a gap. (If such a packet did lose its end, its decoder finds that.)
class StreamJoins {
public:
  /// `format` may be of any container; times are only mended where its times may break off.
  explicit StreamJoins(const AVFormatContext *format = nullptr)
      : times_break_(format && format->iformat->flags & AVFMT_TS_DISCONT) {}

  /// Takes the mark of an incomplete packet from `packet`, and moves its times behind those of the clip
  /// before. False if a packet before it was incomplete.
  bool accept(AVPacket &packet, AVRational time_base);

  /// After the last packet: false if it was incomplete.
  bool complete() const { return open_ == 0; }

private:
  enum class Place { next, after_gap, anew };
  Place placeOf(AVPacket &packet, bool starts_anew, AVRational time_base);
  bool judge(Place place, bool starts_anew);

  bool times_break_;
  int open_ = 0;            ///< how many packets may still explain a mark
  bool restarted_ = false;  ///< one of them needs no other picture
  std::int64_t offset_ = 0; ///< in units of the stream's time base
  std::int64_t step_ = 0;   ///< how long the last picture lasts, likewise; 0: unknown
  std::int64_t end_ = AV_NOPTS_VALUE;
};

} // namespace linmu::media
