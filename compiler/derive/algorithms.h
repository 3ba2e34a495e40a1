// The algorithms: each makes the kernels of one pattern op and says how they are launched.
#pragma once
#include "compiler/derive/plan.h"
#include "compiler/derive/program_builder.h"
#include "dialects/pattern/WindowView.h"

namespace linmu {

/// One token at a time, states in tiles; of a scan or a normal_scan. Blocks: one a batch and head.
mlir::FailureOr<OpPlan> deriveRecurrent(mlir::Operation *scan, ProgramBuilder &program);

/// A map by blocks of tokens: `together` works on all tokens of a block at once, else one by one.
mlir::FailureOr<OpPlan> deriveMap(pattern::MapOp map, const Schedule &schedule, bool together,
                                  ProgramBuilder &program);

/// By what the schedule says.
mlir::FailureOr<OpPlan> deriveInChunks(pattern::NormalScanOp scan, const ScanSchedule &schedule,
                                       ProgramBuilder &program);
/// One launch walks the chunks: decayed scores, a triangular solve where there is feedback, and products.
mlir::FailureOr<OpPlan> deriveChunked(pattern::NormalScanOp scan, const ScanSchedule &schedule,
                                      ProgramBuilder &program);
/// Two launches: states at the entries of chunks, then the outputs of all chunks at once.
mlir::FailureOr<OpPlan> deriveTwoKernels(pattern::NormalScanOp scan, const ScanSchedule &schedule,
                                         ProgramBuilder &program);

/// Three launches, the first two for each group of states: what segments of the tokens make of states, the
/// states at their entries, and the segments from there.
mlir::FailureOr<OpPlan> deriveSegmented(pattern::NormalScanOp scan, const ScanSchedule &schedule,
                                        ProgramBuilder &program);

/// The gradients of a scan, by what the schedule says: two_kernels and segmented by the borders of its
/// chunks, else by one walk back.
mlir::FailureOr<OpPlan> deriveAdjoint(pattern::ScanAdjointOp op, const ScanSchedule &schedule,
                                      ProgramBuilder &program);
/// Two launches: states at the entries of chunks, then the chunks from the last to the first; recurrent or
/// chunked inside them.
mlir::FailureOr<OpPlan> deriveAdjointWalk(pattern::ScanAdjointOp op, const ScanSchedule &schedule,
                                          ProgramBuilder &program);
/// States at the entries of chunks and what is sent back to those at their exits, by walks in segments or
/// slices of value columns, then the gradients of all chunks at once. With feedback requires no segments.
mlir::FailureOr<OpPlan> deriveAdjointBorders(pattern::ScanAdjointOp op, const ScanSchedule &schedule,
                                             ProgramBuilder &program);

/// What `finish` reads of the states, kept in memory for an epilogue: the number of its argument and
/// [B, N, H, ...] of f32, a value of the program.
struct EpilogueValue {
  unsigned argument;
  mlir::Value memory;
};
llvm::SmallVector<EpilogueValue> epilogueValuesOf(pattern::NormalScanOp scan, ProgramBuilder &program);
/// `finish` by blocks of `size` tokens.
mlir::FailureOr<LaunchPlan> deriveEpilogue(pattern::NormalScanOp scan, llvm::ArrayRef<EpilogueValue> values,
                                           int64_t size, ProgramBuilder &program);

/// Softmax attention by windows of each media item's grid.
mlir::FailureOr<OpPlan> deriveWindowed(pattern::WindowAttentionOp attention, const Schedule &schedule,
                                       ProgramBuilder &program);

/// Its gradients. Two launches: those of queries, then those of keys and values; three where keys and values
/// have heads of different numbers.
mlir::FailureOr<OpPlan> deriveWindowAdjoint(pattern::WindowAdjointOp op, const Schedule &schedule,
                                            ProgramBuilder &program);

/// The tiles that the schedule or the cost model gives to windows, and how a plan names them.
/// `scores`: matrices of queries by keys that a block keeps at once.
WindowTiles windowTilesOf(const pattern::WindowView &view, const Schedule &schedule, int64_t scores = 1);
/// Of the gradients: weights, what their pairs receive, and what that sends back.
WindowTiles windowAdjointTilesOf(const pattern::WindowView &view, const Schedule &schedule);
OpSchedule describeWindowed(const WindowTiles &tiles);
OpSchedule describeWindowAdjoint(const WindowTiles &tiles);

/// A copy of rows by index.
mlir::FailureOr<OpPlan> derivePermute(pattern::PermuteOp permute, ProgramBuilder &program);
/// The index of a symbolic order, from the media table.
mlir::FailureOr<OpPlan> deriveTokenOrder(pattern::TokenOrderOp order, ProgramBuilder &program);

/// Sums over heads of a group and the batch, by blocks of tokens or a block a head of the result.
mlir::FailureOr<OpPlan> deriveReduce(pattern::ReduceOp reduce, ProgramBuilder &program);
/// Blocks: one a batch and head.
mlir::FailureOr<OpPlan> deriveInnerProduct(pattern::InnerProductOp product, ProgramBuilder &program);

} // namespace linmu
