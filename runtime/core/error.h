// The one exception type of the public C++ API.
#pragma once
#include <stdexcept>
#include <string>

namespace linmu {

enum class ErrorCode {
  invalidPattern,  ///< the pattern does not parse or verify; the text carries file:line:column
  invalidArgument, ///< an operand, option or file does not fit; the text names it, expected and actual
  unsupported,     ///< a documented limit of this version
  corruptFile,     ///< a weight file, package or cache entry that is damaged or lies about its content
  io,              ///< the file system or the operating system refused
  internal,        ///< a defect of LinMU
};

/// `what()` is one message that names the operand, the expected and the actual; `hint()` may say what
/// to do about it and may be empty.
class Error : public std::runtime_error {
public:
  Error(ErrorCode code, const std::string &message, std::string hint = {})
      : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}

  ErrorCode code() const { return code_; }
  const std::string &hint() const { return hint_; }

private:
  ErrorCode code_;
  std::string hint_;
};

} // namespace linmu
