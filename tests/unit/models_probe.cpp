// What tests/python compare with `transformers`: tokens and logits of a checkpoint, as files.
//   models_probe tokens MODEL TEXTS.json IDS.json      a list of strings to a list of lists of ids
//   models_probe decode MODEL IDS.json TEXTS.json      and back
//   models_probe chat MODEL MESSAGES.json TEXT.json    a conversation to its text
//   models_probe logits MODEL IN.safetensors OUT.safetensors PIECES...
//       `ids` [B, N] (i64) to `logits` [B, N, vocabulary], passed to the decoder in pieces of those lengths;
//       `state_bytes` [pieces] (i64) after each
//   models_probe tensors MODEL.gguf OUT.safetensors    every tensor, dequantised
//   models_probe generate MODEL PROMPTS.json OUT.json MAX_TOKENS [f32|packed]    the form of its weights
#include "models/generate/generate.h"
#include "models/io/dequantize.h"
#include "models/io/json_file.h"
#include "runtime/core/error.h"
#include "runtime/io/safetensors_file.h"
#include "runtime/io/safetensors_writer.h"
#include <cstring>
#include <fmt/format.h>
#include <fstream>

namespace {

using namespace linmu;
using namespace linmu::models;
using nlohmann::json;

json readJson(const std::string &path) {
  std::ifstream stream(path);
  return json::parse(stream);
}

Tokenizer openTokenizer(const std::filesystem::path &path) {
  return path.extension() == ".gguf" ? Tokenizer::fromGguf(GgufFile::open(path)) : Tokenizer::fromJson(path);
}

Decoder openDecoder(const std::filesystem::path &path) {
  if (path.extension() == ".gguf") {
    auto file = std::make_shared<const GgufFile>(GgufFile::open(path));
    auto config = readGgufConfig(*file);
    auto weights = WeightReader::fromGguf(file, config);
    return Decoder::load(config, weights);
  }
  auto weights = WeightReader::fromSafetensors(path);
  return Decoder::load(readConfigJson(path / "config.json"), weights);
}

std::span<const std::byte> bytesOf(const torch::Tensor &tensor) {
  return {static_cast<const std::byte *>(tensor.data_ptr()), tensor.nbytes()};
}

void logits(char **arguments, int pieces) {
  Decoder decoder = openDecoder(arguments[0]);
  SafetensorsFile input = SafetensorsFile::open(arguments[1]);
  const StoredTensor &stored = input.at("ids");
  auto ids = torch::empty(stored.shape, torch::kInt64);
  std::memcpy(ids.data_ptr(), stored.bytes.data(), stored.bytes.size());
  DecoderState state = decoder.initialState(ids.size(0));
  std::vector<torch::Tensor> parts;
  std::vector<std::int64_t> state_bytes;
  std::int64_t begin = 0;
  for (int i = 0; i < pieces; ++i) {
    std::int64_t length = std::stoll(arguments[3 + i]);
    parts.push_back(decoder.forward(ids.narrow(1, begin, length), state, Logits::all));
    state_bytes.push_back(state.bytes());
    begin += length;
  }
  auto all = torch::cat(parts, 1).contiguous();
  TensorToStore outputs[] = {
      {"logits", StoredType::f32, all.sizes().vec(), bytesOf(all)},
      {"state_bytes", StoredType::i64, {pieces}, std::as_bytes(std::span(state_bytes))}};
  writeSafetensors(arguments[2], outputs);
}

void tensors(const std::filesystem::path &model, const std::filesystem::path &out) {
  GgufFile file = GgufFile::open(model);
  std::vector<std::vector<float>> values;
  values.reserve(file.tensors().size()); // the outputs below point into it
  std::vector<TensorToStore> outputs;
  for (const auto &[name, tensor] : file.tensors()) {
    dequantize(tensor, values.emplace_back(tensor.elements()));
    outputs.push_back({name, StoredType::f32, tensor.shape, std::as_bytes(std::span(values.back()))});
  }
  writeSafetensors(out, outputs);
}

json run(const std::string &command, char **arguments, int count) {
  json input = readJson(arguments[1]), output = json::array();
  if (command == "tokens") {
    Tokenizer tokenizer = openTokenizer(arguments[0]);
    for (const json &text : input)
      output.push_back(tokenizer.encode(text.get<std::string>(), true));
  } else if (command == "decode") {
    Tokenizer tokenizer = openTokenizer(arguments[0]);
    for (const json &ids : input)
      output.push_back(tokenizer.decode(ids.get<std::vector<std::int64_t>>()));
  } else if (command == "chat") {
    GgufFile file = GgufFile::open(arguments[0]);
    ChatTemplate chat = ChatTemplate::parse(file.string("tokenizer.chat_template"), arguments[0]);
    std::vector<ChatMessage> messages;
    for (const json &message : input)
      messages.push_back({message.at("role"), message.at("content")});
    output = {chat.apply(messages, true), chat.apply(messages, false)};
  } else {
    std::optional<WeightForm> form;
    if (count > 4)
      form = std::string(arguments[4]) == "f32" ? WeightForm::f32 : WeightForm::packed;
    LanguageModel model = LanguageModel::open(arguments[0], form);
    for (const json &prompt : input) {
      GenerateOptions options{.max_tokens = std::stoll(arguments[3]), .sampling = {}};
      std::string streamed;
      auto ids = encodePrompt(model, prompt.get<std::string>(), false);
      Generation result = generate(model, ids, options, [&](std::string_view text) { streamed += text; });
      output.push_back(
          {{"prompt_ids", ids}, {"ids", result.ids}, {"text", result.text}, {"streamed", streamed}});
    }
  }
  return output;
}

} // namespace

int main(int argc, char **argv) {
  try {
    std::string command = argv[1];
    if (command == "logits")
      logits(argv + 2, argc - 5);
    else if (command == "tensors")
      tensors(argv[2], argv[3]);
    else
      std::ofstream(argv[4]) << run(command, argv + 2, argc - 2).dump();
  } catch (const linmu::Error &error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
