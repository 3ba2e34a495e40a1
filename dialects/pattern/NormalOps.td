// The normal form of an affine scan: what `normalize` makes of a scan and `derive` starts from.
#ifndef LINMU_NORMAL_OPS_TD
#define LINMU_NORMAL_OPS_TD

include "dialects/pattern/ReduceOps.td"

def FormOp : Pattern_Op<"form", [Pure, Terminator, AttrSizedOperandSegments]> {
  let summary = "The normal form of one state";
  let description = [{
    `decay` is g, the logarithm of the decay, at most 0: absent (no decay), `f32` (scalar decay) or a vector
    over the key axis (row-wise decay). `value_decay` is h, that of a decay by value column: a vector over the
    value axis, at most 0; then there is no feedback. With both, an element decays by exp(g_k + h_v). `sign` and
    `value_sign`, of the same types, are 1 or -1: the decay is s exp(g), that of columns t exp(h). Without them it is
    not negative.
    `key_axis` is the axis of the stored state that reads contract: 0 or 1; -1 where the state has no key axis
    (K = 1: a vector along the value axis, or a scalar). Keys r_j, k_i are vectors over the key axis (`f32`
    where there is none), values v_i vectors over the other axis (`f32` where there is none). `feedback` lists the M_ij that are not zero; `feedback_index` holds their
    (i, j) pairs, flattened. `inclusive` has one entry a read.

    With `states` R the form is that of R states of one type that are computed together: S'_p = sum_q A_pq S_q + what is
    written to p. `coupling` lists the A_pq that are not zero, numbers of any size, `coupling_index` their (p, q) pairs,
    and there is no decay. `read_states` says of which state each read is, and `write_states` holds a (write, state)
    pair for each state that a write goes to. Keys and values are of one shape for all of them.
  }];
  let arguments = (ins
    Optional<Step_Float>:$decay,
    Optional<Step_Float>:$value_decay,
    Variadic<Step_Float>:$reads,
    Variadic<Step_Float>:$writes,
    Variadic<Step_Float>:$values,
    Variadic<F32>:$feedback,
    Variadic<F32>:$coupling,
    Optional<Step_Float>:$sign,
    Optional<Step_Float>:$value_sign,
    DenseI64ArrayAttr:$feedback_index,
    DenseBoolArrayAttr:$inclusive,
    I64Attr:$key_axis,
    DefaultValuedAttr<ConfinedAttr<I64Attr, [IntPositive]>, "1">:$states,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$coupling_index,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$read_states,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$write_states);
  let assemblyFormat = [{
    `key_axis` $key_axis
    (`decay` `(` $decay^ `:` type($decay) `)`)? (`sign` `(` $sign^ `:` type($sign) `)`)?
    (`value_decay` `(` $value_decay^ `:` type($value_decay) `)`)?
    (`value_sign` `(` $value_sign^ `:` type($value_sign) `)`)?
    (`reads` `(` $reads^ `:` type($reads) `)`)? `inclusive` $inclusive
    (`writes` `(` $writes^ `:` type($writes) `)`)?
    (`values` `(` $values^ `:` type($values) `)`)?
    (`feedback` `(` $feedback^ `)`)? `at` $feedback_index
    (`states` $states^ `coupling` `(` $coupling `)` `at` $coupling_index
     `of_reads` $read_states `of_writes` $write_states)?
    attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// "none", "scalar", "row-wise", "by value", the first of two "and by value", or "coupled".
    ::llvm::StringRef getDecayKind();
    bool hasSigns() { return getSign() || getValueSign(); }
    /// The operands that have gradients: all but the signs, which are the last.
    ::mlir::OperandRange getDifferentiable();
    /// The type of v_i, w_i and y_j for a state whose slice has the given type.
    ::mlir::Type getValueType(::mlir::Type state);
    /// Whether several states are computed together.
    bool isCoupled() { return getStates() > 1; }
    /// The state that a read is of, and those that a write goes to.
    int64_t getStateOfRead(int64_t read) { return getReadStates().empty() ? 0 : getReadStates()[read]; }
    ::llvm::SmallVector<int64_t, 2> getStatesOfWrite(int64_t write);
  }];
}

def NormalScanOp : Pattern_Op<"normal_scan",
    [Pure, AttrSizedOperandSegments, AttrSizedResultSegments, IsolatedFromAbove]> {
  let summary = "A scan whose states are all in the normal form";
  let description = [{
    Per token, for each state in turn (K x V, S the state before the token, S' the one after it):
    ```
      y_j = r_j^T S                         exclusive read
      w_i = v_i + sum_j M_ij y_j            feedback, of exclusive reads only
      S'  = diag(s exp g) S diag(t exp h) + sum_i k_i w_i^T
      y_j = r_j^T S'                        inclusive read
    ```
    Regions: one stage per state, or per coupled states, which follow each other; it ends in `pattern.form`. Then `finish`, which ends in
    `pattern.yield` with the outputs. A stage may use what earlier stages read and wrote, so states form
    strata. Block arguments: the params' slices, the tokens' slices, then for each earlier stage its y_0,
    y_1, ... and its w_0, w_1, ... (for `finish`: of all stages). No clause for segments or masks is left:
    they have become tokens and selects, and `tail_masks` as in `pattern.scan`.
  }];
  let arguments = (ins
    Variadic<Pattern_TokenTensor>:$params,
    Variadic<Pattern_TokenTensor>:$tokens,
    Variadic<Pattern_TokenTensor>:$tails,
    Variadic<Pattern_TokenTensor>:$inits,
    Optional<Pattern_TokenIndex>:$order,
    Optional<Pattern_SequenceTable>:$sequences,
    UnitAttr:$reverse,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$tail_owners,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$init_owners,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$tail_masks);
  let results = (outs Variadic<Pattern_TokenTensor>:$outputs, Variadic<Pattern_TokenTensor>:$finals,
                      Variadic<Pattern_TokenTensor>:$final_tails);
  let regions = (region VariadicRegion<SizedRegion<1>>:$stages);
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    int64_t getHeads();
    unsigned getNumStates() { return getFinals().size(); }
    unsigned getNumStages() { return getStages().size() - 1; }
    ::mlir::Block &getStage(unsigned stage) { return getStages()[stage].front(); }
    ::mlir::Block &getFinish() { return getStages().back().front(); }
    FormOp getForm(unsigned stage);
    /// The first state of a stage, and the stage of a state.
    unsigned getFirstState(unsigned stage);
    unsigned getStageOf(unsigned state);
    bool isCoupled();
    ::mlir::Value getTailOf(unsigned token);
    ::mlir::Value getInitOf(unsigned state);
  }];
}

def ScanAdjointOp : Pattern_Op<"scan_adjoint",
    [Pure, SingleBlock, AttrSizedOperandSegments, AttrSizedResultSegments, IsolatedFromAbove]> {
  let summary = "The gradients of a scan in normal form, by one walk in reverse";
  let description = [{
    The scan is that of one state whose stage is `stage`, with these `tokens` and this `init` (zero without one),
    walked as `reverse`, `order` and `sequences` say: see `pattern.scan`. gy_j and gw_i are what is sent back to y_j
    and w_i: `read_cotangents` and `write_cotangents` of those numbers, nothing for others; `final_cotangent` is
    what is sent back to the state at the end. With D the gradient of S' through later tokens, at first
    `final_cotangent`, and D' = D + sum_j r_j gy_j^T over inclusive reads, each token from the last to the first gives
    ```
      dv_i = dw_i = gw_i + k_i^T D'      dy_j = gy_j + sum_i M_ij dw_i    inclusive: dy_j = gy_j
      dk_i = D' w_i                      dr_j = S dy_j                    inclusive: S' dy_j
      dM_ij = dw_i . y_j                 dg = s exp(g) <S, D'>            along the axes that g lacks, so dh
      D before the token: diag(s exp g) D' diag(t exp h) + sum_j r_j dy_j^T over exclusive reads
    ```
    Results are the gradients of the form's operands but signs in their order, [B, N, H, ...], then D before the first
    token. Coupled states have a D each, with dA_pq = <D'_p, S_q> and D_q = sum_p A_pq D'_p + ...; `inits` are then those of
    all states or none, and `final_numbers` says to which of them the cotangents of final states belong.
  }];
  let arguments = (ins
    Variadic<Pattern_TokenTensor>:$tokens,
    Variadic<Pattern_TokenTensor>:$inits,
    Optional<Pattern_TokenIndex>:$order,
    Optional<Pattern_SequenceTable>:$sequences,
    Variadic<Pattern_TokenTensor>:$read_cotangents,
    Variadic<Pattern_TokenTensor>:$write_cotangents,
    Variadic<Pattern_TokenTensor>:$final_cotangents,
    UnitAttr:$reverse,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$read_numbers,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$write_numbers,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$final_numbers,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$init_numbers);
  let results = (outs Variadic<Pattern_TokenTensor>:$gradients, Variadic<Pattern_TokenTensor>:$init_gradients);
  let regions = (region SizedRegion<1>:$stage);
  let assemblyFormat = [{
    (`reverse` $reverse^)? `tokens` `(` $tokens `:` type($tokens) `)`
    (`init` `(` $inits^ `:` type($inits) `)`)? (`init_of` $init_numbers^)?
    (`order` `(` $order^ `:` type($order) `)`)?
    (`sequences` `(` $sequences^ `:` type($sequences) `)`)?
    (`read_cotangents` $read_numbers `(` $read_cotangents^ `:` type($read_cotangents) `)`)?
    (`write_cotangents` $write_numbers `(` $write_cotangents^ `:` type($write_cotangents) `)`)?
    (`final_cotangent` `(` $final_cotangents^ `:` type($final_cotangents) `)`)? (`final_of` $final_numbers^)?
    `->` `(` type($gradients) `)` `init` type($init_gradients) attr-dict-with-keyword `stage` $stage
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getHeads();
    ::mlir::Block &getBody() { return getStage().front(); }
    FormOp getForm();
    unsigned getNumStates() { return getInitGradients().size(); }
    /// The initial state, and what is sent back to the final one, or null.
    ::mlir::Value getInitOf(unsigned state);
    ::mlir::Value getFinalCotangentOf(unsigned state);
    /// The state's type of one batch and head.
    ::mlir::Type getStateSlice();
    /// gy_j and gw_i, or null.
    ::mlir::Value getReadCotangent(int64_t read);
    ::mlir::Value getWriteCotangent(int64_t write);
  }];
}

#endif // LINMU_NORMAL_OPS_TD
