// What a thread does: the instructions that MLIR's own dialects have no op for.
//
// A tile that the block holds in registers is, for one thread, a vector of its registers. On such vectors `arith`,
// `math` and `vector` work as they are; `scf` is control flow, the same for all threads of a block where a barrier
// stands in it; `gpu.lane_id`, `gpu.subgroup_id`, `gpu.barrier` and `gpu.shuffle` say which thread this is and what
// threads do together; shared memory is a memref of one axis in the workgroup's address space, which `vector.load`
// and `vector.store` access. Operands in memory stay tensors, as in the tile dialect.
#ifndef LINMU_CUDA_OPS_TD
#define LINMU_CUDA_OPS_TD

include "compiler/target/cuda/dialect/CudaDialect.td"
include "dialects/tile/TileTypes.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Cuda_Op<string mnemonic, list<Trait> traits = []> : Op<Cuda_Dialect, mnemonic, traits>;

def Cuda_Memory : RankedTensorOf<[F32, BF16, F16, I32, I1]>;
def Cuda_Elements : AnyTypeOf<[F32, BF16, F16, I32, I1, VectorOfRankAndType<[1], [F32, BF16, F16, I32, I1]>],
                              "an element or a vector of them">;
def Cuda_Registers : VectorOfRankAndType<[1], [F32, BF16, F16, I32, I1]>;
def Cuda_Half : VectorOfRankAndType<[1], [BF16, F16]>;
def Cuda_Shared : MemRefRankOf<[F32, BF16, F16, I32, I8], [1]>;

//===------------------------------------------------------------------------------------------------===//
// Layouts of tiles
//===------------------------------------------------------------------------------------------------===//

def ConvertOp : Cuda_Op<"convert", [Pure, SameOperandsAndResultShape, SameOperandsAndResultElementType]> {
  let summary = "The same tile in another layout";
  let arguments = (ins AnyStaticShapeTensor:$source);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `to` type($result)";
}

def ReadPartOp : Cuda_Op<"read_part", [MemoryEffects<[MemRead]>]> {
  let summary = "A part of a buffer as a tile; `offsets` are those of its first element, multiples of its sizes";
  let arguments = (ins Tile_BufferType:$buffer, DenseI64ArrayAttr:$offsets);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$buffer $offsets attr-dict `:` type($buffer) `->` type($result)";
  let hasVerifier = 1;
}

def WritePartOp : Cuda_Op<"write_part", [MemoryEffects<[MemWrite]>]> {
  let summary = "Writes a tile to a part of a buffer, as `cuda.read_part` reads it";
  let arguments = (ins AnyStaticShapeTensor:$value, Tile_BufferType:$buffer, DenseI64ArrayAttr:$offsets);
  let assemblyFormat = "$value `,` $buffer $offsets attr-dict `:` type($value) `,` type($buffer)";
  let hasVerifier = 1;
}

def DiagonalInversesOp : Cuda_Op<"diagonal_inverses", [MemoryEffects<[MemRead]>]> {
  let summary = "tile.diagonal_inverses of a system in a buffer";
  let arguments = (ins Tile_BufferType:$system);
  let results = (outs AnyStaticShapeTensor:$inverses);
  let assemblyFormat = "$system attr-dict `:` type($system) `->` type($inverses)";
}

//===------------------------------------------------------------------------------------------------===//
// Global memory
//===------------------------------------------------------------------------------------------------===//

def LoadOp : Cuda_Op<"load", [MemoryEffects<[MemRead]>, AttrSizedOperandSegments]> {
  let summary = "Reads neighbouring elements of the last axis of an operand";
  let description = [{
    One index an axis, that of the first element. `where` it does not hold nothing is read and all elements are
    zero. A vector of n elements is aligned to n elements. The rows, places along the second axis, of accesses
    that belong together are a few steps from each other, unless they are `scattered`.
  }];
  let arguments = (ins Cuda_Memory:$source, Variadic<Index>:$indices, Optional<I1>:$live, UnitAttr:$scattered);
  let results = (outs Cuda_Elements:$result);
  let assemblyFormat = [{
    $source (`scattered` $scattered^)? `[` $indices `]` (`where` $live^)? attr-dict `:` type($source) `->`
    type($result)
  }];
  let hasVerifier = 1;
}

def StoreOp : Cuda_Op<"store", [MemoryEffects<[MemWrite]>, AttrSizedOperandSegments]> {
  let summary = "Writes neighbouring elements of the last axis of an operand; as `cuda.load` reads them";
  let arguments = (ins Cuda_Elements:$value, Cuda_Memory:$destination, Variadic<Index>:$indices,
                       Optional<I1>:$live, UnitAttr:$scattered);
  let assemblyFormat = [{
    $value `,` $destination (`scattered` $scattered^)? `[` $indices `]` (`where` $live^)? attr-dict `:`
    type($value) `,` type($destination)
  }];
  let hasVerifier = 1;
}

def CopyOp : Cuda_Op<"copy", [MemoryEffects<[MemRead, MemWrite]>, AttrSizedOperandSegments]> {
  let summary = "Starts to copy neighbouring elements to shared memory: cp.async of 4, 8 or 16 bytes";
  let description = [{
    Where `live` does not hold, zeros are written instead. They are there after a `cuda.wait` for the group that
    the next `cuda.commit` closes, for this thread; for others after a barrier behind it.
  }];
  let arguments = (ins Cuda_Memory:$source, Variadic<Index>:$indices, Optional<I1>:$live, Cuda_Shared:$buffer,
                       Index:$offset, I64Attr:$elements, UnitAttr:$scattered);
  let assemblyFormat = [{
    $elements `of` $source (`scattered` $scattered^)? `[` $indices `]` (`where` $live^)? `,` $buffer `[` $offset `]` attr-dict `:`
    type($source) `,` type($buffer)
  }];
  let hasVerifier = 1;
}

def CommitOp : Cuda_Op<"commit", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Closes the group of this thread's copies since the last one: cp.async.commit_group";
  let assemblyFormat = "attr-dict";
}

def WaitOp : Cuda_Op<"wait", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Waits for all groups of this thread's copies but the last `pending`: cp.async.wait_group";
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative]>:$pending);
  let assemblyFormat = "`pending` $pending attr-dict";
}

//===------------------------------------------------------------------------------------------------===//
// Matrix instructions
//===------------------------------------------------------------------------------------------------===//

def LoadMatrixOp : Cuda_Op<"ldmatrix", [MemoryEffects<[MemRead]>]> {
  let summary = "Reads 8 x 8 matrices of 16-bit elements from shared memory: ldmatrix.x1, .x2 or .x4";
  let description = [{
    Two elements of the result belong to each matrix. `offset`, in elements, is that of row lane % 8 of matrix
    lane / 8; those of lanes without a matrix are not used. 16 bytes of a row lie together, aligned.
  }];
  let arguments = (ins Cuda_Shared:$buffer, Index:$offset, UnitAttr:$transposed);
  let results = (outs Cuda_Half:$result);
  let assemblyFormat = [{
    (`transposed` $transposed^)? $buffer `[` $offset `]` attr-dict `:` type($buffer) `->` type($result)
  }];
  let hasVerifier = 1;
}

def StoreMatrixOp : Cuda_Op<"stmatrix", [MemoryEffects<[MemWrite]>]> {
  let summary = "Writes 8 x 8 matrices of 16-bit elements to shared memory; as `cuda.ldmatrix` reads them";
  let arguments = (ins Cuda_Half:$value, Cuda_Shared:$buffer, Index:$offset, UnitAttr:$transposed);
  let assemblyFormat = [{
    (`transposed` $transposed^)? $value `,` $buffer `[` $offset `]` attr-dict `:` type($value) `,` type($buffer)
  }];
  let hasVerifier = 1;
}

def MmaOp : Cuda_Op<"mma", [Pure, AllTypesMatch<["accumulator", "result"]>]> {
  let summary = "result = a * b + accumulator of one warp's fragments: mma.sync with f32 sums";
  let description = [{
    The warp's fragments as layout/Fragments.h has them, and their types say which instruction it is: m16n8k16 of
    bf16 or f16 takes eight elements of a and four of b, m16n8k8 four and two; m16n8k8 of tf32 four and two of f32,
    of which the ten highest bits of the mantissa are used.
  }];
  let arguments = (ins Cuda_Registers:$a, Cuda_Registers:$b, Cuda_Registers:$accumulator);
  let results = (outs Cuda_Registers:$result);
  let assemblyFormat = "$a `,` $b `,` $accumulator attr-dict `:` type($a) `,` type($b) `,` type($accumulator)";
  let hasVerifier = 1;
}

#endif // LINMU_CUDA_OPS_TD
