// Programs: kernels, what they are launched on, and when.
#ifndef LINMU_TILE_PROGRAM_OPS_TD
#define LINMU_TILE_PROGRAM_OPS_TD

include "dialects/tile/TileTypes.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def ProgramOp : Tile_Op<"program", [Symbol, SymbolTable, NoTerminator, SingleBlock, IsolatedFromAbove]> {
  let summary = "All variants of one pattern: kernels, temporaries and launches";
  let description = [{
    The block's arguments are the pattern's inputs, then its results as destinations. Beside kernels and
    variants it holds the expressions that say how large grids and temporaries are and which variant runs:
    `tile.extent` and `arith` on `index` and `i1`.

    ```mlir
    tile.program @p inputs(%x: tensor<?x?x4x64xf32>) results(%y: tensor<?x?x4x64xf32>) {
      %batch = tile.extent batch
      %tokens = tile.extent tokens
      %c64 = arith.constant 64 : index
      %chunks = arith.ceildivui %tokens, %c64 : index
      %w = tile.temporary(%batch, %chunks) : tensor<?x4x?x64x64xf32>
      tile.kernel @states(...) {...}
      tile.variant as "chunked" {
        tile.launch @states grid(%c4, %batch)(%x, %w : tensor<?x?x4x64xf32>, tensor<?x4x?x64x64xf32>)
      }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$num_inputs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
}

def Tile_ExtentBatch : I32EnumAttrCase<"batch", 0>;
def Tile_ExtentTokens : I32EnumAttrCase<"tokens", 1>;
def Tile_ExtentMediaItems : I32EnumAttrCase<"media_items", 2>;
def Tile_ExtentSequences : I32EnumAttrCase<"sequences", 3>;
def Tile_ExtentLongestSequence : I32EnumAttrCase<"longest_sequence", 4>;
def Tile_ExtentKind : I32EnumAttr<"ExtentKind", "what the operands of a call agree on",
    [Tile_ExtentBatch, Tile_ExtentTokens, Tile_ExtentMediaItems, Tile_ExtentSequences,
     Tile_ExtentLongestSequence]> {
  let cppNamespace = "::linmu::tile";
}

def ExtentOp : Tile_Op<"extent", [Pure, HasParent<"ProgramOp">]> {
  let summary = "The batch, tokens, media items or sequences of the call, or the tokens of its longest sequence";
  let arguments = (ins Tile_ExtentKind:$kind);
  let results = (outs Index:$result);
  let assemblyFormat = "$kind attr-dict";
}

def TemporaryOp : Tile_Op<"temporary", [HasParent<"ProgramOp">]> {
  let summary = "A tensor that lives between two launches of one call";
  let description = "Operands are the dynamic extents, in the order of the axes.";
  let arguments = (ins Variadic<Index>:$extents);
  let results = (outs Tile_Memory:$result);
  let assemblyFormat = "`(` $extents `)` attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def VariantOp : Tile_Op<"variant", [NoTerminator, SingleBlock, HasParent<"ProgramOp">]> {
  let summary = "Launches that run one after the other; the first variant whose condition holds runs";
  let description = [{
    The last variant has no condition, so that one runs for every call. `algorithm` names what it does for
    `--explain` and `Kernel::algorithm`. `schedule` says by which choices it was derived, for each pattern op
    its algorithm and the values of that algorithm's keys, as {algorithm = "chunked", chunk = 16 : i64}.
  }];
  let arguments = (ins Optional<I1>:$condition, StrAttr:$algorithm, OptionalAttr<DictArrayAttr>:$schedule);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    (`when` $condition^)? `as` $algorithm (`schedule` `=` $schedule^)? attr-dict-with-keyword $body
  }];
}

def LaunchOp : Tile_Op<"launch", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<SymbolUserOpInterface>,
                                 HasParent<"VariantOp">]> {
  let summary = "Runs a kernel once for each block of a grid of one to three dimensions";
  let description = [{
    Blocks run in any order. The first dimension of the grid is the one in which neighbours share most: a
    target may give consecutive blocks along it to one thread. Operands are operands in memory and `index`
    values; they are the kernel's arguments.
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<Index>:$grid,
                       Variadic<AnyTypeOf<[Tile_Memory, Index]>>:$arguments);
  let assemblyFormat = [{
    $kernel `grid` `(` $grid `)` `(` $arguments `:` type($arguments) `)` attr-dict
  }];
  let builders = [OpBuilder<(ins "::llvm::StringRef":$kernel, "::mlir::ValueRange":$grid,
                                 "::mlir::ValueRange":$arguments)>];
  let hasVerifier = 1;
}

def KernelOp : Tile_Op<"kernel", [Symbol, SingleBlock, NoTerminator, IsolatedFromAbove, HasParent<"ProgramOp">]> {
  let summary = "A block program: what one block of a launch does";
  let description = [{
    Block arguments are the launch's operands. The body is arith, math and scf on tiles, and ops of this dialect.
    With the attribute `threads` a target has taken the kernel on, for so many threads a block: tiles may have
    layouts, and other ops are the target's choice. `shared_bytes` is what memory the threads then share.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, OptionalAttr<I64Attr>:$threads,
                       OptionalAttr<I64Attr>:$shared_bytes);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
}

class Tile_GridOp<string mnemonic> : Tile_Op<mnemonic, [Pure]> {
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative, IntMaxValue<2>]>:$dimension);
  let results = (outs Index:$result);
  let assemblyFormat = "$dimension attr-dict";
}

def BlockIdOp : Tile_GridOp<"block_id"> {
  let summary = "This block's place in a dimension of the grid, from 0";
}

def BlockCountOp : Tile_GridOp<"block_count"> {
  let summary = "The blocks of a dimension of the grid; 1 where the launch has fewer dimensions";
}

#endif // LINMU_TILE_PROGRAM_OPS_TD
