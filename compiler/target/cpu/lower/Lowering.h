// A kernel that is being lowered to vector, memref and scf, and the ops of the tile dialect.
#pragma once
#include "compiler/target/cpu/lower/Prefetcher.h"

namespace linmu::cpu {

/// The function that is built, and what a part of the lowering needs to know across ops.
struct Lowering {
  Lowering(mlir::Location location, mlir::MLIRContext *context, const Machine &machine)
      : kernel(location, context, machine), places(kernel), walk(kernel), next(kernel, places, walk),
        prefetcher(kernel, next) {}

  Kernel kernel;
  Places places;
  TokenWalk walk;
  NextIteration next;
  Prefetcher prefetcher;
};

// LowerOps.cpp
/// Lowers ops in program order, up to the terminator of a loop or branch, whose owner lowers it. Fails with a
/// diagnostic for ops outside the contract of the tile dialect.
mlir::LogicalResult lowerOps(Lowering &lowering, llvm::iterator_range<mlir::Block::iterator> ops);
/// The buffers that an op's attribute lists for its results, those that are not there yet.
void addBuffers(Lowering &lowering, mlir::Operation &op);

// Loops.cpp, Branches.cpp
mlir::LogicalResult lowerFor(Lowering &lowering, mlir::scf::ForOp source);
mlir::LogicalResult lowerIf(Lowering &lowering, mlir::scf::IfOp source);

// Reduce.cpp, Cumulative.cpp, Rearrange.cpp: results are always materialised
void lowerReduce(Lowering &lowering, tile::ReduceOp op);
void lowerCumsum(Lowering &lowering, tile::CumsumOp op);
void lowerCumprod(Lowering &lowering, tile::CumprodOp op);
void lowerTranspose(Lowering &lowering, tile::TransposeOp op);
void lowerExtract(Lowering &lowering, tile::ExtractOp op);

// Solve.cpp, DecayScores.cpp, DecayValues.cpp, DecayPaths.cpp: so are theirs
void lowerSolve(Lowering &lowering, tile::SolveOp op);
void lowerDecayScores(Lowering &lowering, tile::DecayScoresOp op);
void lowerDecayValues(Lowering &lowering, tile::DecayValuesOp op);
void lowerDecayPaths(Lowering &lowering, tile::DecayPathsOp op);

} // namespace linmu::cpu
