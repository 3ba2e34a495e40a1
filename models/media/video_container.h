// Opening files of videos and pictures with FFmpeg.
#pragma once
#include "models/media/ffmpeg_handles.h"
#include "models/media/ffmpeg_log.h"
#include "models/media/transport_parts.h"
#include "models/media/video_reader.h"
#include "runtime/core/error.h"
#include <filesystem>
#include <optional>
#include <string>

namespace linmu::media {

/// Throws Error "PATH: expected EXPECTED, found FOUND".
[[noreturn]] void failVideo(ErrorCode code, const std::filesystem::path &path, const std::string &expected,
                            const std::string &found);

/// Opens a local file, or a part of one that holds a transport stream, and looks at its streams. Errors as in
/// VideoReader.
FfmpegHandle<AVFormatContext> openContainer(const std::filesystem::path &path, MediaKind media,
                                            std::optional<FilePart> part, const FfmpegLog &log);

/// "video (h264), audio (aac)".
std::string describeStreams(const AVFormatContext &format);

} // namespace linmu::media
