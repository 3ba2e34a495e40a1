// Tiles in the layouts that have been made of them, as far as they can be used from where one stands.
#pragma once
#include "compiler/target/cuda/registers/TileLayouts.h"
#include "llvm/ADT/DenseMap.h"
#include <vector>

namespace linmu::cuda {

class LayoutScopes {
public:
  /// What is added from here on is forgotten at the end of the region that begins here.
  void enter() { scopes_.emplace_back(); }
  void leave() { scopes_.pop_back(); }

  void add(mlir::Value tile, LayoutAttr layout, mlir::Value value) {
    scopes_.back().tiles[{tile, layout}] = value;
  }
  /// `tile` in a layout; null where there is none yet.
  mlir::Value find(mlir::Value tile, LayoutAttr layout) const {
    for (const Scope &scope : scopes_)
      if (auto found = scope.tiles.find({tile, layout}); found != scope.tiles.end())
        return found->second;
    return {};
  }
  void addBuffer(mlir::Value tile, mlir::Value buffer) { scopes_.back().buffers[tile] = buffer; }
  mlir::Value findBuffer(mlir::Value tile) const {
    for (const Scope &scope : scopes_)
      if (mlir::Value found = scope.buffers.lookup(tile))
        return found;
    return {};
  }

private:
  struct Scope {
    llvm::DenseMap<std::pair<mlir::Value, mlir::Attribute>, mlir::Value> tiles;
    llvm::DenseMap<mlir::Value, mlir::Value> buffers;
  };
  std::vector<Scope> scopes_{1};
};

} // namespace linmu::cuda
