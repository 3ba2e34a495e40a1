// The text of a file, or of whatever else the user's shell puts in its place.
#pragma once
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

namespace linmu {

constexpr std::size_t longest_input_text = std::size_t(64) << 20; ///< bytes

/// Told once what a read has been waiting for; where there is none, such a read is refused instead.
using WaitNotice = std::function<void(const std::string &what)>;

/// Everything from a file, a FIFO, a shell's <(...), a device or, for "-", the standard input, until its end.
/// After two seconds without data, or at once for a terminal, calls `notice`. Throws Error(io) naming `path`
/// for a folder, what cannot be read, more than `longest` bytes, and a wait that nobody is told of.
std::string readInputText(const std::filesystem::path &path, const WaitNotice &notice = {},
                          std::size_t longest = longest_input_text);

/// Waits until `descriptor` has data or its end; the first part of readInputText.
void waitForData(int descriptor, const std::string &what, const WaitNotice &notice);

/// A notice on the standard error stream: "PROGRAM: waiting for WHAT".
WaitNotice noticeOnErrorStream(const char *program);

} // namespace linmu
