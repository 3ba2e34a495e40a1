// Printed kernels as text that compiles: by NVRTC for devices, and for the emulation, where one of them runs.
#include "compiler/target/cuda/dialect/Cuda.h"
#include "compiler/target/cuda/emulation/HostCompiler.h"
#include "compiler/target/cuda/prelude/Prelude.h"
#include "compiler/target/cuda/print/Printer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Parser/Parser.h"
#include "nvrtc.h"
#include <gtest/gtest.h>
#include <set>

using namespace mlir;

namespace linmu {
namespace {

class CudaPrint : public testing::Test {
protected:
  CudaPrint() {
    DialectRegistry registry;
    registry
        .insert<tile::TileDialect, cuda::CudaDialect, arith::ArithDialect, gpu::GPUDialect, math::MathDialect,
                memref::MemRefDialect, vector::VectorDialect, scf::SCFDialect, tensor::TensorDialect>();
    context.appendDialectRegistry(registry);
  }

  static std::vector<KernelSource> printed(tile::ProgramOp program) {
    auto kernels = cuda::printProgram(program);
    return succeeded(kernels) ? *kernels : std::vector<KernelSource>();
  }

  std::string print(OwningOpRef<ModuleOp> &&module) { return print(module); }
  std::string print(OwningOpRef<ModuleOp> &module) {
    std::string text;
    if (!module)
      return text;
    for (auto program : module->getOps<tile::ProgramOp>())
      for (const KernelSource &kernel : printed(program))
        text += kernel.text;
    return text;
  }

  MLIRContext context;
};

/// The lit tests that print; each op of a kernel stands in one of them.
class PrintedFile : public CudaPrint, public testing::WithParamInterface<const char *> {
protected:
  OwningOpRef<ModuleOp> module =
      parseSourceFile<ModuleOp>(std::string(LINMU_TEST_PRINTED "/print-") + GetParam() + ".mlir", &context);
};
const char *const files[] = {"kernel", "arithmetic", "math", "vectors", "memory", "control", "lines"};
INSTANTIATE_TEST_SUITE_P(All, PrintedFile, testing::ValuesIn(files),
                         [](const auto &info) { return std::string(info.param); });

TEST_P(PrintedFile, CompilesForDevices) {
  std::string text = print(module);
  ASSERT_GT(text.size(), 100U);
  for (const char *architecture : {"sm_80", "sm_90a"})
    // Without optimisation nothing that is not used falls away.
    for (const std::vector<std::string> &options : {std::vector<std::string>(), {"--device-debug"}}) {
      NvrtcResult result = compileWithNvrtc(std::string(cuda::devicePrelude()) + text, architecture, options);
      EXPECT_TRUE(result.compiled) << architecture << ": " << result.log;
      EXPECT_GT(result.cubin.size(), 1000U);
    }
}

TEST_P(PrintedFile, EachKernelCompilesApart) {
  module->walk([&](tile::ProgramOp program) {
    std::vector<KernelSource> kernels = printed(program);
    std::vector<std::string> names;
    for (auto kernel : program.getBody().getOps<tile::KernelOp>())
      names.push_back(kernel.getSymName().str());
    ASSERT_EQ(kernels.size(), names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      EXPECT_EQ(kernels[i].kernel, names[i]);
      NvrtcResult result =
          compileWithNvrtc(std::string(cuda::devicePrelude()) + kernels[i].text, "sm_90a", {});
      EXPECT_TRUE(result.compiled) << result.log;
      std::string code(result.cubin.begin(), result.cubin.end());
      for (const std::string &name : names)
        EXPECT_EQ(code.find(".text." + name + '\0') != code.npos, name == names[i])
            << names[i] << ", " << name;
    }
  });
}

TEST_P(PrintedFile, CompilesForTheHost) {
  std::string text = print(module);
  module->walk([&](tile::KernelOp kernel) {
    emulation::HostCompilation result =
        emulation::compileForHost(text, kernel.getSymName().str(), LINMU_TEST_COMPILER);
    EXPECT_TRUE(result.kernel) << toString(result.verdict);
  });
}

TEST_F(CudaPrint, EveryOpIsInOneOfTheFiles) {
  std::set<std::string> seen;
  for (const char *file : files) {
    auto module =
        parseSourceFile<ModuleOp>(std::string(LINMU_TEST_PRINTED "/print-") + file + ".mlir", &context);
    ASSERT_TRUE(module);
    module->walk([&](Operation *op) { seen.insert(op->getName().getStringRef().str()); });
  }
  ASSERT_GT(cuda::printedOps().size(), 90U);
  for (StringRef op : cuda::printedOps())
    EXPECT_TRUE(seen.contains(op.str())) << op.str();
}

TEST_F(CudaPrint, TheSameProgramIsAlwaysTheSameText) {
  for (const char *file : files) {
    std::string path = std::string(LINMU_TEST_PRINTED "/print-") + file + ".mlir";
    EXPECT_EQ(print(parseSourceFile<ModuleOp>(path, &context)),
              print(parseSourceFile<ModuleOp>(path, &context)));
  }
}

/// c = scale * a b of each matrix of a batch, by one warp a block; 16 x 32 by 32 x 8, 16 of the sums at a
/// time.
constexpr const char *matmul = R"mlir(
#shared = #gpu.address_space<workgroup>
tile.program @p inputs(%a: tensor<?x16x32xbf16>, %b: tensor<?x32x8xbf16>) results(%c: tensor<?x16x8xf32>) {
  tile.kernel @matmul(%a: tensor<?x16x32xbf16>, %scale: index, %b: tensor<?x32x8xbf16>, %c: tensor<?x16x8xf32>)
      attributes {threads = 32 : i64, shared_bytes = 768 : i64} {
    %batch = tile.block_id 1
    %lane = gpu.lane_id
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c4 = arith.constant 4 : index
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %c512 = arith.constant 512 : index
    %depth = arith.constant 32 : index
    %all = gpu.dynamic_shared_memory : memref<?xi8, #shared>
    %as = memref.view %all[%c0][] : memref<?xi8, #shared> to memref<256xbf16, #shared>
    %bs = memref.view %all[%c512][] : memref<?xi8, #shared> to memref<128xbf16, #shared>
    %row = arith.divui %lane, %c2 : index
    %half = arith.remui %lane, %c2 : index
    %column = arith.muli %half, %c8 : index
    %to = arith.muli %lane, %c8 : index
    %takes = arith.cmpi ult, %lane, %c16 : index
    %low = arith.remui %lane, %c16 : index
    %high = arith.divui %lane, %c16 : index
    %low16 = arith.muli %low, %c16 : index
    %high8 = arith.muli %high, %c8 : index
    %fa = arith.addi %low16, %high8 : index
    %fb = arith.muli %low, %c8 : index
    %zero = arith.constant dense<0.0> : vector<4xf32>
    %sums = scf.for %k = %c0 to %depth step %c16 iter_args(%s = %zero) -> vector<4xf32> {
      %ka = arith.addi %k, %column : index
      cuda.copy 8 of %a[%batch, %row, %ka], %as[%to] : tensor<?x16x32xbf16>, memref<256xbf16, #shared> loc("pattern.mlir":12:1)
      scf.if %takes {
        %kb = arith.addi %k, %lane : index
        %v = cuda.load %b[%batch, %kb, %c0] : tensor<?x32x8xbf16> -> vector<8xbf16>
        vector.store %v, %bs[%to] : memref<128xbf16, #shared>, vector<8xbf16> loc("pattern.mlir":12:1)
      }
      cuda.commit
      cuda.wait pending 0
      gpu.barrier
      %x = cuda.ldmatrix %as[%fa] : memref<256xbf16, #shared> -> vector<8xbf16> loc("pattern.mlir":12:1)
      %y = cuda.ldmatrix transposed %bs[%fb] : memref<128xbf16, #shared> -> vector<4xbf16> loc("pattern.mlir":12:1)
      %n = cuda.mma %x, %y, %s : vector<8xbf16>, vector<4xbf16>, vector<4xf32>
      gpu.barrier
      scf.yield %n : vector<4xf32>
    }
    %i = arith.index_cast %scale : index to i32
    %f = arith.sitofp %i : i32 to f32
    %fs = vector.broadcast %f : f32 to vector<4xf32>
    %scaled = arith.mulf %sums, %fs : vector<4xf32>
    %upper = vector.extract_strided_slice %scaled {offsets = [0], sizes = [2], strides = [1]} : vector<4xf32> to vector<2xf32>
    %lower = vector.extract_strided_slice %scaled {offsets = [2], sizes = [2], strides = [1]} : vector<4xf32> to vector<2xf32>
    %r = arith.divui %lane, %c4 : index
    %r8 = arith.addi %r, %c8 : index
    %q = arith.remui %lane, %c4 : index
    %q2 = arith.muli %q, %c2 : index
    cuda.store %upper, %c[%batch, %r, %q2] : vector<2xf32>, tensor<?x16x8xf32>
    cuda.store %lower, %c[%batch, %r8, %q2] : vector<2xf32>, tensor<?x16x8xf32>
  }
}
)mlir";

constexpr int batch = 3, rows = 16, depth = 32, columns = 8, scale = -2;

int leftOf(int n, int i, int k) { return (n + 3 * i + 5 * k) % 7 - 3; }
int rightOf(int n, int k, int j) { return (2 * n + 5 * k + 3 * j) % 5 - 2; }
std::uint16_t bf16Of(int value) { return std::bit_cast<std::uint32_t>(float(value)) >> 16; }

class EmulatedMatmul : public CudaPrint {
protected:
  EmulatedMatmul() : text(print(parseSourceString<ModuleOp>(matmul, &context))) {}

  emulation::Verdict run(const std::string &kernel) {
    std::vector<std::uint16_t> a, b;
    for (int n = 0; n < batch; ++n) {
      for (int i = 0; i < rows; ++i)
        for (int k = 0; k < depth; ++k)
          a.push_back(bf16Of(leftOf(n, i, k)));
      for (int k = 0; k < depth; ++k)
        for (int j = 0; j < columns; ++j)
          b.push_back(bf16Of(rightOf(n, k, j)));
    }
    c.assign(batch * rows * columns, 0);
    // The address of an operand is its number among the arguments. The grid is 1 x 3 blocks.
    std::vector<std::int64_t> words = {1,     batch, rows,  depth, rows * depth, depth,           1,
                                       scale, 2,     batch, depth, columns,      depth * columns, columns,
                                       1,     3,     batch, rows,  columns,      rows * columns,  columns,
                                       1,     1,     batch, 1};
    std::span<const std::byte> bytes = std::as_bytes(std::span(words));
    emulation::Launch launch;
    launch.grid = {batch, 1, 1};
    launch.sharedBytes = 768;
    emulation::Operand left = emulation::operandOf(a), right = emulation::operandOf(b),
                       result = emulation::operandOf(c, /*initialised=*/false);
    left.written = right.written = false;
    std::vector<emulation::Argument> arguments = {emulation::Scalar{{bytes.begin(), bytes.end()}}, left,
                                                  right, result};
    return emulation::emulate(kernel, "matmul", LINMU_TEST_COMPILER, launch, arguments);
  }

  std::string text;
  std::vector<float> c;
};

TEST_F(EmulatedMatmul, GivesTheProducts) {
  ASSERT_EQ(toString(run(text)), "clean");
  for (int n = 0; n < batch; ++n)
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < columns; ++j) {
        int sum = 0;
        for (int k = 0; k < depth; ++k)
          sum += leftOf(n, i, k) * rightOf(n, k, j);
        EXPECT_EQ(c[(n * rows + i) * columns + j], scale * sum) << n << ", " << i << ", " << j;
      }
}

TEST_F(EmulatedMatmul, ShowsAFaultAtTheUsersLine) {
  for (const char *needed : {"copy_wait<0>();", "barrier();"}) {
    std::string without = text;
    std::size_t at = without.find(needed);
    ASSERT_NE(at, std::string::npos);
    without.replace(at, std::string_view(needed).size(), "");
    emulation::Verdict verdict = run(without);
    EXPECT_EQ(verdict.outcome, emulation::Outcome::error) << toString(verdict);
    EXPECT_EQ(verdict.file, "pattern.mlir") << toString(verdict);
    EXPECT_EQ(verdict.line, 12) << toString(verdict);
  }
}

} // namespace
} // namespace linmu
