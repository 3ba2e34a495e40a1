// tokenizer.json, and texts through the tokenizers that are taken.
#include "models/text/text_stream.h"
#include "models/text/tokenizer.h"
#include "runtime/core/error.h"
#include "tests/fuzzers/fuzz_input.h"

void linmu::test::fuzz(Bytes bytes) {
  FileInMemory file(bytes);
  try {
    const models::Tokenizer tokenizer = models::Tokenizer::fromJson(file.path());
    for (const char *text :
         {"Hello, w\xc3\xb6rld <|im_end|> 123\n\n ", "", "\xff\x80 a", " \xe2\x96\x81the"}) {
      tokenizer.decode(tokenizer.encode(text, true));
      tokenizer.encode(text);
    }
  } catch (const Error &error) {
    checkMessage(error.what());
  }
}
