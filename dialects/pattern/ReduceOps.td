// Sums of whole tensors: what gradients of shared operands are made of.
#ifndef LINMU_REDUCE_OPS_TD
#define LINMU_REDUCE_OPS_TD

include "dialects/pattern/PatternOps.td"

def ReduceOp : Pattern_Op<"reduce", [Pure]> {
  let summary = "Adds tensors, each summed over what the result lacks: heads of a group, all heads, the batch";
  let description = [{
    Sources and result are token tensors, or all are states, or the sources are states and the result is a param:
    ```
      tensor<?x?xHxDxT>  to  tensor<?x?xGxDxT>   result head g: the sum over heads g H / G to (g + 1) H / G - 1
      tensor<?x?xHxT>    to  tensor<?x?xT>       the sum over all heads
      tensor<?xHx...xT>  to  tensor<?xGx...xT>   states: heads of a group
      tensor<?xHx...xT>  to  tensor<Gx...xT>     to a param: over the batch, or the sequences, as well
    ```
    Sources may differ in their heads and element types; sums are taken in f32 and rounded to the result's type.
  }];
  let arguments = (ins Variadic<Pattern_TokenTensor>:$sources);
  let results = (outs Pattern_TokenTensor:$result);
  let assemblyFormat = "$sources attr-dict `:` type($sources) `->` type($result)";
  let hasVerifier = 1;
}

def InnerProductOp : Pattern_Op<"inner_product", [Pure, SameTypeOperands]> {
  let summary = "The inner product of two states over some axes of their slices";
  let description = [{
    For every sequence and head, the sum over `axes` (0, 1 or both, of the slice; none for a scalar) of lhs * rhs:
    `pattern.inner_product %a, %b over [1] : tensor<?x2x8x16xf32> -> tensor<?x2x8xf32>`.
  }];
  let arguments = (ins Pattern_TokenTensor:$lhs, Pattern_TokenTensor:$rhs, DenseI64ArrayAttr:$axes);
  let results = (outs Pattern_TokenTensor:$result);
  let assemblyFormat = "$lhs `,` $rhs `over` $axes attr-dict `:` type($lhs) `->` type($result)";
  let hasVerifier = 1;
}

#endif // LINMU_REDUCE_OPS_TD
