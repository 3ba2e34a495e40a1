// Ending a program on Ctrl-C and its like without leaving anything half-written.
#pragma once
#include <string>

namespace linmu {

/// From here on SIGINT, SIGTERM and SIGHUP end the process with status 128 + signal, after what the classes
/// below say. A signal that was ignored when the program started stays ignored, as nohup wants it. For
/// programs, before they start threads; libraries leave signals to their program.
void endOnSignals();

/// While one exists, such a signal waits until the last of them is gone: for steps that must not be cut.
class Uninterrupted {
public:
  Uninterrupted();
  ~Uninterrupted();
  Uninterrupted(const Uninterrupted &) = delete;
  Uninterrupted &operator=(const Uninterrupted &) = delete;
};

/// While one exists, each signal that waits is answered with `text` on the error stream: what it waits for,
/// so that nobody takes the program for hung. One at a time; `text` must stay as it is.
class WaitingNotice {
public:
  explicit WaitingNotice(const char *text);
  ~WaitingNotice();
  WaitingNotice(const WaitingNotice &) = delete;
  WaitingNotice &operator=(const WaitingNotice &) = delete;
};

/// Whether such a signal has come that waits for an Uninterrupted. Long work that may stop asks now and then.
bool interruptionWaits();

/// A file that such a signal removes, while this exists.
class RemovedOnSignal {
public:
  explicit RemovedOnSignal(std::string path);
  ~RemovedOnSignal();
  RemovedOnSignal(const RemovedOnSignal &) = delete;
  RemovedOnSignal &operator=(const RemovedOnSignal &) = delete;

private:
  std::string path_;
};

} // namespace linmu
