// What leads from the entry of a chunk and from each of its writes to its reads and to the exit.
#pragma once
#include "compiler/derive/chunk_decay.h"
#include "compiler/derive/chunk_inputs.h"

namespace linmu {

/// The decays between the tokens of a chunk and the products of its keys; what the writes put into the state
/// is not known here. What is written to a state or read of it has V columns.
class ChunkPaths {
public:
  ChunkPaths(TileBuilder &builder, pattern::FormOp form, ChunkInputs inputs);

  const ChunkInputs &inputs() const { return inputs_; }
  /// The tokens of the chunk, C.
  int64_t size() const { return size_; }
  /// The decay that stands on keys, and the one by value.
  const ChunkDecay &decay() const { return decay_; }
  const ChunkDecay &valueDecay() const { return value_decay_; }

  /// The score of each token of read j against each of write i, C x C, zero where the read does not see the
  /// write; without a decay by value.
  mlir::Value scores(int64_t read, int64_t write);
  /// What the state at the entry alone gives to a read, C x V.
  mlir::Value fromEntry(int64_t read, mlir::Value state);
  /// What a write of these rows, C x V, gives to a read, added to `sum`.
  mlir::Value fromWrite(int64_t read, int64_t write, mlir::Value rows, mlir::Value sum);
  /// What is left of a K x V matrix over the chunk.
  mlir::Value left(mlir::Value state);
  /// The exit of a state that these writes, by their keys' numbers, are put into.
  mlir::Value exit(mlir::Value state, llvm::ArrayRef<std::pair<int64_t, mlir::Value>> writes);

  /// Takes scores, and what a scalar decay gives, from elsewhere.
  void useScores(int64_t read, int64_t write, mlir::Value scores) { scores_[{read, write}] = scores; }
  void useDecay(const ChunkDecay::Prepared &prepared) { decay_.usePrepared(prepared); }

private:
  bool inclusive(int64_t read) { return form_.getInclusive()[read]; }

  TileBuilder &builder_;
  pattern::FormOp form_;
  ChunkInputs inputs_;
  ChunkDecay decay_, value_decay_;
  int64_t size_;
  llvm::DenseMap<std::pair<int64_t, int64_t>, mlir::Value> scores_;
};

} // namespace linmu
