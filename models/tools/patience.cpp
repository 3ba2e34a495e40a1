#include "models/tools/patience.h"
#include <chrono>
#include <cstdio>

namespace linmu::tools {

Patience::Patience(std::string what)
    : thread_([this, text = "linmu: " + std::move(what) + "\n"] {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, std::chrono::seconds(2), [this] { return ended_; }))
          std::fputs(text.c_str(), stderr);
      }) {}

Patience::~Patience() {
  end();
  thread_.join();
}

void Patience::end() {
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
}

} // namespace linmu::tools
