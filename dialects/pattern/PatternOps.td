// Ops on token tensors: scan, map, permute, window_attention and window_adjoint.
#ifndef LINMU_PATTERN_OPS_TD
#define LINMU_PATTERN_OPS_TD

include "dialects/pattern/PatternDialect.td"
include "dialects/pattern/StepOps.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Pattern_TokenTensor : RankedTensorOf<[F32, BF16, F16, I32, I1]>;
def Pattern_TokenIndex : 2DTensorOf<[I32]>;
def Pattern_TokenMask : 2DTensorOf<[I1]>;
def Pattern_MediaTable : 2DTensorOf<[I32]>;
def Pattern_SequenceTable : 1DTensorOf<[I32]>;

// Scan and map share their operands, assembly and verifier (TokenLoop.h).
defvar Pattern_LoopArguments = (ins
  Variadic<Pattern_TokenTensor>:$params,
  Variadic<Pattern_TokenTensor>:$tokens,
  Variadic<Pattern_TokenTensor>:$tails,
  Variadic<Pattern_TokenTensor>:$inits,
  Optional<Pattern_TokenIndex>:$order,
  Optional<Pattern_SequenceTable>:$sequences,
  Optional<Pattern_TokenIndex>:$segments,
  Optional<Pattern_TokenMask>:$source_mask,
  Optional<Pattern_TokenMask>:$output_mask,
  UnitAttr:$reverse,
  DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$tail_owners,
  DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$init_owners,
  DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$zeroes,
  DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$tail_masks);

defvar Pattern_LoopDescription = [{
    The step is one block. Its arguments are, in this order: the params' slices of this head, the tokens'
    slices of this token and head, and the states. Floats arrive as f32 whatever their storage type, and
    outputs are rounded to the storage type of the result. Results are the outputs, then the final states,
    then the final tails (the last tokens of each operand with a tail, as lags read them; of the segments last).

    A walk may be cut into parts, each run on its own tokens: final states become initial states, final tails
    become tails, and the results are those of the whole. For that every state has an initial value, every
    operand that lags read has a tail, and so have the segments. A part may have any number of tokens, none
    included.

    Clauses, each optional and in any order:
    - `params`: per head, `tensor<HxDxf32>` or `tensor<Hxf32>`; a head count of 1 is shared by all heads.
    - `tokens`: `%x = %X : type`; `tensor<?x?xT>` is a scalar that all heads share; with `tail %T` (`tensor<?xLxHxDxT>`, oldest first) lags reach back into T.
    - `states`: `%S = %S0 : tensor<?xHxKxVxf32>`, or `%S = zero : ...`. Rank-1 and scalar states lack axes.
    - `order(%i)`: position p of the loop is token i[p]. Outputs are written to token i[p].
    - `sequences(%cu)`: the batch is one, [1, N, ...], and holds S sequences one after the other: sequence s is
      walked over the positions cu[s] to cu[s + 1] - 1. `tensor<?xi32>` with S + 1 entries from 0 to N, none
      below the one before. States and tails have an entry for each sequence, [S, ...]; neither they nor lags
      reach from one into another. With `order` its tokens are those at its positions.
    - `reverse`: positions run from the last to the first; both directions include their own token.
    - `segments(%id)`: the states restart at zero where the id differs from that of the position before; at the
      first position that of the newest token of a tail, `segments(%id tail %T)` with `tensor<?x1xi32>`; without one
      the states never restart there. The segments count as the token operand behind the last one in `tail_owners`.
    - `source_mask(%m) zeroes(%k, ...)`: the named token arguments read as zero where m is false, also by lags; so
      they lie in final tails. Tails are read as they are: what they hold has passed the mask of its own part.
    - `output_mask(%m)`: outputs are zero where m is false.

    `tail_masks` is what `expand-clauses` leaves of a source mask beside tails: for each tail the number of the
    token operand, `tensor<?x?xi1>`, where whose elements are false the final tail holds zeros, or -1.
}];

class Pattern_LoopOp<string mnemonic>
    : Pattern_Op<mnemonic, [Pure, SingleBlock, AttrSizedOperandSegments, AttrSizedResultSegments,
                            IsolatedFromAbove]> {
  let arguments = Pattern_LoopArguments;
  let regions = (region SizedRegion<1>:$step);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  code loopDeclarations = [{
    /// The head count of the loop: that of its results.
    int64_t getHeads();
    ::mlir::Block &getBody() { return getStep().front(); }
    YieldOp getYield();
    ::llvm::ArrayRef<::mlir::BlockArgument> getParamArguments();
    ::llvm::ArrayRef<::mlir::BlockArgument> getTokenArguments();
    ::llvm::ArrayRef<::mlir::BlockArgument> getStateArguments();
    /// The tail of token operand `token`, or null; the segments count as the operand behind the last one.
    ::mlir::Value getTailOf(unsigned token);
    /// The initial value of state `state`, or null where it starts at zero.
    ::mlir::Value getInitOf(unsigned state);
  }];
}

def ScanOp : Pattern_LoopOp<"scan"> {
  let summary = "A recurrence along the token order";
  let description = Pattern_LoopDescription;
  let results = (outs Variadic<Pattern_TokenTensor>:$outputs, Variadic<Pattern_TokenTensor>:$finals,
                      Variadic<Pattern_TokenTensor>:$final_tails);
  let extraClassDeclaration = loopDeclarations;
}

def MapOp : Pattern_LoopOp<"map"> {
  let summary = "Row-wise work on each token: a scan without state";
  let description = Pattern_LoopDescription;
  let results = (outs Variadic<Pattern_TokenTensor>:$outputs, Variadic<Pattern_TokenTensor>:$finals,
                      Variadic<Pattern_TokenTensor>:$final_tails);
  let extraClassDeclaration = loopDeclarations;
}

def Pattern_OrderAttr : AttrDef<Pattern_Dialect, "Order"> {
  let mnemonic = "order";
  let summary = "A token order inside each media item, axes from major to minor";
  let description = [{
    `#pattern.order<t, y, x>` is raster order; `#pattern.order<x, y, t>` visits time fastest. Text stays in
    place, and so does each item's range of positions.
  }];
  let parameters = (ins ArrayRefParameter<"unsigned">:$axes);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def TokenOrderOp : Pattern_Op<"token_order", [Pure]> {
  let summary = "The token index of a symbolic order: result[b, p] is the token at position p";
  let description = [{
    `like` is any token tensor; it gives the batch and the number of tokens. Rows of the media table are
    (first token, t, h, w); items must not overlap.
  }];
  let arguments = (ins Pattern_OrderAttr:$axes, Pattern_MediaTable:$media, Pattern_TokenTensor:$like);
  let results = (outs Pattern_TokenIndex:$result);
  let hasVerifier = 1;
  let assemblyFormat = [{
    $axes `media` `(` $media `:` type($media) `)` `like` $like attr-dict `:` type($like) `->` type($result)
  }];
}

def PermuteOp : Pattern_Op<"permute", [Pure, AllTypesMatch<["source", "result"]>]> {
  let summary = "Reorders tokens: result[p] = source[order[p]], or result[order[p]] = source[p] with `inverse`";
  let description = "The source is any token tensor, also one without heads (`tensor<?x?xT>`): an order, a mask.";
  let arguments = (ins Pattern_TokenTensor:$source, Pattern_TokenIndex:$order, UnitAttr:$inverse);
  let results = (outs Pattern_TokenTensor:$result);
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let assemblyFormat = [{
    (`inverse` $inverse^)? $source `order` `(` $order `:` type($order) `)` attr-dict `:` type($source)
  }];
}

def WindowAttentionOp : Pattern_Op<"window_attention", [Pure, IsolatedFromAbove]> {
  let summary = "Softmax attention inside windows (t, h, w) of each media item's grid, cyclically shifted";
  let description = [{
    Each axis of the grid is padded to whole windows and shifted cyclically: the token at coordinate c is in
    window floor(((c - shift) mod padded) / size), where padded is the extent rounded up to a multiple of the
    size. The padding holds no tokens, so that windows at the far end may be ragged. An axis on which the grid
    is no larger than the window has one window and no shift. With `wrap masked` a token attends only to keys
    on the same side of the wrap (coordinates below the shift are on the far one); with `wrap joined` to the
    whole window. Tokens in no item get zero.

    The optional region maps (score, query t, y, x, key t, y, x, head) to the score that the softmax sees;
    the score is `scale * dot(query, key)`; coordinates are those of the grid, i32. A key whose score is -inf
    is not seen, whatever its value holds; a query that sees no key gets zero.
  }];
  let arguments = (ins Pattern_TokenTensor:$query, Pattern_TokenTensor:$key, Pattern_TokenTensor:$value,
                       Pattern_MediaTable:$media, DenseI64ArrayAttr:$window, DenseI64ArrayAttr:$shift,
                       F64Attr:$scale, UnitAttr:$join_wrapped);
  let results = (outs Pattern_TokenTensor:$result);
  let regions = (region MaxSizedRegion<1>:$score);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def WindowAdjointOp : Pattern_Op<"window_adjoint", [Pure, IsolatedFromAbove]> {
  let summary = "The gradients of window_attention";
  let description = [{
    Of the window_attention with these operands, clauses and `score`, given what is sent back to its result,
    `cotangent`. With s the scaled product of a query q and a key k, f its score and P the pair's weight:
    ```
      dP = cotangent of q . value of k         df = P (dP - sum over k of P dP)
      ds = df times the derivative of f by s   dv = sum over q of P cotangent
      dq = scale sum over k of ds k            dk = scale sum over q of ds q
    ```
    Keys and values get the sums over the query heads that share them. `score_gradient` maps (score, query t, y, x,
    key t, y, x, head, df) to ds; both regions stand, or none: then f = s and ds = df. A pair that is not seen sends
    nothing back, whatever its query, key and value hold; tokens in no item get zero. Results are those of the
    query, the key and the value; like the cotangent they are of f32, bf16 or f16.
  }];
  let arguments = (ins Pattern_TokenTensor:$query, Pattern_TokenTensor:$key, Pattern_TokenTensor:$value,
                       Pattern_TokenTensor:$cotangent, Pattern_MediaTable:$media, DenseI64ArrayAttr:$window,
                       DenseI64ArrayAttr:$shift, F64Attr:$scale, UnitAttr:$join_wrapped);
  let results = (outs Pattern_TokenTensor:$d_query, Pattern_TokenTensor:$d_key, Pattern_TokenTensor:$d_value);
  let regions = (region MaxSizedRegion<1>:$score, MaxSizedRegion<1>:$score_gradient);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

#endif // LINMU_PATTERN_OPS_TD
