// Products of weights in bf16 while one of these exists.
#pragma once
#include <ATen/autocast_mode.h>

namespace linmu::distill {

/// torch's autocast to bf16 for one kind of device. Nested ones share their casts of weights, which the
/// outermost drops.
class Autocast {
public:
  Autocast(bool enabled, c10::DeviceType device)
      : device_(device), was_enabled_(at::autocast::is_autocast_enabled(device)),
        dtype_(at::autocast::get_autocast_dtype(device)) {
    at::autocast::set_autocast_enabled(device_, enabled);
    if (enabled)
      at::autocast::set_autocast_dtype(device_, at::kBFloat16);
    at::autocast::increment_nesting();
  }
  ~Autocast() {
    if (at::autocast::decrement_nesting() == 0)
      at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device_, was_enabled_);
    at::autocast::set_autocast_dtype(device_, dtype_);
  }
  Autocast(const Autocast &) = delete;
  Autocast &operator=(const Autocast &) = delete;

private:
  c10::DeviceType device_;
  bool was_enabled_;
  at::ScalarType dtype_;
};

} // namespace linmu::distill
