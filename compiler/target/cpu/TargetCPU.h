// The CPU target: a tile.program becomes a package of machine code.
#pragma once
#include "compiler/target/cpu/Machine.h"
#include "dialects/tile/Tile.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "runtime/core/package.h"

namespace llvm {
class LLVMContext;
class Module;
class TargetMachine;
} // namespace llvm

namespace linmu::cpu {

/// The dialects and translations that the target needs beyond those of tile IR.
void registerTarget(mlir::DialectRegistry &registry);

/// Runs the passes of `tile-to-cpu` (Passes.td): kernels become functions of vector, memref and scf, whose
/// attributes say what the runtime gives them, and programs go.
mlir::LogicalResult lowerKernels(mlir::ModuleOp module, const Machine &machine);

std::unique_ptr<llvm::TargetMachine> createTargetMachine(const Machine &machine);

/// The LLVM module; null after a diagnostic.
std::unique_ptr<llvm::Module> translate(mlir::ModuleOp module, llvm::LLVMContext &context,
                                        llvm::TargetMachine &target);
void optimise(llvm::Module &module, llvm::TargetMachine &target);

/// Object code, or assembly text.
std::string generate(llvm::Module &module, llvm::TargetMachine &target, bool assembly);

/// Position-independent images of an object's code and constants, one behind the other.
struct Image {
  std::vector<std::byte> bytes;
  std::map<std::string, std::uint64_t> entries;
};
/// Puts that of one more object behind `image`. Fails with a message for an undefined symbol or a relocation
/// that is not relative.
mlir::LogicalResult link(llvm::StringRef object, Image &image, std::string &error);

enum class Stage { package, llvm, assembly };

/// The whole target. `module` holds one tile.program; it is consumed. For the stages before the package
/// `text` receives what they look like.
mlir::FailureOr<Package> compile(mlir::ModuleOp module, const Machine &machine, const Signature &signature,
                                 llvm::StringRef key, Stage stage = Stage::package,
                                 std::string *text = nullptr);

} // namespace linmu::cpu
