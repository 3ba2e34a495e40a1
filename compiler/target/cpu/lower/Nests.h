// Loop nests over the register blocks of a tile.
#pragma once
#include "compiler/target/cpu/lower/Kernel.h"

namespace linmu::cpu {

struct Lowering;

/// How many rows a register block of so many has, and how many panels one across so many columns.
std::int64_t blockRows(const Kernel &kernel, std::int64_t rows);
std::int64_t blockPanels(const Kernel &kernel, std::int64_t columns);
/// How many panels of a row are in registers together where a nest goes row by row.
std::int64_t panelsOfRow(mlir::Value tile);

/// Blocks of `panels` panels, which divides their number; those above the diagonal are left out of a lower
/// triangle.
void forEachBlock(Kernel &kernel, llvm::ArrayRef<std::int64_t> shape, bool lowerOnly, std::int64_t panels,
                  llvm::function_ref<void(const RegisterBlock &)> body);
/// The same over the blocks of `tile`, which `body` computes; prefetches that wait go with them.
void forEachBlockOf(Lowering &lowering, mlir::Value tile, bool lowerOnly,
                    llvm::function_ref<void(const RegisterBlock &)> body);

} // namespace linmu::cpu
