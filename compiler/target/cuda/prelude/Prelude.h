// The text that stands before every kernel: on the device, and for the host.
#pragma once
#include <string>
#include <string_view>

namespace linmu::cuda {

/// CUDA C++ for NVRTC or nvcc, without any header. A kernel's text behind it names no type or function that
/// is not from here: `extern "C" __global__ void __launch_bounds__(128) name(Global<const bf16> x, i32 n) {
/// ... }`.
std::string_view devicePrelude();

/// C++20 for the host's compiler: the portable prelude, the kernel, and what emulate() looks for. Lines are
/// those of `kernel` in a file named "kernel", or what its #line directives say.
std::string hostText(std::string_view kernel, std::string_view name);

} // namespace linmu::cuda
