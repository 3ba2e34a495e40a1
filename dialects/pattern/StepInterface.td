// What an op must say of itself to stand in the step of a scan.
#ifndef LINMU_STEP_INTERFACE_TD
#define LINMU_STEP_INTERFACE_TD

include "mlir/IR/OpBase.td"

def StepOpInterface : OpInterface<"StepOp"> {
  let cppNamespace = "::linmu::pattern";
  let description = [{
    Attached to this dialect's step ops and, as external models, to those of `arith` and `math` that a step
    may use. An op without it is rejected by the verifier of the surrounding scan, map or window.
  }];
  let methods = [
    InterfaceMethod<
      "The operands in which the result is linear while the others are held fixed. Empty: in none.",
      "::llvm::SmallVector<unsigned>", "linearIn", (ins)>,
    InterfaceMethod<
      "The op's value in exact arithmetic (fp64), given those of its operands.",
      "::linmu::pattern::StepValue", "evaluate",
      (ins "::llvm::ArrayRef<::linmu::pattern::StepValue>":$operands)>,
    InterfaceMethod<
      [{The vector-Jacobian product: for each operand what `cotangent`, the gradient of the result, sends back to it,
        built from the op's own operands and result. Null for an operand that is no float or gets nothing. Where
        the op has no derivative, at a kink, it is that of one side.}],
      "::llvm::SmallVector<::mlir::Value>", "vjp",
      (ins "::linmu::pattern::StepBuilder &":$builder, "::mlir::Value":$cotangent)>
  ];
}

#endif // LINMU_STEP_INTERFACE_TD
