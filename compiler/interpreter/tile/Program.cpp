// Programs: expressions, temporaries, the variant that runs, its launches.
#include "compiler/interpreter/tile/Block.h"
#include <stdexcept>

using namespace mlir;
using linmu::pattern::StepValue;

namespace linmu::interpreter {
namespace {

/// A program's expressions, evaluated for one call.
class Call {
public:
  Call(tile::ProgramOp program, const Extents &extents) {
    for (Operation &op : program.getBody().front()) {
      if (auto extent = dyn_cast<tile::ExtentOp>(op))
        values_.bindIndex(extent, valueOf(extents, extent.getKind()));
      else if (!isa<tile::TemporaryOp, tile::KernelOp, tile::VariantOp>(op))
        values_.run(op);
    }
  }
  std::int64_t integer(Value value) const { return values_.integer(value); }
  tile::VariantOp variantOf(tile::ProgramOp program) const {
    for (auto variant : program.getBody().getOps<tile::VariantOp>())
      if (!variant.getCondition() || integer(variant.getCondition()))
        return variant;
    throw std::runtime_error("the program has no variant");
  }

private:
  static std::int64_t valueOf(const Extents &extents, tile::ExtentKind kind) {
    switch (kind) {
    case tile::ExtentKind::batch:
      return extents.batch;
    case tile::ExtentKind::tokens:
      return extents.tokens;
    case tile::ExtentKind::media_items:
      return extents.media_items;
    case tile::ExtentKind::sequences:
      return extents.sequences;
    case tile::ExtentKind::longest_sequence:
      return extents.longest_sequence;
    }
    llvm_unreachable("all kinds are listed");
  }
  Block values_{{}, {}};
};

} // namespace

std::string algorithmFor(tile::ProgramOp program, const Extents &extents) {
  return Call(program, extents).variantOf(program).getAlgorithm().str();
}

static void launch(tile::LaunchOp op, tile::KernelOp kernel, const Call &call,
                   const llvm::DenseMap<Value, Memory *> &memory) {
  Grid count{1, 1, 1};
  for (auto [dimension, extent] : llvm::enumerate(op.getGrid()))
    count[dimension] = call.integer(extent);
  for (std::int64_t z = 0; z < count[2]; ++z)
    for (std::int64_t y = 0; y < count[1]; ++y)
      for (std::int64_t x = 0; x < count[0]; ++x) {
        Block block({x, y, z}, count);
        for (auto [argument, operand] : llvm::zip_equal(kernel.getBody().getArguments(), op.getArguments()))
          if (argument.getType().isIndex())
            block.bindIndex(argument, call.integer(operand));
          else
            block.bindMemory(argument, memory.at(operand));
        block.run(kernel.getBody().front());
      }
}

void run(tile::ProgramOp program, ArrayRef<Memory *> operands, const Extents &extents) {
  Call call(program, extents);
  llvm::DenseMap<Value, Memory *> memory;
  for (auto [argument, operand] : llvm::zip_equal(program.getBody().getArguments(), operands))
    memory[argument] = operand;
  std::vector<std::unique_ptr<Memory>> temporaries;
  for (auto temporary : program.getBody().getOps<tile::TemporaryOp>()) {
    ArrayRef<int64_t> type = temporary.getResult().getType().getShape();
    std::vector<std::int64_t> shape(type.begin(), type.end());
    auto dynamic = temporary.getExtents().begin();
    for (std::int64_t &extent : shape)
      if (ShapedType::isDynamic(extent))
        extent = call.integer(*dynamic++);
    temporaries.push_back(std::make_unique<Memory>(StepValue::filled(shape, NAN)));
    memory[temporary] = temporaries.back().get();
  }
  for (auto op : call.variantOf(program).getBody().getOps<tile::LaunchOp>())
    launch(op, cast<tile::KernelOp>(SymbolTable::lookupSymbolIn(program, op.getKernelAttr())), call, memory);
}

} // namespace linmu::interpreter
