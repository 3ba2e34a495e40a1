// The plan of a function: which algorithm each op gets, for which calls. Decisions only; derive.cpp makes the
// kernels.
#pragma once
#include "compiler/derive/op_schedule.h"
#include "compiler/schedule/schedule.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <optional>
#include <vector>

namespace linmu {

/// How a scan runs in chunks.
struct ScanSchedule {
  Algorithm algorithm = Algorithm::chunked;
  int64_t chunk = 0;                       ///< tokens
  int64_t columns = 0;                     ///< value columns of a block; 0: all
  int64_t segments = 0;                    ///< that the tokens are cut into; of the segmented algorithm
  int64_t entry_columns = 0;               ///< of a block that goes over the segments; 0: all
  ProductType products = ProductType::f32; ///< what is kept for products is rounded to, of gradients
  bool prepare = false;      ///< what no state has a part in is made by a launch before the walk
  int64_t epilogue = 0;      ///< tokens of a block of a kernel of its own for `finish`; 0: it is fused
  int64_t value_columns = 1; ///< of the states that have columns
  /// Of a ragged batch, sequences of fewer tokens run one token at a time.
  int64_t recurrent_below = 0;

  OpSchedule described() const;
};

/// The calls that a variant serves. The first whose condition holds runs.
enum class Regime {
  short_sequences, ///< a chunk would be mostly dead
  few_tokens,      ///< the same, and a sequence is too short for so many segments
  few_blocks,      ///< heads and sequences leave cores idle
  usual,
};

struct PlannedOp {
  mlir::Operation *op = nullptr;
  bool parallel = false;                  ///< long sequences run otherwise than short ones
  std::optional<ScanSchedule> scan;       ///< of a normal_scan in chunks
  std::optional<ScanSchedule> few_blocks; ///< the same where heads and batch leave cores idle, if it differs
  std::optional<ScanSchedule> few_tokens; ///< the same of shorter sequences, if it differs
  OpSchedule schedule;                    ///< of usual calls
  std::string reason;                     ///< why the op runs token by token; empty where it does not
  mlir::Operation *at = nullptr;          ///< the op behind the reason, or null
};

struct Plan {
  std::vector<PlannedOp> ops; ///< of the function, in its order
  llvm::SmallVector<Regime> regimes;
  int64_t few_batch = 0;   ///< batches from here on have blocks enough
  int64_t few_tokens = 0;  ///< sequences of no more are not worth splitting
  int64_t half_tokens = 0; ///< sequences of no more have half the segments
  bool ragged = false;     ///< some loop walks the sequences of a ragged batch
};

/// Errors are reported at the op that cannot run as the schedule says, and at the function for what the
/// schedule says in vain.
mlir::FailureOr<Plan> planOf(mlir::func::FuncOp function, const Schedule &schedule);

} // namespace linmu
