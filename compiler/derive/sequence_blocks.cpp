#include "compiler/derive/sequence_blocks.h"
#include "compiler/derive/program_expressions.h"
#include "compiler/tile/tile_conversions.h"
#include "compiler/tile/tile_memory.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace linmu;

Value SequenceBlocks::places(ProgramBuilder &program) const {
  return view_.sequences
             ? add(program, divide(program, program.tokens(), size_), program.sequencesOf(view_.sequences))
             : ceilDivide(program, program.tokens(), size_);
}

/// Of the first block of a sequence that begins at `begin`.
Value SequenceBlocks::placeOf(TileBuilder &builder, Value begin, Value sequence) const {
  Value before = arith::DivUIOp::create(builder, begin, builder.index(size_));
  return builder.add(before, sequence);
}

Value SequenceBlocks::placeOf(LoopKernel &kernel, Value number) const {
  if (!view_.sequences)
    return number;
  return kernel.builder.add(placeOf(kernel.builder, kernel.walk.begin, kernel.walk.sequence), number);
}

/// The last sequence whose first block lies at `place` or before it, by bisection: tables have fewer than
/// 2^31 entries.
Value SequenceBlocks::sequenceAt(LoopKernel &kernel, Value place) const {
  constexpr int64_t mostHalvings = 31;
  TileBuilder &builder = kernel.builder;
  Value table = kernel.argument(view_.sequences), one = builder.index(1);
  Value entries = tensor::DimOp::create(builder, table, builder.index(0));
  auto loop = scf::ForOp::create(builder, builder.index(0), builder.index(mostHalvings), one,
                                 ValueRange{builder.index(0), builder.subtract(entries, one)});
  OpBuilder::InsertionGuard guard(builder);
  Block *body = loop.getBody();
  if (!body->empty())
    body->back().erase();
  builder.setInsertionPointToEnd(body);
  Value low = loop.getRegionIterArg(0), high = loop.getRegionIterArg(1);
  Value middle = arith::DivUIOp::create(builder, builder.add(low, high), builder.index(2));
  Value first = placeOf(builder, toIndex(builder, loadTile(builder, table, {middle})), middle);
  Value reached = builder.compare(arith::CmpIPredicate::sle, first, place);
  scf::YieldOp::create(
      builder, ValueRange{builder.select(reached, middle, low), builder.select(reached, high, middle)});
  return loop.getResult(0);
}

Value SequenceBlocks::enter(LoopKernel &kernel, ProgramBuilder &program, Value places) const {
  TileBuilder &builder = kernel.builder;
  kernel.walk.head = builder.blockId(0);
  kernel.launch.grid = {program.constant(view_.heads), places ? places : this->places(program)};
  if (!view_.sequences) {
    kernel.walk.batch = builder.blockId(2);
    kernel.launch.grid.push_back(program.batch());
    return builder.blockId(1);
  }
  Value place = builder.blockId(1);
  kernel.walk.enter(builder, sequenceAt(kernel, place), kernel.argument(view_.sequences));
  Value number = builder.subtract(place, placeOf(kernel, builder.index(0)));
  Value some = builder.compare(arith::CmpIPredicate::slt, builder.multiply(number, builder.index(size_)),
                               kernel.walk.tokens);
  auto branch = scf::IfOp::create(builder, some, /*withElseRegion=*/false);
  builder.setInsertionPoint(branch.thenYield());
  return number;
}
