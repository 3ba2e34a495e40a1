#include "runtime/core/error.h"
#include "runtime/io/safetensors_file.h"
#include "tests/fuzzers/fuzz_input.h"

void linmu::test::fuzz(Bytes bytes) {
  FileInMemory file(bytes);
  try {
    for (const SafetensorsFile &shard : openSafetensorsModel(file.path()))
      for (const auto &[name, tensor] : shard.tensors())
        touch(tensor.bytes);
  } catch (const Error &error) {
    checkMessage(error.what());
  }
}
