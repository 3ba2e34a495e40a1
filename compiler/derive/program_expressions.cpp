#include "compiler/derive/program_expressions.h"

using namespace mlir;
using namespace linmu;

Value linmu::add(ProgramBuilder &program, Value a, Value b) { return program.express<arith::AddIOp>(a, b); }

Value linmu::multiply(ProgramBuilder &program, Value value, int64_t factor) {
  return program.express<arith::MulIOp>(value, program.constant(factor));
}

Value linmu::divide(ProgramBuilder &program, Value value, int64_t divisor) {
  return program.express<arith::DivUIOp>(value, program.constant(divisor));
}

Value linmu::ceilDivide(ProgramBuilder &program, Value value, int64_t divisor) {
  return program.express<arith::CeilDivUIOp>(value, program.constant(divisor));
}

Value linmu::isLess(ProgramBuilder &program, Value value, Value bound) {
  return program.express<arith::CmpIOp>(arith::CmpIPredicate::ult, value, bound);
}

Value linmu::isLess(ProgramBuilder &program, Value value, int64_t bound) {
  return isLess(program, value, program.constant(bound));
}

Value linmu::isMore(ProgramBuilder &program, Value value, int64_t bound) {
  return program.express<arith::CmpIOp>(arith::CmpIPredicate::ugt, value, program.constant(bound));
}

Value linmu::both(ProgramBuilder &program, Value a, Value b) { return program.express<arith::AndIOp>(a, b); }
