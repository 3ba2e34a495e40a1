// FFmpeg's error messages, kept for our own message instead of printed.
#pragma once
#include <string>

namespace linmu::media {

/// While one lives, FFmpeg prints nothing; errors that it logs on this thread are kept. Captures nest: the
/// innermost one receives. Once none is left, FFmpeg logs through its default callback again. FFmpeg's
/// callback is one for the process, and has no getter: a callback set by the application before the first
/// capture is replaced.
class FfmpegLog {
public:
  FfmpegLog();
  ~FfmpegLog();
  FfmpegLog(const FfmpegLog &) = delete;
  FfmpegLog &operator=(const FfmpegLog &) = delete;

  /// The first few distinct messages, joined by "; ", each without its trailing line break.
  const std::string &text() const { return text_; }

  /// `text()`, or what FFmpeg says of the error code `status` if nothing was logged.
  std::string reason(int status) const;

private:
  friend struct FfmpegLogCallback;
  std::string text_;
  FfmpegLog *outer_;
};

} // namespace linmu::media
