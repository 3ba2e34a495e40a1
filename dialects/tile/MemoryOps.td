// Operands in memory and buffers: ranges, loads, stores, copies.
#ifndef LINMU_TILE_MEMORY_OPS_TD
#define LINMU_TILE_MEMORY_OPS_TD

include "dialects/tile/TileTypes.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def RangeOp : Tile_Op<"range", [Pure, AttrSizedOperandSegments]> {
  let summary = "Positions first, first + 1, ... of an axis; with `backward` first, first - 1, ...";
  let description = [{
    Element i is live where from <= i < to; without `from` and `to` it is live from 0 to the end. Only live
    positions are touched: a load reads zero at the others, a store leaves them as they are. Live positions
    must lie inside the axis.

    `via %order[%b]`: the positions are those of a token order (i32, [batch, tokens]), and what is touched is
    row order[b, position].

    ```mlir
    %rows = tile.range %first to %count backward via %order[%b] : tensor<?x?xi32> -> !tile.range<16>
    %t = tile.load %k[%b, %rows, %h] : tensor<?x?x4x64xf32>, [index, !tile.range<16>, index] -> tensor<16x64xf32>
    ```
  }];
  let arguments = (ins Index:$first, Optional<Index>:$from, Optional<Index>:$to, UnitAttr:$backward,
                       Optional<Tile_Memory>:$order, Optional<Index>:$batch);
  let results = (outs Tile_RangeType:$result);
  let assemblyFormat = [{
    $first (`from` $from^)? (`to` $to^)? (`backward` $backward^)?
    (`via` $order^ `[` $batch `]` `:` type($order))? attr-dict `->` qualified(type($result))
  }];
  let hasVerifier = 1;
}

def LoadOp : Tile_Op<"load", [MemoryEffects<[MemRead]>]> {
  let summary = "Reads a tile from an operand";
  let description = [{
    The leading axes are indexed, the others are taken whole. An axis indexed by an `index` is dropped; one
    indexed by a range, or by a rank-1 tile of i32 that names its rows, is kept. At most two axes are kept; a
    result of rank 0 is a scalar. At most one axis has a tile of rows or a range `via` an order. Dead
    elements of ranges read as zero; every other index must be in bounds.
  }];
  let arguments = (ins Tile_Memory:$source, Variadic<Tile_Index>:$indices);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = [{
    $source `[` $indices `]` attr-dict `:` type($source) `,` `[` type($indices) `]` `->` type($result)
  }];
  let hasVerifier = 1;
}

def StoreOp : Tile_Op<"store", [MemoryEffects<[MemWrite]>, AttrSizedOperandSegments]> {
  let summary = "Writes a tile to an operand; indices as in `tile.load`";
  let description = [{
    Dead elements of ranges are not written. With `where`, only rows whose mask is true are written (a rank-1
    i1 tile along the tile of rows, or an i1 scalar where no axis has one); the indices of the others need
    not be in bounds.
  }];
  let arguments = (ins Tile_Tile:$value, Tile_Memory:$destination, Variadic<Tile_Index>:$indices,
                       Optional<AnyTypeOf<[I1, Tile_Tile1D]>>:$mask);
  let assemblyFormat = [{
    $value `,` $destination `[` $indices `]` (`where` $mask^ `:` type($mask))? attr-dict `:` type($value) `,`
    type($destination) `,` `[` type($indices) `]`
  }];
  let hasVerifier = 1;
}

def AllocOp : Tile_Op<"alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "A buffer of the block; its elements are not initialised";
  let results = (outs Tile_BufferType:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def SlotOp : Tile_Op<"slot", [Pure]> {
  let summary = "One buffer of a ring of them";
  let description = [{
    A ring is a buffer with one more axis in front, that of its slots: what is copied for later steps of a loop goes
    into one while others are read. `%index` must be in bounds. `ahead`, for what analyses rings, is the number of
    steps of the loop, from the one that it stands in (or the first one, where it stands before the loop), to the
    step that reads this slot.

    ```mlir
    %ring = tile.alloc : !tile.buffer<3x64x128xbf16>
    %slot = tile.slot %ring[%i] ahead 2 : !tile.buffer<3x64x128xbf16> -> !tile.buffer<64x128xbf16>
    ```
  }];
  let arguments = (ins Tile_BufferType:$ring, Index:$index,
                       ConfinedAttr<I64Attr, [IntNonNegative]>:$ahead);
  let results = (outs Tile_BufferType:$result);
  let assemblyFormat = "$ring `[` $index `]` `ahead` $ahead attr-dict `:` type($ring) `->` type($result)";
  let hasVerifier = 1;
}

def ReadOp : Tile_Op<"read", [MemoryEffects<[MemRead]>]> {
  let summary = "The elements of a buffer as a tile";
  let arguments = (ins Tile_BufferType:$buffer);
  let results = (outs Tile_AnyTile:$result);
  let assemblyFormat = "$buffer attr-dict `:` type($buffer) `->` type($result)";
  let hasVerifier = 1;
}

def WriteOp : Tile_Op<"write", [MemoryEffects<[MemWrite]>]> {
  let summary = "Writes a tile to a whole buffer";
  let arguments = (ins Tile_AnyTile:$value, Tile_BufferType:$buffer);
  let assemblyFormat = "$value `,` $buffer attr-dict `:` type($value) `,` type($buffer)";
  let hasVerifier = 1;
}

def CopyOp : Tile_Op<"copy", [MemoryEffects<[MemRead, MemWrite]>, AttrSizedOperandSegments]> {
  let summary = "Starts to copy what a `tile.load` with these indices would read into a buffer";
  let description = [{
    The buffer holds it after a `tile.wait` for this copy; until then its elements are undefined, and neither
    the buffer nor what is copied may be written. `where` a condition does not hold, nothing is read, indices need
    not be in bounds, and the buffer holds zeros.
  }];
  let arguments = (ins Tile_Memory:$source, Variadic<Tile_Index>:$indices, Tile_BufferType:$buffer,
                       Optional<I1>:$condition);
  let assemblyFormat = [{
    $source `[` $indices `]` `,` $buffer (`where` $condition^)? attr-dict `:` type($source) `,` `[` type($indices) `]`
    `,` type($buffer)
  }];
  let hasVerifier = 1;
}

def WaitOp : Tile_Op<"wait", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Waits for all copies of the block but the last `pending` ones";
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative]>:$pending);
  let assemblyFormat = "`pending` $pending attr-dict";
}

def BarrierOp : Tile_Op<"barrier", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "All threads of the block have done what stands before it, and see what it wrote";
  let description = [{
    A target places the barriers that the order of reads and writes in the program asks for; this op adds one.
  }];
  let assemblyFormat = "attr-dict";
}

#endif // LINMU_TILE_MEMORY_OPS_TD
