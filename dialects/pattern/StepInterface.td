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
      (ins "::llvm::ArrayRef<::linmu::pattern::StepValue>":$operands)>
  ];
}

#endif // LINMU_STEP_INTERFACE_TD
