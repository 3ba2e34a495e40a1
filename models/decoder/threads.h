// How many threads torch's operations use.
#pragma once

namespace linmu::models {

/// For the whole process; 0 is the number of cores. Call once before the first operation.
void setTorchThreads(int threads);

/// To be called before operations where processes may fork. In a child of the process that called it first,
/// the threads of torch's OpenMP are gone, and its next operation would wait for them for ever: this thread
/// computes alone from here on.
void withoutThreadsAfterFork();

} // namespace linmu::models
