#ifndef LINMU_TILE_OPS_TD
#define LINMU_TILE_OPS_TD

include "dialects/tile/TileDialect.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tile_Memory : RankedTensorOf<[F32, BF16, F16, I32, I1]>;
class Tile_StaticTensorOf<list<Type> elements, list<int> ranks>
    : RankedTensorOf<elements, [HasStaticShapePred, HasAnyRankOfPred<ranks>],
                     "static " # !interleave(!foreach(rank, ranks, rank # "D"), "/") # " tile">;
def Tile_Tile1D : Tile_StaticTensorOf<[AnyType], [1]>;
def Tile_Tile : AnyTypeOf<[AnyFloat, AnySignlessInteger, Index, Tile_StaticTensorOf<[AnyType], [1, 2]>],
                          "a scalar or a static tile of rank 1 or 2">;
def Tile_F32Matrix : Tile_StaticTensorOf<[F32], [2]>;
def Tile_F32Tile : Tile_StaticTensorOf<[F32], [1, 2]>;

//===------------------------------------------------------------------------------------------------===//
// Programs
//===------------------------------------------------------------------------------------------------===//

def ProgramOp : Tile_Op<"program", [Symbol, SymbolTable, NoTerminator, SingleBlock, IsolatedFromAbove]> {
  let summary = "All variants of one pattern: kernels, temporaries and launches";
  let description = [{
    The block's arguments are the pattern's inputs, then its results as destinations.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$num_inputs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
}

def TemporaryOp : Tile_Op<"temporary"> {
  let summary = "A tensor that lives between two launches of one call";
  let results = (outs Tile_Memory:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def VariantOp : Tile_Op<"variant", [NoTerminator, SingleBlock]> {
  let summary = "The launches for lengths from min_tokens to max_tokens, both included";
  let arguments = (ins I64Attr:$min_tokens, I64Attr:$max_tokens, StrAttr:$algorithm);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "`tokens` $min_tokens `to` $max_tokens `as` $algorithm attr-dict-with-keyword $body";
}

def LaunchOp : Tile_Op<"launch"> {
  let summary = "Runs a kernel on scale * B * ceil(N / tokens_per_block) blocks";
  let description = "The factor B is there with `times_batch`, the last one where tokens_per_block is not 0.";
  let arguments = (ins FlatSymbolRefAttr:$kernel, I64Attr:$scale, UnitAttr:$times_batch,
                       I64Attr:$tokens_per_block, Variadic<Tile_Memory>:$operands);
  let assemblyFormat = [{
    $kernel `blocks` $scale (`times_batch` $times_batch^)? `per_tokens` $tokens_per_block
    `(` $operands `:` type($operands) `)` attr-dict
  }];
}

def KernelOp : Tile_Op<"kernel", [Symbol, SingleBlock, NoTerminator, IsolatedFromAbove]> {
  let summary = "A block program: what one block of a launch does";
  let description = "Block arguments are the launch's operands.";
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
}

def BlockIdOp : Tile_Op<"block_id", [Pure]> {
  let summary = "The number of this block, from 0";
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}

def BlockCountOp : Tile_Op<"block_count", [Pure]> {
  let summary = "The number of blocks of the launch";
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}

//===------------------------------------------------------------------------------------------------===//
// Memory
//===------------------------------------------------------------------------------------------------===//

def LoadOp : Tile_Op<"load", [MemoryEffects<[MemRead]>]> {
  let summary = "Reads a tile from an operand";
  let description = [{
    The leading axes are indexed, each by an `index` scalar or, at most one of them, by a rank-1 tile of i32
    (a gather of rows); the other axes are taken whole. The result has the rows' axis first, then the whole
    ones: at most rank 2; rank 0 is a scalar. Every index must be in bounds; callers clamp.
  }];
  let arguments = (ins Tile_Memory:$source, Variadic<AnyTypeOf<[Index, Tile_Tile1D]>>:$indices);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = [{
    $source `[` $indices `]` attr-dict `:` type($source) `,` `[` type($indices) `]` `->` type($result)
  }];
  let hasVerifier = 1;
}

def StoreOp : Tile_Op<"store", [MemoryEffects<[MemWrite]>, AttrSizedOperandSegments]> {
  let summary = "Writes a tile to an operand; indices as in `tile.load`";
  let description = [{
    With `where`, only rows whose mask is true are written (a rank-1 i1 tile along the rows, or an i1 scalar
    where the indices are scalars); the indices of the others need not be in bounds.
  }];
  let arguments = (ins Tile_Tile:$value, Tile_Memory:$destination,
                       Variadic<AnyTypeOf<[Index, Tile_Tile1D]>>:$indices,
                       Optional<AnyTypeOf<[I1, Tile_Tile1D]>>:$mask);
  let assemblyFormat = [{
    $value `,` $destination `[` $indices `]` (`where` $mask^ `:` type($mask))? attr-dict `:` type($value) `,`
    type($destination) `,` `[` type($indices) `]`
  }];
  let hasVerifier = 1;
}

def PrefetchOp : Tile_Op<"prefetch", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Asks ahead for rows that a `tile.load` or `tile.store` with these indices will touch";
  let description = [{
    Indices as there, one of them a tile. They name the rows of this iteration of the enclosing loop; those of
    the iteration that the target runs next on this thread are meant. The indices must therefore be in bounds
    for every value of the loop's induction variable, those past its end included. A hint without a result: a
    target may drop it.
  }];
  let arguments = (ins Tile_Memory:$source, Variadic<AnyTypeOf<[Index, Tile_Tile1D]>>:$indices);
  let assemblyFormat = [{
    $source `[` $indices `]` attr-dict `:` type($source) `,` `[` type($indices) `]`
  }];
  let hasVerifier = 1;
}

//===------------------------------------------------------------------------------------------------===//
// Shapes
//===------------------------------------------------------------------------------------------------===//

def CoordinateOp : Tile_Op<"coordinate", [Pure]> {
  let summary = "result[i, j] = i or j, by the axis";
  let arguments = (ins I64Attr:$axis);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$axis attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def BroadcastOp : Tile_Op<"broadcast", [Pure]> {
  let summary = "Fills a tile with a scalar, or lays a rank-1 tile along `axis` of a matrix";
  let arguments = (ins Tile_Tile:$source, OptionalAttr<I64Attr>:$axis);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$source (`along` $axis^)? attr-dict `:` type($source) `to` type($result)";
  let hasVerifier = 1;
}

def ExtractOp : Tile_Op<"extract", [Pure]> {
  let summary = "Row `index` of a matrix, or element `index` of a rank-1 tile";
  let arguments = (ins Tile_Tile:$source, Index:$index);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$source `[` $index `]` attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def TransposeOp : Tile_Op<"transpose", [Pure]> {
  let summary = "result[j, i] = source[i, j]";
  let arguments = (ins Tile_Tile:$source);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

//===------------------------------------------------------------------------------------------------===//
// Arithmetic across elements
//===------------------------------------------------------------------------------------------------===//

def Tile_TriangleNone : I32EnumAttrCase<"none", 0>;
def Tile_TriangleLhs : I32EnumAttrCase<"lhs_lower", 1>;
def Tile_TriangleResult : I32EnumAttrCase<"result_lower", 2>;
def Tile_Triangle : I32EnumAttr<"Triangle", "what of a square operand or result is used",
    [Tile_TriangleNone, Tile_TriangleLhs, Tile_TriangleResult]> {
  let cppNamespace = "::linmu::tile";
}

def DotOp : Tile_Op<"dot", [Pure]> {
  let summary = "result = lhs * rhs + init";
  let description = [{
    `transpose_lhs`, `transpose_rhs`: the operand is stored transposed. `lhs_lower`: elements of lhs above
    its diagonal are zero and are not visited. `result_lower`: elements of the result above its diagonal are
    not used and may hold anything.
  }];
  let arguments = (ins Tile_F32Matrix:$lhs, Tile_F32Matrix:$rhs, Optional<Tile_F32Matrix>:$init,
                       UnitAttr:$transpose_lhs, UnitAttr:$transpose_rhs,
                       DefaultValuedAttr<Tile_Triangle, "::linmu::tile::Triangle::none">:$triangle);
  let results = (outs Tile_F32Matrix:$result);
  let assemblyFormat = [{
    (`transpose_lhs` $transpose_lhs^)? $lhs `,` (`transpose_rhs` $transpose_rhs^)? $rhs
    (`init` $init^ `:` type($init))? (`triangle` $triangle^)? attr-dict `:` type($lhs) `,` type($rhs) `->`
    type($result)
  }];
  let hasVerifier = 1;
}

def Tile_ReduceAdd : I32EnumAttrCase<"add", 0>;
def Tile_ReduceMax : I32EnumAttrCase<"max", 1>;
def Tile_ReduceMin : I32EnumAttrCase<"min", 2>;
def Tile_ReduceKind : I32EnumAttr<"ReduceKind", "how elements are combined",
    [Tile_ReduceAdd, Tile_ReduceMax, Tile_ReduceMin]> {
  let cppNamespace = "::linmu::tile";
}

def ReduceOp : Tile_Op<"reduce", [Pure]> {
  let summary = "Combines the elements along one axis; of a rank-1 tile, to a scalar";
  let arguments = (ins Tile_ReduceKind:$kind, Tile_F32Tile:$source, I64Attr:$axis);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$kind $source `over` $axis attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def CumsumOp : Tile_Op<"cumsum", [Pure, AllTypesMatch<["source", "sum", "error"]>]> {
  let summary = "Cumulative sum along axis 0, as a rounded sum and what rounding lost";
  let description = [{
    The error-free transformation of Knuth's TwoSum: sum + error is the sum to about twice f32's precision,
    so that differences of large sums keep f32's. With `exclusive` element i holds the sum before it.
  }];
  let arguments = (ins Tile_F32Tile:$source, UnitAttr:$exclusive);
  let results = (outs Tile_F32Tile:$sum, Tile_F32Tile:$error);
  let assemblyFormat = "(`exclusive` $exclusive^)? $source attr-dict `:` type($source)";
}

def CumprodOp : Tile_Op<"cumprod", [Pure, AllTypesMatch<["source", "result"]>]> {
  let summary = "Running products along axis 0";
  let description = [{
    Element i is the product of the elements up to i; with `exclusive`, of those before it. With `reversed` it
    is the product of those from i on, or after it.
  }];
  let arguments = (ins Tile_F32Tile:$source, UnitAttr:$exclusive, UnitAttr:$reversed);
  let results = (outs Tile_F32Tile:$result);
  let assemblyFormat = "(`exclusive` $exclusive^)? (`reversed` $reversed^)? $source attr-dict `:` type($source)";
}

def SolveOp : Tile_Op<"solve", [Pure, AttrSizedOperandSegments]> {
  let summary = "Solves w_i = v_i + sum_j lower(A_ij) w_j, each lower(A_ij) strictly lower triangular";
  let description = [{
    m right-hand sides v_i of C x V, m * m systems A_ij of C x C in row-major order; elements on and above
    their diagonals are not used. Results are the m solutions.
  }];
  let arguments = (ins Variadic<Tile_F32Matrix>:$systems, Variadic<Tile_F32Matrix>:$values);
  let results = (outs Variadic<Tile_F32Matrix>:$solutions);
  let assemblyFormat = [{
    `systems` `(` $systems `:` type($systems) `)` `values` `(` $values `:` type($values) `)` attr-dict `->`
    type($solutions)
  }];
  let hasVerifier = 1;
}

def DecayScoresOp : Tile_Op<"decay_scores", [Pure, AllTypesMatch<["reads", "keys", "decays"]>]> {
  let summary = "Scores of reads against keys under row-wise decay";
  let description = [{
    result[t, s] = sum_k reads[t, k] keys[s, k] (product of decays[u, k] for s < u <= t), for s <= t. With
    `exclusive` the inner product stops before t, and s < t. Other elements are zero. Decays lie in [0, 1].
  }];
  let arguments = (ins Tile_F32Matrix:$reads, Tile_F32Matrix:$keys, Tile_F32Matrix:$decays,
                       UnitAttr:$exclusive);
  let results = (outs Tile_F32Matrix:$result);
  let assemblyFormat = [{
    (`exclusive` $exclusive^)? $reads `,` $keys `decays` $decays attr-dict `:` type($reads) `->`
    type($result)
  }];
  let hasVerifier = 1;
}

def DecayValuesOp : Tile_Op<"decay_values", [Pure, AllTypesMatch<["values", "decays", "result"]>]> {
  let summary = "Product of scores with values that decay by column";
  let description = [{
    result[t, v] = sum_s scores[t, s] values[s, v] (product of decays[u, v] for s < u <= t), over s <= t. With
    `exclusive` the inner product stops before t, and s < t. Other scores are not used. Decays lie in [0, 1].
  }];
  let arguments = (ins Tile_F32Matrix:$scores, Tile_F32Matrix:$values, Tile_F32Matrix:$decays,
                       UnitAttr:$exclusive);
  let results = (outs Tile_F32Matrix:$result);
  let assemblyFormat = [{
    (`exclusive` $exclusive^)? $scores `,` $values `decays` $decays attr-dict `:` type($scores) `,` type($values)
  }];
  let hasVerifier = 1;
}

#endif // LINMU_TILE_OPS_TD
