// Ops of a step: they act on the slices of one token (`tensor<Kxf32>`, `f32`) and on states.
#ifndef LINMU_STEP_OPS_TD
#define LINMU_STEP_OPS_TD

include "dialects/pattern/PatternDialect.td"
include "dialects/pattern/StepInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Step_Vector : 1DTensorOf<[F32]>;
def Step_Matrix : 2DTensorOf<[F32]>;
def Step_Float : AnyTypeOf<[F32, 1DTensorOf<[F32]>, 2DTensorOf<[F32]>], "f32 or a tensor of f32 of rank 1 or 2">;

class Step_Op<string mnemonic, list<Trait> traits = []>
    : Pattern_Op<mnemonic, !listconcat([Pure, DeclareOpInterfaceMethods<StepOpInterface>], traits)>;

class Step_InferringOp<string mnemonic, list<Trait> traits = []>
    : Step_Op<mnemonic, !listconcat([InferTypeOpAdaptor], traits)>;

def OuterOp : Step_InferringOp<"outer"> {
  let summary = "Outer product: result[i, j] = column[i] * row[j]";
  let arguments = (ins Step_Vector:$column, Step_Vector:$row);
  let results = (outs Step_Matrix:$result);
  let assemblyFormat = "$column `,` $row attr-dict `:` type($column) `,` type($row)";
}

def ReadOp : Step_InferringOp<"read"> {
  let summary = "Reads a state with a key: result[j] = sum_i key[i] * state[i, j]";
  let arguments = (ins Step_Matrix:$state, Step_Vector:$key);
  let results = (outs Step_Vector:$result);
  let hasVerifier = 1;
  let assemblyFormat = "$state `,` $key attr-dict `:` type($state) `,` type($key)";
}

def ReadTransposedOp : Step_InferringOp<"read_transposed"> {
  let summary = "Reads a state along its other axis: result[i] = sum_j state[i, j] * value[j]";
  let arguments = (ins Step_Matrix:$state, Step_Vector:$value);
  let results = (outs Step_Vector:$result);
  let hasVerifier = 1;
  let assemblyFormat = "$state `,` $value attr-dict `:` type($state) `,` type($value)";
}

def DotOp : Step_Op<"dot", [SameTypeOperands]> {
  let summary = "Inner product of two vectors";
  let arguments = (ins Step_Vector:$lhs, Step_Vector:$rhs);
  let results = (outs F32:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs)";
}

def SumOp : Step_InferringOp<"sum"> {
  let summary = "Sums over one axis";
  let description = "The result of summing a vector is `f32`.";
  let arguments = (ins AnyTypeOf<[Step_Vector, Step_Matrix]>:$source, I64Attr:$axis);
  let results = (outs Step_Float:$result);
  let hasVerifier = 1;
  let assemblyFormat = "$source `over` $axis attr-dict `:` type($source)";
}

def BroadcastOp : Step_Op<"broadcast"> {
  let summary = "Repeats a scalar everywhere, or a vector along the axis that it lacks";
  let description = [{
    `pattern.broadcast %a : f32 to tensor<64x32xf32>` fills; `pattern.broadcast %k along 0 : tensor<64xf32>
    to tensor<64x32xf32>` lays the vector on axis 0: result[i, j] = k[i]. `i1` and `i32` may be broadcast
    too.
  }];
  let arguments = (ins AnyType:$source, OptionalAttr<I64Attr>:$axis);
  let results = (outs AnyRankedTensor:$result);
  let hasVerifier = 1;
  let assemblyFormat = "$source (`along` $axis^)? attr-dict `:` type($source) `to` type($result)";
}

def LagOp : Step_Op<"lag", [AllTypesMatch<["source", "result"]>]> {
  let summary = "A token operand's slice some tokens ago, along the order of the scan";
  let description = [{
    The source is an argument of the step that stands for a token operand. Before the first token the value
    is that of the operand's tail, where it has one, else `otherwise`, else zero. A source mask acts on what is
    read from the operand, not on tails, which hold what it left, and not on `otherwise`.
  }];
  let arguments = (ins AnyType:$source, I64Attr:$distance, Optional<AnyType>:$otherwise);
  let results = (outs AnyType:$result);
  let hasVerifier = 1;
  let assemblyFormat = [{
    $source `by` $distance (`otherwise` $otherwise^ `:` type($otherwise))? attr-dict `:` type($source)
  }];
}

def AssumeOp : Step_Op<"assume", [AllTypesMatch<["source", "result"]>]> {
  let summary = "States the range of a value: minimum <= value <= maximum";
  let description = [{
    The value itself is unchanged. The range analysis of decays relies on it; the interpreter checks it and
    reports a violation.
  }];
  let arguments = (ins Step_Float:$source, F64Attr:$minimum, F64Attr:$maximum);
  let results = (outs Step_Float:$result);
  let hasVerifier = 1;
  let assemblyFormat = "$source `in` ` ` `[` $minimum `,` $maximum `]` attr-dict `:` type($source)";
}

class Step_UnaryOp<string mnemonic> : Step_Op<mnemonic, [SameOperandsAndResultType]> {
  let arguments = (ins Step_Float:$source);
  let results = (outs Step_Float:$result);
  let assemblyFormat = "$source attr-dict `:` type($source)";
}

def SigmoidOp : Step_UnaryOp<"sigmoid"> {
  let summary = "1 / (1 + exp(-x))";
}

def SoftplusOp : Step_UnaryOp<"softplus"> {
  let summary = "log(1 + exp(x)), without overflow";
}

def YieldOp : Pattern_Op<"yield", [Pure, Terminator, AttrSizedOperandSegments,
    ParentOneOf<["ScanOp", "MapOp", "WindowAttentionOp", "WindowAdjointOp", "NormalScanOp"]>]> {
  let summary = "Ends a step: this token's outputs and the next states";
  let arguments = (ins Variadic<AnyType>:$outputs, Variadic<AnyType>:$states);
  let assemblyFormat = [{
    oilist(`outputs` `(` $outputs `:` type($outputs) `)` | `states` `(` $states `:` type($states) `)`) attr-dict
  }];
}

#endif // LINMU_STEP_OPS_TD
