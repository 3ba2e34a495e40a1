// libFuzzer's entry.
#include "tests/fuzzers/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *data, std::size_t size) {
  linmu::test::fuzz({reinterpret_cast<const std::byte *>(data), size});
  return 0;
}
