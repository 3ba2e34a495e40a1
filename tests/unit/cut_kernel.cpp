#include "tests/unit/cut_kernel.h"
#include "compiler/api/Pipeline.h"
#include "compiler/frontend/Frontend.h"
#include "compiler/interpreter/tile/TileInterpreter.h"
#include "runtime/core/content_check.h"
#include "runtime/core/operand_check.h"
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace linmu::test {
namespace {

/// Memory of an operand or a result in its storage type.
class Buffer {
public:
  Buffer(DType dtype, std::vector<std::int64_t> shape) : tensor_{dtype, std::move(shape), {}} {
    std::int64_t count = 1;
    for (std::int64_t extent : tensor_.shape)
      count *= extent;
    // What is not written stays not a number.
    words_.assign(std::size_t(count), -1);
  }
  explicit Buffer(const HostTensor &tensor) : Buffer(tensor.dtype, tensor.shape) {
    for (std::size_t i = 0; i < words_.size(); ++i)
      if (tensor.dtype == DType::f32) {
        float value = float(tensor.elements[i]);
        std::memcpy(&words_[i], &value, sizeof value);
      } else if (tensor.dtype == DType::i32) {
        words_[i] = std::int32_t(tensor.elements[i]);
      } else {
        reinterpret_cast<std::uint8_t *>(words_.data())[i] = tensor.elements[i] != 0;
      }
  }
  TensorView view() {
    TensorView view{words_.data(), tensor_.dtype, int(tensor_.shape.size()), {}, {}};
    std::int64_t stride = 1;
    for (int axis = view.rank - 1; axis >= 0; --axis) {
      view.sizes[axis] = tensor_.shape[axis];
      view.strides[axis] = stride;
      stride *= view.sizes[axis];
    }
    return view;
  }
  HostTensor read() const {
    HostTensor tensor = tensor_;
    for (std::int32_t word : words_) {
      float value;
      std::memcpy(&value, &word, sizeof value);
      tensor.elements.push_back(tensor.dtype == DType::f32 ? value : word);
    }
    return tensor;
  }

private:
  HostTensor tensor_;
  std::vector<std::int32_t> words_;
};

/// A pattern as a tile program.
struct Lowered {
  Lowered(const std::string &text, const std::map<std::string, std::string> &schedule)
      : diagnostics(*context), text(text) {
    compiler::Options options;
    options.schedule = schedule;
    module = compiler::parse(text, options, *context);
    if (!module)
      fail();
    auto own = frontend::signatureOf(compiler::functionOf(*module));
    auto chosen = compiler::scheduleOf(options, *context);
    if (failed(own) || failed(chosen) || failed(compiler::normalize(*module, *chosen)))
      fail();
    auto plan = planOf(compiler::functionOf(*module), *chosen);
    if (failed(plan) || failed(compiler::derive(*module, *plan, *chosen)))
      fail();
    signature = *own;
  }
  [[noreturn]] void fail() { throw std::runtime_error(diagnostics.take() + text); }

  compiler::Context context;
  frontend::DiagnosticCollector diagnostics;
  std::string text;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  Signature signature;
};

} // namespace

Kernel cuts::compileFor(const std::string &text, const std::map<std::string, std::string> &schedule) {
  compiler::Options options;
  options.schedule = schedule;
  compiler::Bytes package = compiler::compile(text, options);
  if (package.ok)
    return Kernel::open(deserialize(package.bytes, "kernel"));
  throw std::runtime_error(package.diagnostics + text);
}

std::map<std::string, std::string> cuts::forMaps(std::map<std::string, std::string> schedule) {
  for (const char *key : {"chunk", "columns", "segments"})
    schedule.erase(key);
  if (schedule.contains("algorithm") && schedule["algorithm"] != "recurrent")
    schedule.erase("algorithm");
  return schedule;
}

std::vector<HostTensor> cuts::launch(const Kernel &kernel, const std::vector<HostTensor> &inputs,
                                     int threads) {
  std::vector<Buffer> buffers(inputs.begin(), inputs.end());
  std::vector<TensorView> inputViews, resultViews;
  for (Buffer &buffer : buffers)
    inputViews.push_back(buffer.view());
  const Signature &signature = kernel.signature();
  Symbols symbols = checkOperands({signature.name, signature.inputs, {}}, inputViews, {});
  buffers.reserve(inputs.size() + signature.results.size());
  std::vector<std::size_t> places;
  for (const OperandSpec &spec : signature.results) {
    places.push_back(spec.in_place_of);
    if (spec.in_place_of == OperandSpec::none) {
      std::vector<std::int64_t> shape;
      for (const Extent &extent : spec.shape)
        shape.push_back(extent.evaluate(symbols));
      places.back() = buffers.size();
      buffers.emplace_back(spec.dtype, shape);
    }
    resultViews.push_back(buffers[places.back()].view());
  }
  kernel(inputViews, resultViews, {threads});
  std::vector<HostTensor> values;
  for (std::size_t place : places)
    values.push_back(buffers[place].read());
  return values;
}

std::vector<HostTensor> cuts::interpretTiles(const std::string &text,
                                             const std::map<std::string, std::string> &schedule,
                                             const std::vector<HostTensor> &inputs) {
  Lowered lowered(text, schedule);
  const Signature &signature = lowered.signature;
  std::vector<Buffer> buffers(inputs.begin(), inputs.end());
  std::vector<TensorView> views;
  for (Buffer &buffer : buffers)
    views.push_back(buffer.view());
  Symbols symbols = checkOperands({signature.name, signature.inputs, {}}, views, {});
  checkContents(signature, symbols, views);

  std::vector<interpreter::Memory> memories;
  for (const HostTensor &input : inputs)
    memories.push_back({input.shape, input.elements});
  for (const OperandSpec &spec : signature.results) {
    std::vector<std::int64_t> shape;
    for (const Extent &extent : spec.shape)
      shape.push_back(extent.evaluate(symbols));
    memories.push_back(interpreter::Memory::filled(shape, NAN));
  }
  std::vector<interpreter::Memory *> operands;
  for (interpreter::Memory &memory : memories)
    operands.push_back(&memory);
  interpreter::run(
      *lowered.module->getOps<tile::ProgramOp>().begin(), operands,
      {symbols.batch, symbols.tokens, symbols.media_items, symbols.sequences, symbols.longest_sequence});
  std::vector<HostTensor> results;
  for (std::size_t i = 0; i < signature.results.size(); ++i) {
    const interpreter::Memory &memory = memories[inputs.size() + i];
    results.push_back({signature.results[i].dtype, memory.shape, memory.elements});
  }
  return results;
}

} // namespace linmu::test
