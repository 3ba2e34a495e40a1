// The stages of a normal_scan, from the analysis of a step.
#pragma once
#include "compiler/normalize/Affine.h"
#include "mlir/IR/IRMapping.h"

namespace linmu {

/// Clones the part of the analysis' block that some values need.
class Slicer {
public:
  Slicer(AffineAnalysis &analysis, mlir::Block &target) : target(target), analysis_(analysis) {}

  mlir::Value clone(mlir::Value value);

  mlir::Block &target;
  mlir::IRMapping mapping;

private:
  mlir::Value chosen(mlir::Value product, const Choice &choice, mlir::Value read);
  mlir::Value nothingOf(mlir::Value read, mlir::Value like);

  AffineAnalysis &analysis_;
};

/// A write of states that are computed together, with all those that it goes to.
struct GroupWrite {
  const StateWrite *write;
  mlir::Type type; ///< of the value
  mlir::Value free;
  llvm::ArrayRef<std::pair<mlir::Value, mlir::Value>> feedback;
  llvm::SmallVector<int64_t> to; ///< places in the group
};

/// What several of them are written with the same key is one write.
llvm::SmallVector<GroupWrite> writesOf(AffineAnalysis &analysis, llvm::ArrayRef<unsigned> group);

/// Ends a stage in the form of the states of a group. `needed` says of the reads of each state of the scan
/// whether something needs them.
void buildForm(AffineAnalysis &analysis, llvm::ArrayRef<unsigned> group,
               llvm::ArrayRef<llvm::SmallVector<bool>> needed, Slicer &slicer, mlir::Location location);

} // namespace linmu
