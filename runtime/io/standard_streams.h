// The standard streams of a program, whatever they are: closed, a full disk, a reader that left.
#pragma once
#include <string_view>

namespace linmu {

/// First thing in main. A stream that the caller has closed becomes one that refuses, or swallows what goes
/// to the error stream, so that no file takes its number; a reader that leaves (SIGPIPE) and a file-size
/// limit (SIGXFSZ) become errors of the write.
void prepareStandardStreams();

/// Writes to the standard output, at once. Throws Error(io) with the system's reason.
void writeStandardOutput(std::string_view text);

/// Writes what C and C++ streams still hold for the standard output. Throws Error(io) with the system's
/// reason if that fails or an earlier write has failed. For the end of a program and before other output that
/// must come after.
void flushStandardOutput();

} // namespace linmu
