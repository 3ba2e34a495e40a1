// Shapes of tiles, and arithmetic across their elements.
#ifndef LINMU_TILE_MATH_OPS_TD
#define LINMU_TILE_MATH_OPS_TD

include "dialects/tile/TileTypes.td"
include "mlir/IR/EnumAttr.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

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
    Operands are both f32, bf16 or f16; products and sums are f32. Rounding is what `arith.truncf` before it
    does, never the product's own choice.
    `transpose_lhs`, `transpose_rhs`: the operand is stored transposed. `lhs_lower`: elements of lhs above
    its diagonal are zero and are not visited. `result_lower`: elements of the result above its diagonal are
    not used and may hold anything.
  }];
  let arguments = (ins Tile_Matrix:$lhs, Tile_Matrix:$rhs, Optional<Tile_F32Matrix>:$init,
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
  let description = "Sums keep what is no number; max and min pass over it.";
  let arguments = (ins Tile_ReduceKind:$kind, Tile_F32Tile:$source, I64Attr:$axis);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$kind $source `over` $axis attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def CumsumOp : Tile_Op<"cumsum", [Pure, AllTypesMatch<["source", "sum", "error"]>]> {
  let summary = "Cumulative sum along axis 0, as a rounded sum and what rounding lost";
  let description = [{
    The error-free transformation of Knuth's TwoSum: sum + error is the sum to about twice f32's precision,
    so that differences of large sums keep f32's. With `exclusive` element i holds the sum before it. With
    `reversed` sums run from the last element to the first.
  }];
  let arguments = (ins Tile_F32Tile:$source, UnitAttr:$exclusive, UnitAttr:$reversed);
  let results = (outs Tile_F32Tile:$sum, Tile_F32Tile:$error);
  let assemblyFormat = "(`exclusive` $exclusive^)? (`reversed` $reversed^)? $source attr-dict `:` type($source)";
}

def CumprodOp : Tile_Op<"cumprod", [Pure, AllTypesMatch<["source", "result"]>]> {
  let summary = "Running products along axis 0";
  let description = [{
    Element i is the product of the elements up to i; with `exclusive`, of those before it. With `reversed` it
    is the product of those from i on, or after it. `every` n: products of each n rows by themselves, from row
    0 on; the last of them may be fewer.
  }];
  let arguments = (ins Tile_F32Tile:$source, UnitAttr:$exclusive, UnitAttr:$reversed,
                       OptionalAttr<ConfinedAttr<I64Attr, [IntPositive]>>:$every);
  let results = (outs Tile_F32Tile:$result);
  let assemblyFormat = [{
    (`exclusive` $exclusive^)? (`reversed` $reversed^)? (`every` $every^)? $source attr-dict `:` type($source)
  }];
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

def InverseOp : Tile_Op<"inverse", [Pure]> {
  let summary = "Inverse of the matrix of blocks I - lower(A_ij), each lower(A_ij) strictly lower triangular";
  let description = [{
    m * m systems A_ij of C x C in row-major order, as `tile.solve` takes them; elements on and above their
    diagonals are not used. Results are the m * m blocks T_ij of C x C of the inverse, in row-major order:
    `tile.solve` gives w_i = sum_j T_ij v_j. Above its diagonal each T_ij is zero; on it, T_ii is one and the
    others are zero. Row t of the result depends on rows up to t of the systems only.
  }];
  let arguments = (ins Variadic<Tile_F32Matrix>:$systems);
  let results = (outs Variadic<Tile_F32Matrix>:$inverses);
  let assemblyFormat = "$systems attr-dict `:` type($systems) `->` type($inverses)";
  let hasVerifier = 1;
}

def DiagonalInversesOp : Tile_Op<"diagonal_inverses", [Pure]> {
  let summary = "Inverses of the diagonal blocks of I - lower(A), one below the other";
  let description = [{
    Of a system A of C x C as `tile.solve` takes it the blocks of S rows and columns on its diagonal, S dividing C.
    Rows b S to (b + 1) S - 1 of the result, C x S, are the inverse of block b.
  }];
  let arguments = (ins Tile_F32Matrix:$system);
  let results = (outs Tile_F32Matrix:$inverses);
  let assemblyFormat = "$system attr-dict `:` type($system) `->` type($inverses)";
  let hasVerifier = 1;
}

def DecayScoresOp : Tile_Op<"decay_scores", [Pure, AllTypesMatch<["reads", "keys", "decays"]>]> {
  let summary = "Scores of reads against keys under row-wise decay";
  let description = [{
    result[t, s] = sum_k reads[t, k] keys[s, k] (product of decays[u, k] for s < u <= t), for s <= t. With
    `exclusive` the inner product stops before t, and s < t. Other elements are zero. Decays lie in [-1, 1].
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
    `exclusive` the inner product stops before t, and s < t. Other scores are not used. Decays lie in [-1, 1].

    With `transposed` it is the product with the transpose: result[s, v] = sum_t scores[t, s] values[t, v] (the same
    product), over t >= s.
  }];
  let arguments = (ins Tile_F32Matrix:$scores, Tile_F32Matrix:$values, Tile_F32Matrix:$decays,
                       UnitAttr:$exclusive, UnitAttr:$transposed);
  let results = (outs Tile_F32Matrix:$result);
  let assemblyFormat = [{
    (`transposed` $transposed^)? (`exclusive` $exclusive^)? $scores `,` $values `decays` $decays attr-dict `:`
    type($scores) `,` type($values)
  }];
  let hasVerifier = 1;
}

def DecayPathsOp : Tile_Op<"decay_paths", [Pure, AllTypesMatch<["readers", "writers", "decays", "result"]>]> {
  let summary = "What leads from writers to readers across each token, under decays by column";
  let description = [{
    A path from token s to token u is worth writers[s, x] weights[u, s] readers[u, x] (product of decays[y, x] for
    s < y <= u), and crosses the tokens t of that product: result[t, x] is the sum of the paths with s < t <= u. With
    `exclusive` the product stops before u, and t < u. Weights with u <= s are not used. Decays lie in [-1, 1].
    Nothing is subtracted: what crosses a small decay is as exact as that decay.
  }];
  let arguments = (ins Tile_F32Matrix:$weights, Tile_F32Matrix:$readers, Tile_F32Matrix:$writers,
                       Tile_F32Matrix:$decays, UnitAttr:$exclusive);
  let results = (outs Tile_F32Matrix:$result);
  let assemblyFormat = [{
    (`exclusive` $exclusive^)? $weights `from` $writers `to` $readers `decays` $decays attr-dict `:`
    type($weights) `,` type($readers)
  }];
  let hasVerifier = 1;
}

#endif // LINMU_TILE_MATH_OPS_TD
