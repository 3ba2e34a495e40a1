// GGUF files: the container, what it says of a model, its tokenizer, and the values of its weights.
#include "models/io/decoder_config.h"
#include "models/io/dequantize.h"
#include "models/text/tokenizer.h"
#include "runtime/core/error.h"
#include "tests/fuzzers/fuzz_input.h"
#include <vector>

namespace linmu::test {
namespace {

constexpr std::int64_t mostValues = 1 << 16;

template <typename Read> void attempt(Read read) {
  try {
    read();
  } catch (const Error &error) {
    checkMessage(error.what());
  }
}

} // namespace

void fuzz(Bytes bytes) {
  FileInMemory file(bytes);
  attempt([&] {
    const models::GgufFile gguf = models::GgufFile::open(file.path());
    for (const auto &[name, tensor] : gguf.tensors())
      if (tensor.elements() <= mostValues) {
        std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
        models::dequantize(tensor, values);
      }
    attempt([&] { models::readGgufConfig(gguf); });
    attempt([&] {
      const models::Tokenizer tokenizer = models::Tokenizer::fromGguf(gguf);
      tokenizer.decode(tokenizer.encode("Hello, wörld <|im_end|> 123", true));
    });
  });
}

} // namespace linmu::test
