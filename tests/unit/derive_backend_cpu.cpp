// Derived programs as machine code, one block range after the other. Operands end at an unreadable page.
#include "compiler/target/cpu/TargetCPU.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "tests/unit/derive_fixture.h"
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>

namespace linmu::test {
namespace {

std::size_t bytesOf(DType dtype) {
  return dtype == DType::i1 ? 1 : dtype == DType::bf16 || dtype == DType::f16 ? 2 : 4;
}

DType dtypeOf(mlir::Type type) {
  mlir::Type element = mlir::getElementTypeOrSelf(type);
  return element.isBF16()        ? DType::bf16
         : element.isF16()       ? DType::f16
         : element.isInteger(32) ? DType::i32
         : element.isInteger(1)  ? DType::i1
                                 : DType::f32;
}

/// Memory of a tensor that ends where a page without access begins.
class Guarded {
public:
  Guarded(std::vector<std::int64_t> shape, DType dtype) : shape(std::move(shape)), dtype(dtype) {
    std::size_t page = sysconf(_SC_PAGESIZE);
    for (std::int64_t extent : this->shape)
      count *= extent;
    std::size_t bytes = count * bytesOf(dtype), pages = (bytes + page - 1) / page;
    size_ = (pages + 1) * page;
    base_ = static_cast<std::byte *>(
        mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(base_ + pages * page, page, PROT_NONE);
    data = base_ + pages * page - bytes;
  }
  Guarded(const Guarded &) = delete;
  ~Guarded() { munmap(base_, size_); }

  void write(const Memory &memory) {
    for (std::int64_t i = 0; i < count; ++i) {
      double value = memory.elements[i];
      if (dtype == DType::f32) {
        reinterpret_cast<float *>(data)[i] = float(value);
      } else if (dtype == DType::i32) {
        reinterpret_cast<std::int32_t *>(data)[i] = std::isnan(value) ? -1 : std::int32_t(value);
      } else if (dtype == DType::i1) {
        data[i] = std::byte(value != 0);
      } else if (dtype == DType::bf16) {
        // Test inputs are bf16 numbers already.
        float rounded = float(value);
        std::uint32_t bits;
        std::memcpy(&bits, &rounded, 4);
        reinterpret_cast<std::uint16_t *>(data)[i] = std::uint16_t(bits >> 16);
      } else {
        throw std::runtime_error("the tests have no operand of this element type");
      }
    }
  }
  void read(Memory &memory) const {
    for (std::int64_t i = 0; i < count; ++i) {
      if (dtype == DType::f32) {
        memory.elements[i] = reinterpret_cast<float *>(data)[i];
      } else if (dtype == DType::i32) {
        memory.elements[i] = reinterpret_cast<std::int32_t *>(data)[i];
      } else {
        std::uint32_t bits = std::uint32_t(reinterpret_cast<std::uint16_t *>(data)[i]) << 16;
        float value;
        std::memcpy(&value, &bits, 4);
        memory.elements[i] = value;
      }
    }
  }

  /// struct { void *allocated, *aligned; int64 offset, sizes[rank], strides[rank]; }
  std::vector<std::int64_t> descriptor() const {
    std::vector<std::int64_t> words{std::int64_t(data), std::int64_t(data), 0};
    words.insert(words.end(), shape.begin(), shape.end());
    std::int64_t stride = 1;
    std::vector<std::int64_t> strides(shape.size());
    for (size_t axis = shape.size(); axis-- > 0; stride *= shape[axis])
      strides[axis] = stride;
    words.insert(words.end(), strides.begin(), strides.end());
    return words;
  }

  std::vector<std::int64_t> shape;
  DType dtype;
  std::int64_t count = 1;
  std::byte *data;

private:
  std::byte *base_;
  std::size_t size_;
};

Package compileProgram(Derived &derived) {
  mlir::OwningOpRef<mlir::ModuleOp> module = derived.module().clone();
  mlir::PassManager passes(module->getContext());
  passes.addPass(mlir::createCanonicalizerPass());
  passes.addPass(mlir::createCSEPass());
  if (failed(passes.run(*module)))
    throw std::runtime_error("canonicalization failed: " + derived.diagnostics());
  auto package = cpu::compile(*module, cpu::Machine::named(""), {}, "");
  if (failed(package))
    throw std::runtime_error("the CPU target failed: " + derived.diagnostics());
  return std::move(*package);
}

} // namespace

void registerBackend(mlir::DialectRegistry &registry) { cpu::registerTarget(registry); }

void execute(Derived &derived, llvm::ArrayRef<Memory *> operands, std::int64_t batch, std::int64_t tokens) {
  std::vector<std::unique_ptr<Guarded>> memory, temporaries;
  for (auto [argument, operand] : llvm::zip_equal(derived.program().getBody().getArguments(), operands)) {
    memory.push_back(std::make_unique<Guarded>(operand->shape, dtypeOf(argument.getType())));
    memory.back()->write(*operand);
  }
  std::size_t inputs = derived.program().getNumInputs();
  if (derived.package.images.empty())
    derived.package = compileProgram(derived);
  const Package &package = derived.package;
  std::vector<std::int64_t> values;
  for (const Expression &expression : package.expressions)
    values.push_back(expression.evaluate({.batch = batch, .tokens = tokens}));
  for (const Temporary &temporary : package.temporaries) {
    std::vector<std::int64_t> shape;
    for (ExpressionId extent : temporary.shape)
      shape.push_back(values[extent]);
    temporaries.push_back(std::make_unique<Guarded>(shape, temporary.dtype));
  }
  const std::vector<std::byte> &code = package.images.front().code;
  std::size_t size = code.size();
  void *image = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  std::memcpy(image, code.data(), size);
  mprotect(image, size, PROT_READ | PROT_EXEC);
  auto chosen = std::find_if(package.variants.begin(), package.variants.end(), [&](const Variant &variant) {
    return variant.condition == Variant::always || values[variant.condition];
  });
  for (const Launch &launch : chosen->launches) {
    std::vector<std::vector<std::int64_t>> words; // descriptors, numbers and the grid
    for (const Binding &binding : launch.operands)
      words.push_back(binding.kind == Binding::input       ? memory[binding.index]->descriptor()
                      : binding.kind == Binding::result    ? memory[inputs + binding.index]->descriptor()
                      : binding.kind == Binding::temporary ? temporaries[binding.index]->descriptor()
                                                           : std::vector{values[binding.index]});
    std::vector<std::int64_t> &grid = words.emplace_back(3, 1);
    std::int64_t blocks = 1;
    for (std::size_t dimension = 0; dimension < launch.grid.size(); ++dimension)
      blocks *= grid[dimension] = values[launch.grid[dimension]];
    std::vector<void *> arguments;
    for (auto &operand : words)
      arguments.push_back(operand.data());
    std::vector<std::byte> workspace(launch.workspace_bytes + 64);
    // Whatever an earlier launch left: not a number.
    std::memset(workspace.data(), 0xff, workspace.size());
    auto *aligned = reinterpret_cast<std::byte *>((std::uintptr_t(workspace.data()) + 63) / 64 * 64);
    auto kernel = reinterpret_cast<void (*)(void *const *, std::int64_t, std::int64_t, std::byte *)>(
        static_cast<std::byte *>(image) + launch.entry);
    kernel(arguments.data(), 0, blocks / 2, aligned);
    kernel(arguments.data(), blocks / 2, blocks, aligned);
  }
  munmap(image, size);
  for (size_t i = inputs; i < memory.size(); ++i)
    memory[i]->read(*operands[i]);
}

double tolerance(double, double cpu) { return cpu; }

} // namespace linmu::test
