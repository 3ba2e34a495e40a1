// The gradients of the keys of a chunk.
#pragma once
#include "compiler/derive/adjoint_writes.h"

namespace linmu {

/// With Z = dY W^T where the read sees the write:
///   dR = (dY S^T) E + (Z F) K     dK = (W D^T) X + (Z F)^T R
class AdjointKeys {
public:
  /// `writes` must outlive it.
  AdjointKeys(TileBuilder &builder, AdjointWrites &writes) : builder_(builder), writes_(writes) {}

  /// The gradients of the keys of a read and of a write, C x K.
  mlir::Value readKey(int64_t read);
  mlir::Value writeKey(int64_t write);
  /// Z, C x C, of a read that something is sent back to; with a decay by value between read and write.
  mlir::Value products(int64_t read, int64_t write);
  /// The same with the factor between them that is one of tokens.
  mlir::Value decayedProducts(int64_t read, int64_t write);
  /// dY S^T of state q at the entry, and W D^T of state p at the exit, C x K, between coupled states.
  mlir::Value fromState(int64_t read, int64_t q);
  mlir::Value fromAdjoint(int64_t write, int64_t p);
  /// Of what leads from the entry to each read, or from each write to the exit, what crosses each token,
  /// C x K; with a scalar decay, what leads there, [C].
  mlir::Value pathsFromEntry(int64_t read);
  mlir::Value pathsToExit(int64_t write);

private:
  mlir::Value readKeyEntry(int64_t read);
  mlir::Value writeKeyExit(int64_t write);
  ChunkPaths &paths() { return writes_.paths(); }

  TileBuilder &builder_;
  AdjointWrites &writes_;
  llvm::DenseMap<std::pair<int64_t, int64_t>, mlir::Value> products_, decayed_products_;
  llvm::DenseMap<std::pair<int64_t, int64_t>, mlir::Value> from_states_, from_adjoints_;
  llvm::DenseMap<int64_t, mlir::Value> read_key_entries_, write_key_exits_;
  /// For the decay's gradient, taken as soon as these are there, so that they need not stay.
  llvm::DenseMap<int64_t, mlir::Value> paths_from_entry_, paths_to_exit_;
};

/// Of what leads from the entry to each read, C rows, what crosses each token; likewise from each write to
/// the exit.
mlir::Value crossedFromEntry(TileBuilder &builder, mlir::Value paths, bool inclusive);
mlir::Value crossedToExit(TileBuilder &builder, mlir::Value paths);

} // namespace linmu
