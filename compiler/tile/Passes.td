// Passes on tile IR that targets share.
#ifndef LINMU_TILE_PASSES_TD
#define LINMU_TILE_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandMacroOps : Pass<"expand-macro-ops"> {
  let summary = "Writes decay scores, values and paths, solves and inverses out in dots, running products and slices";
  let description = [{
    For targets that lower a macro op no better themselves. Tokens are taken in sub-chunks. Between two
    sub-chunks results are `tile.dot`s of rows times running products of decays; inside one they are
    elementwise, one token at a time against all later rows. Every factor is a product of decays in [0, 1], so
    that nothing overflows and what underflows is zero. With `products` all tokens are one `tile.dot` where the
    decays of each column leave more than 2^-64 of it, over which keys or values are divided; a branch takes the
    other way where they do not. With `halves` there are no sub-chunks and no steps: scores, values and paths are dots
    between the halves of blocks of 2, 4, 8, ... tokens, which need no division and no branch. Solves go forward by blocks of rows, or multiply by a
    `tile.inverse`, which does not depend on the right-hand sides and may be moved off a sequential path.

    What a macro op does not use is not used here either, and a row of a result depends on that row and
    earlier ones only: a NaN at one token leaves the results of earlier tokens as they are.
  }];
  let options = [
    ListOption<"ops", "ops", "std::string",
               "Macro ops to write out: decay_scores, decay_values, decay_paths, solve, inverse; all where none is named">,
    Option<"subChunk", "sub-chunk", "int64_t", "16",
           "Tokens of a sub-chunk, and rows of a diagonal block of a solve or an inverse">,
    Option<"solveByInverse", "solve-by-inverse", "bool", "false",
           "Write a solve as tile.inverse and products with it">,
    Option<"diagonalInverses", "diagonal-inverses", "bool", "false",
           "Write solves and inverses with tile.diagonal_inverses and products instead of steps, where they have one system">,
    Option<"products", "products", "bool", "false",
           "Write decay scores and values as one product where the decays allow to divide by them">,
    Option<"halves", "halves", "bool", "false",
           "Write decay scores, values and paths as dots between the halves of blocks alone">
  ];
  let statistics = [
    Statistic<"decayScores", "decay-scores", "tile.decay_scores written out">,
    Statistic<"decayValues", "decay-values", "tile.decay_values written out">,
    Statistic<"decayPaths", "decay-paths", "tile.decay_paths written out">,
    Statistic<"solves", "solves", "tile.solve written out">,
    Statistic<"inverses", "inverses", "tile.inverse written out">
  ];
  let dependentDialects = ["::linmu::tile::TileDialect", "::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def RoundProducts : Pass<"round-products"> {
  let summary = "Rounds the operands of f32 products to a smaller type";
  let description = [{
    For machines that multiply bf16 or f16 faster; sums stay f32. An operand that was extended from the type is
    taken as it was. Products whose operands have another type already are left alone.
  }];
  let options = [
    Option<"type", "type", "std::string", "\"bf16\"", "bf16 or f16">
  ];
  let statistics = [
    Statistic<"rounded", "rounded", "Operands that lose digits">,
    Statistic<"exact", "exact", "Operands that had the type before">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def NarrowTemporaries : Pass<"narrow-temporaries", "::linmu::tile::ProgramOp"> {
  let summary = "Rounds what one launch hands to others where those only round it";
  let description = [{
    A temporary of f32 of which every load is rounded to one smaller type, as `round-products` does with operands of
    products, holds that type instead, and is rounded where it is stored. Results are the same to the bit.
  }];
  let statistics = [
    Statistic<"narrowed", "narrowed", "Temporaries">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def ExponentialsOfTwo : Pass<"exponentials-of-two", "::linmu::tile::ProgramOp"> {
  let summary = "Takes exponentials to base two";
  let description = [{
    exp(x) is 2^(x log2 e). The product's rounding is an error of |x| 2^-24 of the result: more than `math.exp` may
    have far from zero, less than what products of bf16 or f16 round away. Where x is a `math.fma` with a number that
    says that what rounding its addend leaves cancels (`tile.cancels`), both of its parts are scaled instead.
  }];
  let statistics = [
    Statistic<"replaced", "replaced", "Exponentials">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def DropSumErrors : Pass<"drop-sum-errors", "::linmu::tile::ProgramOp"> {
  let summary = "Takes sums of decays without what rounding lost";
  let description = [{
    For programs whose products are rounded to bf16. `tile.cumsum` gives with each sum what rounding took from it, so that
    differences of large sums are exact. Where what is summed is known to be no less than -2^14 in all, the difference
    of two sums is off by at most some 2^-11, as the factor that it is the logarithm of then is: less than bf16 rounds
    away.
  }];
  let statistics = [
    Statistic<"dropped", "dropped", "Sums whose rounding is left out">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def PadTiles : Pass<"pad-tiles", "::linmu::tile::ProgramOp"> {
  let summary = "Makes the sizes of tiles powers of two";
  let description = [{
    Loads read zeros where a tile has grown, stores leave those out; what a product or a reduction would take from
    there is replaced by what changes nothing. Macro ops are written out before (`expand-macro-ops`).
  }];
  let options = [
    Option<"least", "least", "int64_t", "16", "Fewest rows and columns of a tile, a power of two">
  ];
  let statistics = [
    Statistic<"tiles", "tiles", "Tiles that have grown">
  ];
  let dependentDialects = ["::linmu::tile::TileDialect", "::mlir::arith::ArithDialect"];
}

def BufferLoads : Pass<"buffer-loads", "::linmu::tile::ProgramOp"> {
  let summary = "Copies what blocks with products take of operands into buffers, outside of loops";
  let description = [{
    A matrix of 16-bit numbers that a block loads once, beside products, becomes a `tile.copy` into a buffer, as
    `stage-loads` does in loops: it does not pass through registers, and all are under way before one is waited for.
  }];
  let statistics = [
    Statistic<"buffered", "buffered", "Loads that are copies now">
  ];
  let dependentDialects = ["::linmu::tile::TileDialect", "::mlir::arith::ArithDialect"];
}

def StageLoads : Pass<"stage-loads", "::linmu::tile::ProgramOp"> {
  let summary = "Copies what loops load into buffers, ahead of its use";
  let description = [{
    A load whose place follows from the loop's induction variable becomes a `tile.copy` into one slot of a ring, as
    many steps before it is read as the ring has slots less one. What a kernel writes itself is loaded as before, and
    so are what copies cannot move, less than 4 bytes side by side, and matrices of f32 in loops without
    products.

    Rings have more slots, up to `most`, where all of a loop's together then need no more than the kernel's attribute
    `deep_ring_bytes`: memory that no other block would use.
  }];
  let options = [
    Option<"stages", "stages", "int64_t", "2", "Slots of a ring, two at least">,
    Option<"most", "most", "int64_t", "4", "Most slots of a ring">,
    Option<"bytes", "bytes", "int64_t", "100352", "Most bytes of a kernel's rings, where it does not say itself by `ring_bytes`">
  ];
  let statistics = [
    Statistic<"staged", "staged", "Loads that are copies now">
  ];
  let dependentDialects = ["::linmu::tile::TileDialect", "::mlir::arith::ArithDialect"];
}

#endif // LINMU_TILE_PASSES_TD
