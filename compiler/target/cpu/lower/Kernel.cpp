#include "compiler/target/cpu/lower/Kernel.h"

using namespace mlir;
using namespace linmu::cpu;

Value Kernel::blockPlace(Value number, int64_t dimension) {
  for (int64_t inner = 0; inner < dimension; ++inner)
    number = arith::DivUIOp::create(emit, number, grid[inner]);
  return dimension == 2 ? number : Value(arith::RemUIOp::create(emit, number, grid[dimension]));
}

void linmu::cpu::forEachVector(Emit &emit, const RegisterBlock &at,
                               function_ref<void(Value, Value, Value)> body) {
  for (int64_t p = 0; p < at.panels; ++p) {
    Value panel = emit.add(at.panel, p), column = emit.add(at.column, p * Machine::width);
    for (int64_t r = 0; r < at.rows; ++r)
      body(emit.add(at.row, r), panel, column);
  }
}
