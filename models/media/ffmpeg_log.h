// FFmpeg's error messages, kept for our own message instead of printed.
#pragma once
#include <string>

namespace linmu::media {

/// While one lives, FFmpeg prints nothing; once none is left, it logs through its default callback again.
/// FFmpeg's callback is one for the process, and has no getter: one that the application has set before the
/// first FfmpegSilence is replaced.
class FfmpegSilence {
public:
  FfmpegSilence();
  ~FfmpegSilence();
  FfmpegSilence(const FfmpegSilence &) = delete;
  FfmpegSilence &operator=(const FfmpegSilence &) = delete;
};

/// Keeps the errors that FFmpeg logs on this thread. They nest: the innermost one receives.
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
  FfmpegSilence silence_;
  std::string text_;
  FfmpegLog *outer_;
};

} // namespace linmu::media
