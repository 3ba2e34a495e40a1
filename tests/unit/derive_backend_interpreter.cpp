// Derived programs by the fp64 interpreter: what differs from a loop is the algebra alone.
#include "tests/unit/derive_fixture.h"

namespace linmu::test {

void registerBackend(mlir::DialectRegistry &) {}

void execute(Derived &derived, llvm::ArrayRef<Memory *> operands, std::int64_t batch, std::int64_t tokens) {
  interpreter::run(derived.program(), operands, {.batch = batch, .tokens = tokens});
}

double tolerance(double exact, double) { return exact; }

} // namespace linmu::test
