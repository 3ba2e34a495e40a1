// What tile ops take and give: tiles, operands in memory, ranges of an axis, buffers.
#ifndef LINMU_TILE_TYPES_TD
#define LINMU_TILE_TYPES_TD

include "dialects/tile/TileDialect.td"

class Tile_Type<string cppName, string typeMnemonic> : TypeDef<Tile_Dialect, cppName> {
  let mnemonic = typeMnemonic;
}

def Tile_RangeType : Tile_Type<"Range", "range"> {
  let summary = "Consecutive positions of one axis of an operand, a static number of them";
  let description = "`!tile.range<16>` is made by `tile.range` and used as an index of `tile.load` and `tile.store`.";
  let parameters = (ins "int64_t":$size);
  let assemblyFormat = "`<` $size `>`";
  let genVerifyDecl = 1;
}

def Tile_BufferType : Tile_Type<"Buffer", "buffer"> {
  let summary = "Memory of a block: elements at places, written and read in program order";
  let description = [{
    `!tile.buffer<16x64xbf16>`. A target puts it where all threads of a block reach it (shared memory of a
    GPU) or into a thread's workspace. It is touched by `tile.read`, `tile.write` and `tile.copy` only.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The tile that `tile.read` makes of the whole buffer.
    ::mlir::RankedTensorType getTileType();
  }];
}

// The encoding of a tile is a target's layout of registers, which is verified against the tile's shape.
def Tile_Plain : CPred<"!::llvm::cast<::mlir::RankedTensorType>($_self).getEncoding()">;
def Tile_PlainOrInRegisters
    : CPred<"(!::llvm::cast<::mlir::RankedTensorType>($_self).getEncoding() || "
            "::llvm::isa<::mlir::VerifiableTensorEncoding>("
            "::llvm::cast<::mlir::RankedTensorType>($_self).getEncoding()))">;
class Tile_StaticTensorOf<list<Type> elements, list<int> ranks>
    : RankedTensorOf<elements, [HasStaticShapePred, HasAnyRankOfPred<ranks>, Tile_PlainOrInRegisters],
                     "static " # !interleave(!foreach(rank, ranks, rank # "D"), "/") #
                     " tile without encoding (shared memory is a !tile.buffer)">;

def Tile_Memory : RankedTensorOf<[F32, BF16, F16, I32, I1], [Tile_Plain], "operand in memory">;
def Tile_Tile1D : Tile_StaticTensorOf<[AnyType], [1]>;
def Tile_AnyTile : Tile_StaticTensorOf<[AnyType], [1, 2]>;
def Tile_Tile : AnyTypeOf<[AnyFloat, AnySignlessInteger, Index, Tile_AnyTile],
                          "a scalar, or a static tile of rank 1 or 2 without encoding (shared memory is a "
                          "!tile.buffer)">;
def Tile_F32Matrix : Tile_StaticTensorOf<[F32], [2]>;
def Tile_Matrix : Tile_StaticTensorOf<[F32, BF16, F16], [2]>;
def Tile_F32Tile : Tile_StaticTensorOf<[F32], [1, 2]>;
def Tile_Index : AnyTypeOf<[Index, Tile_Tile1D, Tile_RangeType], "an index, a tile of rows or a range">;

#endif // LINMU_TILE_TYPES_TD
