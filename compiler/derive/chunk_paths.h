// What leads from the entry of a chunk and from each of its writes to its reads and to the exit.
#pragma once
#include "compiler/derive/chunk_coupling.h"
#include "compiler/derive/chunk_decay.h"
#include "compiler/derive/chunk_inputs.h"

namespace linmu {

/// The decays between the tokens of a chunk and the products of its keys; what the writes put into the state
/// is not known here. What is written to a state or read of it has V columns. Where states are coupled each
/// of `states` is one of them, K x V, else there is one.
class ChunkPaths {
public:
  ChunkPaths(TileBuilder &builder, pattern::FormOp form, ChunkInputs inputs);

  const ChunkInputs &inputs() const { return inputs_; }
  /// The tokens of the chunk, C.
  int64_t size() const { return size_; }
  /// The decay that stands on keys, and the one by value.
  const ChunkDecay &decay() const { return decay_; }
  const ChunkDecay &valueDecay() const { return value_decay_; }
  ChunkCoupling &coupling() { return coupling_; }
  /// The state that a read is of, and those that a write goes to.
  int64_t stateOfRead(int64_t read) { return form_.getStateOfRead(read); }
  llvm::SmallVector<int64_t, 2> statesOfWrite(int64_t write) { return form_.getStatesOfWrite(write); }
  /// Whether a read sees anything of what a write, or the state q at the entry, leads to.
  bool sees(int64_t read, int64_t write) {
    return !coupling_ || coupling_.leads(stateOfRead(read), statesOfWrite(write));
  }
  bool seesState(int64_t read, int64_t q) { return !coupling_ || coupling_.leads(stateOfRead(read), q); }

  /// The score of each token of read j against each of write i, C x C, zero where the read does not see the
  /// write; without a decay by value. It must be one that the read sees.
  mlir::Value scores(int64_t read, int64_t write);
  /// What the state at the entry alone gives to a read, C x V.
  mlir::Value fromEntry(int64_t read, mlir::ValueRange states);
  /// What a write of these rows, C x V, gives to a read, added to `sum`.
  mlir::Value fromWrite(int64_t read, int64_t write, mlir::Value rows, mlir::Value sum);
  /// What is left of K x V matrices over the chunk; with `transposed`, of what is sent back over it.
  llvm::SmallVector<mlir::Value> left(mlir::ValueRange states, bool transposed = false);
  /// The exits of states that these writes, by their keys' numbers, are put into.
  llvm::SmallVector<mlir::Value> exit(mlir::ValueRange states,
                                      llvm::ArrayRef<std::pair<int64_t, mlir::Value>> writes);
  /// Between the tokens of a read and a write the factor of their score, C x C; null where that is one.
  mlir::Value factorBetween(int64_t read, int64_t write);
  /// The keys of a read with what is left at them of state q at the entry, and those of a write with what is
  /// left of them in state p at the exit: C x K.
  mlir::Value enteredKey(int64_t read, int64_t q);
  mlir::Value exitingKey(int64_t write, int64_t p);

  /// Takes scores, and what a scalar decay gives, from elsewhere.
  void useScores(int64_t read, int64_t write, mlir::Value scores) { scores_[{read, write}] = scores; }
  void useDecay(const ChunkDecay::Prepared &prepared) { decay_.usePrepared(prepared); }

private:
  bool inclusive(int64_t read) { return form_.getInclusive()[read]; }
  mlir::Value leftOfOne(mlir::Value state);

  TileBuilder &builder_;
  pattern::FormOp form_;
  ChunkInputs inputs_;
  ChunkDecay decay_, value_decay_;
  ChunkCoupling coupling_;
  int64_t size_;
  llvm::DenseMap<std::pair<int64_t, int64_t>, mlir::Value> scores_;
};

} // namespace linmu
