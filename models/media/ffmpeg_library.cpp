#include "models/media/ffmpeg_library.h"
#include "runtime/core/error.h"
#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace linmu::media {
namespace {

#define LINMU_TEXT_OF(value) #value
#define LINMU_SONAME(library, major) "lib" library ".so." LINMU_TEXT_OF(major)

constexpr const char *util_name = LINMU_SONAME("avutil", LIBAVUTIL_VERSION_MAJOR);
constexpr const char *codec_name = LINMU_SONAME("avcodec", LIBAVCODEC_VERSION_MAJOR);
constexpr const char *format_name = LINMU_SONAME("avformat", LIBAVFORMAT_VERSION_MAJOR);
constexpr const char *scale_name = LINMU_SONAME("swscale", LIBSWSCALE_VERSION_MAJOR);

[[noreturn]] void fail(const std::string &why) {
  throw Error(
      ErrorCode::unsupported,
      fmt::format("reading a video needs FFmpeg's {}: {}", fmt::join(ffmpegLibraryNames(), ", "), why),
      "on Debian and Ubuntu, install FFmpeg of this major version: apt-get install ffmpeg");
}

void *open(const char *name) {
  void *library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    fail(::dlerror());
  return library;
}

template <typename Function> void find(Function &function, void *library, const char *name) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  if (!function)
    fail(::dlerror());
}

FfmpegLibrary openAll() {
  FfmpegLibrary all;
  void *library = nullptr;
#define LINMU_FFMPEG_FIND(function) find(all.function, library, #function);
  library = open(util_name);
  LINMU_FFMPEG_UTIL(LINMU_FFMPEG_FIND)
  library = open(codec_name);
  LINMU_FFMPEG_CODEC(LINMU_FFMPEG_FIND)
  LINMU_FFMPEG_SIDE_DATA_CODEC(LINMU_FFMPEG_FIND)
  library = open(format_name);
  LINMU_FFMPEG_FORMAT(LINMU_FFMPEG_FIND)
  LINMU_FFMPEG_SIDE_DATA_FORMAT(LINMU_FFMPEG_FIND)
  library = open(scale_name);
  LINMU_FFMPEG_SCALE(LINMU_FFMPEG_FIND)
#undef LINMU_FFMPEG_FIND
  return all;
}

} // namespace

const FfmpegLibrary &ffmpeg() {
  static const FfmpegLibrary the_library = openAll();
  return the_library;
}

std::vector<std::string> ffmpegLibraryNames() { return {util_name, codec_name, format_name, scale_name}; }

} // namespace linmu::media
