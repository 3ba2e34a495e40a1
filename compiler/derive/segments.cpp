#include "compiler/derive/segments.h"

using namespace mlir;
using namespace linmu;

Value Segments::placeInGrid(LoopKernel &kernel, ProgramBuilder &program) const {
  kernel.walk.head = kernel.builder.blockId(0);
  kernel.walk.enter(kernel.builder, kernel.builder.blockId(2), kernel.argument(view_.sequences));
  kernel.launch.grid = {program.constant(view_.heads), program.constant(count_),
                        program.sequencesOf(view_.sequences)};
  return kernel.builder.blockId(1);
}

Value Segments::lengthOf(LoopKernel &kernel) const {
  TileBuilder &builder = kernel.builder;
  int64_t step = chunk_ * count_;
  Value chunks = arith::DivUIOp::create(builder, builder.add(kernel.walk.tokens, builder.index(step - 1)),
                                        builder.index(step));
  return builder.multiply(builder.maximum(chunks, builder.index(1)), builder.index(chunk_));
}

Value Segments::countOf(LoopKernel &kernel, Value length) const {
  TileBuilder &builder = kernel.builder;
  Value above = builder.add(kernel.walk.tokens, builder.subtract(length, builder.index(1)));
  return arith::DivUIOp::create(builder, above, length);
}

Segments::Tokens Segments::tokensOf(LoopKernel &kernel, Value segment) const {
  TileBuilder &builder = kernel.builder;
  Value length = lengthOf(kernel), first = builder.multiply(segment, length);
  return {first, builder.minimum(builder.add(first, length), kernel.walk.tokens)};
}
