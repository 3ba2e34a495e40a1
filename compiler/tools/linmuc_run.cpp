#include "compiler/tools/linmuc_run.h"
#include "compiler/tools/element.h"
#include "runtime/core/content_check.h"
#include "runtime/core/cuda/device_buffer.h"
#include "runtime/core/error.h"
#include "runtime/core/operand_check.h"
#include "runtime/core/settings.h"
#include "runtime/io/safetensors_file.h"
#include "runtime/io/safetensors_writer.h"
#include "runtime/jit/compile.h"
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <thread>

namespace linmu::linmuc {
namespace {

using Bytes = std::vector<std::byte>;

/// An operand from the file. Its bytes are copied, since tensors of a file are only as aligned as what stands
/// before them.
struct Operand {
  const OperandSpec *spec = nullptr;
  std::vector<std::int64_t> shape;
  Bytes bytes;
};

/// A result as it will be stored.
struct Result {
  const OperandSpec *spec = nullptr;
  std::vector<std::int64_t> shape;
  Bytes bytes;
};

StoredType storedTypeOf(DType type) {
  switch (type) {
  case DType::f32:
    return StoredType::f32;
  case DType::bf16:
    return StoredType::bf16;
  case DType::f16:
    return StoredType::f16;
  case DType::i32:
    return StoredType::i32;
  case DType::i1:
    return StoredType::boolean;
  }
  throw Error(ErrorCode::internal, "unknown element type");
}

std::string describe(const OperandSpec &spec) {
  static constexpr const char *symbols[] = {"", "batch", "tokens", "items", "sequences"};
  std::string shape;
  for (const Extent &extent : spec.shape) {
    std::string number = extent.value ? std::to_string(extent.value) : "", symbol = symbols[extent.kind];
    shape += (shape.empty() ? "" : ", ") + symbol + (symbol.empty() || number.empty() ? "" : " + ") + number;
  }
  return fmt::format("{} [{}]", name(storedTypeOf(spec.dtype)), shape);
}

/// One error that names every operand which the file lacks; a warning that names every tensor which is none.
void compareNames(const Signature &signature, const SafetensorsFile &file) {
  std::vector<std::string> missing, unused, present;
  for (const OperandSpec &spec : signature.inputs)
    if (!file.tensors().contains(spec.name))
      missing.push_back(fmt::format("'{}', {}", spec.name, describe(spec)));
  for (auto &[name, tensor] : file.tensors()) {
    present.push_back(name);
    if (std::none_of(signature.inputs.begin(), signature.inputs.end(),
                     [&name = name](const OperandSpec &spec) { return spec.name == name; }))
      unused.push_back(fmt::format("'{}'", name));
  }
  std::string origin = file.path().string();
  if (!missing.empty())
    throw Error(ErrorCode::invalidArgument,
                fmt::format("{}: requires {} {}, for pattern '{}'; has {}", origin,
                            missing.size() == 1 ? "a tensor" : "tensors", fmt::join(missing, ", and "),
                            signature.name,
                            present.empty() ? "none" : fmt::format("{}", fmt::join(present, ", "))));
  if (!unused.empty())
    fmt::print(stderr, "linmuc: warning: {}: pattern '{}' has no operand {}, which the file holds\n", origin,
               signature.name, fmt::join(unused, ", "));
}

/// The operands in the order of the signature; types and names fit, shapes are not yet checked.
std::vector<Operand> match(const Signature &signature, const SafetensorsFile &file) {
  compareNames(signature, file);
  std::string origin = file.path().string();
  std::vector<Operand> operands;
  for (const OperandSpec &spec : signature.inputs) {
    const StoredTensor &tensor = file.tensors().at(spec.name);
    if (tensor.type != storedTypeOf(spec.dtype) || tensor.shape.size() != spec.shape.size())
      throw Error(ErrorCode::invalidArgument,
                  fmt::format("{}: requires tensor '{}' to be {}, got {} [{}]", origin, spec.name,
                              describe(spec), name(tensor.type), fmt::join(tensor.shape, ", ")));
    operands.push_back({&spec, tensor.shape, {tensor.bytes.begin(), tensor.bytes.end()}});
  }
  return operands;
}

TensorView viewOf(void *data, DType type, const std::vector<std::int64_t> &shape) {
  TensorView view;
  view.data = data;
  view.dtype = type;
  view.rank = int(shape.size());
  std::int64_t stride = 1;
  for (int axis = view.rank - 1; axis >= 0; --axis) {
    view.sizes[axis] = shape[axis];
    view.strides[axis] = stride;
    stride *= shape[axis];
  }
  return view;
}

HostTensor toHost(const Operand &operand) {
  DType type = operand.spec->dtype;
  HostTensor host{type, operand.shape, std::vector<double>(operand.bytes.size() / sizeOf(type))};
  for (std::size_t i = 0; i < host.elements.size(); ++i)
    host.elements[i] = readElement(operand.bytes.data() + i * sizeOf(type), type);
  return host;
}

/// The results' shapes, with no elements yet.
std::vector<Result> shapeResults(const Signature &signature, const Symbols &call) {
  std::vector<Result> results;
  for (const OperandSpec &spec : signature.results) {
    Result result{&spec, {}, {}};
    std::int64_t bytes = sizeOf(spec.dtype);
    for (const Extent &extent : spec.shape) {
      result.shape.push_back(extent.evaluate(call));
      bytes *= result.shape.back();
    }
    result.bytes.resize(bytes);
    results.push_back(std::move(result));
  }
  return results;
}

void interpret(std::string_view source, const CommandLine &line, std::span<const Operand> operands,
               std::span<Result> results) {
  std::vector<HostTensor> inputs;
  for (const Operand &operand : operands)
    inputs.push_back(toHost(operand));
  int threads = Settings::current().threads;
  if (threads == 0)
    threads = int(std::max(1u, std::thread::hardware_concurrency()));
  compiler::Tensors tensors = compiler::interpret(source, line.options, inputs, threads);
  if (!tensors.ok)
    throw Error(ErrorCode::invalidPattern, tensors.diagnostics);
  for (std::size_t i = 0; i < results.size(); ++i) {
    DType type = results[i].spec->dtype;
    for (std::size_t e = 0; e < tensors.tensors[i].elements.size(); ++e)
      writeElement(results[i].bytes.data() + e * sizeOf(type), type, tensors.tensors[i].elements[e]);
  }
}

/// Of a contiguous view.
std::size_t bytesOf(const TensorView &view) {
  std::int64_t bytes = sizeOf(view.dtype);
  for (int axis = 0; axis < view.rank; ++axis)
    bytes *= view.sizes[axis];
  return std::size_t(bytes);
}

/// On the first GPU. The views are of host memory.
void launchOnGpu(const Kernel &kernel, std::span<const TensorView> inputs,
                 std::span<const TensorView> outputs, std::span<Result> results) {
  // Orders and tables are checked before they go where a launch does not look at them.
  Symbols call = checkOperands(kernel.signature(), inputs, outputs);
  checkContents(kernel.signature(), call, inputs);
  std::vector<cuda::DeviceBuffer> buffers;
  std::vector<TensorView> on_device, written;
  for (const TensorView &host : inputs) {
    std::span bytes(static_cast<const std::byte *>(host.data), bytesOf(host));
    on_device.push_back(buffers.emplace_back(0, std::int64_t(bytes.size())).view(host));
    buffers.back().upload(bytes);
  }
  for (const TensorView &host : outputs)
    written.push_back(buffers.emplace_back(0, std::int64_t(bytesOf(host))).view(host));
  kernel(on_device, written);
  for (std::size_t i = 0; i < results.size(); ++i)
    buffers[inputs.size() + i].download(results[i].bytes);
}

void launch(std::string_view source, const CommandLine &line, std::span<const TensorView> inputs,
            std::span<Result> results) {
  const compiler::Options &options = line.options;
  Kernel kernel = compile(source, {.filename = options.filename,
                                   .function = options.function,
                                   .aliases = options.aliases,
                                   .schedule = options.schedule,
                                   .target = line.target == RunTarget::cuda      ? line.cuda
                                             : line.target == RunTarget::emulate ? "emulate"
                                                                                 : "cpu"});
  std::vector<TensorView> outputs;
  for (Result &result : results)
    outputs.push_back(viewOf(result.bytes.data(), result.spec->dtype, result.shape));
  if (line.target == RunTarget::cuda)
    launchOnGpu(kernel, inputs, outputs, results);
  else
    kernel(inputs, outputs);
}

} // namespace

void runOnFile(std::string_view source, const CommandLine &line, AtomicFile &out) {
  compiler::Bytes described = compiler::signature(source, line.options);
  if (!described.ok)
    throw Error(ErrorCode::invalidPattern, described.diagnostics);
  Signature signature = deserialize(described.bytes, line.options.filename).signature;
  SafetensorsFile file = SafetensorsFile::open(*line.run);
  std::vector<Operand> operands = match(signature, file);
  std::vector<TensorView> inputs;
  for (Operand &operand : operands)
    inputs.push_back(viewOf(operand.bytes.data(), operand.spec->dtype, operand.shape));
  Symbols call = [&] {
    Signature inputs_only{signature.name, signature.inputs, {}};
    try {
      return checkOperands(inputs_only, inputs, {});
    } catch (const Error &error) {
      throw Error(error.code(), line.run->string() + ": " + error.what());
    }
  }();
  std::vector<Result> results = shapeResults(signature, call);
  if (line.target == RunTarget::interpreter)
    interpret(source, line, operands, results);
  else
    launch(source, line, inputs, results);
  std::vector<TensorToStore> tensors;
  for (const Result &result : results)
    tensors.push_back({result.spec->name, storedTypeOf(result.spec->dtype), result.shape, result.bytes});
  writeSafetensors(out, tensors);
}

} // namespace linmu::linmuc
