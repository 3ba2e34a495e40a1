#include "models/io/decoder_config.h"
#include "runtime/core/error.h"
#include "tests/fuzzers/fuzz_input.h"

void linmu::test::fuzz(Bytes bytes) {
  FileInMemory file(bytes);
  try {
    const models::DecoderConfig config = models::readConfigJson(file.path());
    models::rotaryFrequencies(config.head_dim, config.rope_theta, config.rope_scaling, 100);
  } catch (const Error &error) {
    checkMessage(error.what());
  }
}
