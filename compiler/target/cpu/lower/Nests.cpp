#include "compiler/target/cpu/lower/Nests.h"
#include "compiler/target/cpu/lower/Lowering.h"

using namespace mlir;
using namespace linmu::cpu;

// Enough to hide a row's own instructions, few enough for the registers.
static constexpr int64_t mostPanelsOfRow = 8;

int64_t linmu::cpu::blockRows(const Kernel &kernel, int64_t rows) {
  int64_t block = kernel.machine.rows;
  while (rows % block)
    block /= 2;
  return block;
}

int64_t linmu::cpu::blockPanels(const Kernel &kernel, int64_t columns) {
  return largestDivisor(panelsOf(columns), kernel.machine.panels);
}

int64_t linmu::cpu::panelsOfRow(Value tile) {
  return largestDivisor(panelsOf(shapeOf(tile)[1]), mostPanelsOfRow);
}

void linmu::cpu::forEachBlock(Kernel &kernel, ArrayRef<int64_t> shape, bool lowerOnly, int64_t panels,
                              function_ref<void(const RegisterBlock &)> body) {
  Emit &emit = kernel.emit;
  int64_t rows = blockRows(kernel, shape[0]), count = panelsOf(shape[1]);
  emit.loop(0, count, panels, [&](Value panel) {
    Value column = emit.multiply(panel, Machine::width);
    auto atRow = [&](Value row) { body({row, rows, panel, column, panels}); };
    // Blocks above the diagonal of a lower triangle are never read.
    if (lowerOnly && count > panels)
      emit.loop(column, emit.index(shape[0]), rows, atRow);
    else
      emit.loop(0, shape[0], rows, atRow);
  });
}

void linmu::cpu::forEachBlockOf(Lowering &lowering, Value tile, bool lowerOnly,
                                function_ref<void(const RegisterBlock &)> body) {
  Kernel &kernel = lowering.kernel;
  Emit &emit = kernel.emit;
  ArrayRef<int64_t> shape = shapeOf(tile);
  // A product reads fewer elements a multiplication in a wider block; anything else gains nothing from one.
  int64_t rows = blockRows(kernel, shape[0]);
  int64_t panels = inlinedWork(kernel, tile) > 0 ? blockPanels(kernel, shape[1]) : 1;
  int64_t blocksDown = shape[0] / rows, blocksAcross = panelsOf(shape[1]) / panels;
  Prefetcher::Shares shares = lowering.prefetcher.take(tile, blocksAcross * blocksDown);
  forEachBlock(kernel, shape, lowerOnly, panels, [&](const RegisterBlock &at) {
    if (!shares.empty()) {
      Value across = arith::DivUIOp::create(emit, at.panel, emit.index(panels));
      Value down = arith::DivUIOp::create(emit, at.row, emit.index(rows));
      lowering.prefetcher.enterBlock(shares, emit.add(emit.multiply(across, blocksDown), down));
    }
    body(at);
    lowering.prefetcher.leaveBlock();
  });
}
