// What the IR of the CUDA target says beside MLIR's own dialects: how tiles lie in registers and shared memory.
#ifndef LINMU_CUDA_DIALECT_TD
#define LINMU_CUDA_DIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/TensorEncoding.td"

def Cuda_Dialect : Dialect {
  let name = "cuda";
  let cppNamespace = "::linmu::cuda";
  let useDefaultAttributePrinterParser = 1;
  let summary = "Layouts of tiles in the registers of a block's threads, and in shared memory";
}

def Cuda_LayoutAttr : AttrDef<Cuda_Dialect, "Layout", [OpAsmAttrInterface, VerifiableTensorEncoding]> {
  let mnemonic = "layout";
  let summary = "A linear layout: of registers as the encoding of a tile, or of memory";
  let description = [{
    The images of the bits of each input, as coordinates of the tile; the image of a sum (exclusive or) is the sum
    of the images.

    Registers: inputs `register`, `lane` (five bits) and `warp`; every element of the tile is held by some thread.
    This one stands as the encoding of a tensor, whose shape it has. Memory: the input `offset`, in elements; one
    to one.

    ```mlir
    // The accumulator of mma.m16n8k16.
    tensor<16x8xf32, #cuda.layout<register = [[0, 1], [8, 0]],
                                  lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [] -> dim0: 16, dim1: 8>>
    ```
  }];
  let parameters = (ins "::linmu::cuda::LinearLayout":$layout);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let genMnemonicAlias = 1;
  let extraClassDeclaration = [{
    /// False for memory.
    bool isOfRegisters() const;
    ::mlir::LogicalResult verifyEncoding(
        ::llvm::ArrayRef<int64_t> shape, ::mlir::Type elementType,
        ::llvm::function_ref<::mlir::InFlightDiagnostic()> emitError) const;
  }];
}

#endif // LINMU_CUDA_DIALECT_TD
