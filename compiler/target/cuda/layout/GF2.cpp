#include "compiler/target/cuda/layout/GF2.h"
#include "llvm/ADT/STLExtras.h"
#include <bit>
#include <cassert>

using namespace linmu::cuda;

Span::Row Span::reduce(std::uint64_t vector) const {
  std::uint64_t combination = 0;
  for (const Row &row : echelon)
    if (vector & std::bit_floor(row.vector)) {
      vector ^= row.vector;
      combination ^= row.combination;
    }
  return {vector, combination};
}

std::optional<std::uint64_t> Span::add(std::uint64_t vector) {
  assert(added < 64 && "requires at most 64 vectors");
  Row row = reduce(vector);
  row.combination ^= std::uint64_t(1) << added++;
  if (row.vector == 0)
    return row.combination;
  auto *place = llvm::find_if(echelon, [&](const Row &other) { return other.vector < row.vector; });
  echelon.insert(place, row);
  return std::nullopt;
}

std::optional<std::uint64_t> Span::combinationOf(std::uint64_t vector) const {
  Row row = reduce(vector);
  if (row.vector != 0)
    return std::nullopt;
  return row.combination;
}

std::uint64_t linmu::cuda::sumOf(llvm::ArrayRef<std::uint64_t> vectors, std::uint64_t mask) {
  std::uint64_t sum = 0;
  for (; mask != 0; mask &= mask - 1)
    sum ^= vectors[std::countr_zero(mask)];
  return sum;
}
