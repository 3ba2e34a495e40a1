#include "models/media/ffmpeg_log.h"
#include "models/media/ffmpeg_library.h"
#include <atomic>
#include <cstdarg>
#include <mutex>

namespace linmu::media {
namespace {

// A damaged stream logs a line per macroblock row: what is kept is bounded.
constexpr std::size_t longest_text = 400;

std::atomic<int> silences = 0;
thread_local FfmpegLog *innermost = nullptr;

} // namespace

struct FfmpegLogCallback {
  static void receive(void *source, int level, const char *format, va_list arguments) {
    if (silences == 0) {
      ffmpeg().av_log_default_callback(source, level, format, arguments);
      return;
    }
    // Decoder threads have no FfmpegLog: their errors reach us as status codes.
    if (!innermost || level > AV_LOG_ERROR)
      return;
    char line[256];
    int print_prefix = 1;
    ffmpeg().av_log_format_line2(source, level, format, arguments, line, sizeof line, &print_prefix);
    std::string message = line;
    // "[h264 @ 0x55d0c8]" holds an address, which differs from run to run.
    for (std::size_t at; (at = message.find(" @ 0x")) != std::string::npos;)
      message.erase(at, message.find(']', at) - at);
    while (!message.empty() && static_cast<unsigned char>(message.back()) <= ' ')
      message.pop_back();
    std::string &text = innermost->text_;
    if (message.empty() || text.find(message) != std::string::npos ||
        text.size() + message.size() > longest_text)
      return;
    text += (text.empty() ? "" : "; ") + message;
  }
};

FfmpegSilence::FfmpegSilence() {
  static std::once_flag installed;
  std::call_once(installed, [] { ffmpeg().av_log_set_callback(FfmpegLogCallback::receive); });
  ++silences;
}

FfmpegSilence::~FfmpegSilence() { --silences; }

FfmpegLog::FfmpegLog() : outer_(innermost) { innermost = this; }

FfmpegLog::~FfmpegLog() { innermost = outer_; }

std::string FfmpegLog::reason(int status) const {
  if (!text_.empty())
    return text_;
  char description[AV_ERROR_MAX_STRING_SIZE] = {};
  ffmpeg().av_strerror(status, description, sizeof description);
  return description;
}

} // namespace linmu::media
