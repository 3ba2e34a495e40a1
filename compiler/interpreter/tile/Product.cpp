// Products of matrices, solves, and products under decay.
#include "compiler/interpreter/tile/Block.h"
#include <cmath>

using namespace mlir;
using linmu::pattern::StepValue;

namespace linmu::interpreter {

static double elementOf(const StepValue &matrix, bool transposed, int64_t i, int64_t j) {
  return transposed ? matrix.at(j, i) : matrix.at(i, j);
}

/// The product of the column's decays of rows after `from`, up to `to`.
static double decayBetween(const StepValue &decays, std::int64_t from, std::int64_t to, std::int64_t column) {
  double product = 1;
  for (std::int64_t row = from + 1; row <= to; ++row)
    product *= decays.at(row, column);
  return product;
}

/// Values v_i to solutions of w_i = v_i + sum_j lower(A_ij) w_j, token by token. With `lower`, values and
/// solutions are lower triangles and nothing is added above their diagonals.
static void substitute(const std::vector<StepValue> &systems, std::vector<StepValue> &values, bool lower) {
  size_t count = values.size();
  for (std::int64_t t = 0; t < values[0].shape[0]; ++t)
    for (size_t i = 0; i < count; ++i)
      for (size_t j = 0; j < count; ++j)
        for (std::int64_t s = 0; s < t; ++s)
          for (std::int64_t v = 0; v < (lower ? s + 1 : values[0].shape[1]); ++v)
            values[i].at(t, v) += systems[i * count + j].at(t, s) * values[j].at(s, v);
}

bool Block::runProduct(Operation &op) {
  if (auto dot = dyn_cast<tile::DotOp>(op)) {
    const StepValue &lhs = get(dot.getLhs()), &rhs = get(dot.getRhs());
    StepValue result = dot.getInit() ? get(dot.getInit()) : shaped(dot.getType());
    std::int64_t contracted = lhs.shape[dot.getTransposeLhs() ? 0 : 1];
    for (std::int64_t i = 0; i < result.shape[0]; ++i)
      for (std::int64_t j = 0; j < result.shape[1]; ++j) {
        // What a triangle leaves unspecified is poison, so that a use of it shows.
        if (dot.getTriangle() == tile::Triangle::result_lower && j > i)
          result.at(i, j) = NAN;
        for (std::int64_t k = 0; k < contracted; ++k)
          if (dot.getTriangle() != tile::Triangle::lhs_lower || k <= i)
            result.at(i, j) +=
                elementOf(lhs, dot.getTransposeLhs(), i, k) * elementOf(rhs, dot.getTransposeRhs(), k, j);
      }
    set(dot, result);
  } else if (auto solve = dyn_cast<tile::SolveOp>(op)) {
    std::vector<StepValue> systems, solutions;
    for (Value system : solve.getSystems())
      systems.push_back(get(system));
    for (Value value : solve.getValues())
      solutions.push_back(get(value));
    substitute(systems, solutions, /*lower=*/false);
    for (auto [result, solution] : llvm::zip(solve.getSolutions(), solutions))
      set(result, solution);
  } else if (auto inverse = dyn_cast<tile::InverseOp>(op)) {
    std::vector<StepValue> systems;
    for (Value system : inverse.getSystems())
      systems.push_back(get(system));
    size_t count = std::llround(std::sqrt(systems.size()));
    // Column j of the blocks is the solution for column j of the identity.
    for (size_t j = 0; j < count; ++j) {
      std::vector<StepValue> column(count, shaped(inverse.getInverses().front().getType()));
      for (std::int64_t t = 0; t < column[j].shape[0]; ++t)
        column[j].at(t, t) = 1;
      substitute(systems, column, /*lower=*/true);
      for (size_t i = 0; i < count; ++i)
        set(inverse.getInverses()[i * count + j], column[i]);
    }
  } else if (auto inverses = dyn_cast<tile::DiagonalInversesOp>(op)) {
    const StepValue &system = get(inverses.getSystem());
    StepValue result = shaped(inverses.getType());
    std::int64_t size = result.shape[1];
    for (std::int64_t first = 0; first < result.shape[0]; first += size) {
      std::vector<StepValue> block{StepValue::filled({size, size}, 0)}, columns{block[0]};
      for (std::int64_t t = 0; t < size; ++t) {
        columns[0].at(t, t) = 1;
        for (std::int64_t s = 0; s < size; ++s)
          block[0].at(t, s) = system.at(first + t, first + s);
      }
      substitute(block, columns, /*lower=*/true);
      for (std::int64_t t = 0; t < size; ++t)
        for (std::int64_t s = 0; s < size; ++s)
          result.at(first + t, s) = columns[0].at(t, s);
    }
    set(inverses, result);
  } else if (auto scores = dyn_cast<tile::DecayScoresOp>(op)) {
    const StepValue &reads = get(scores.getReads()), &keys = get(scores.getKeys()),
                    &decays = get(scores.getDecays());
    StepValue result = shaped(scores.getType());
    std::int64_t late = scores.getExclusive() ? 1 : 0;
    for (std::int64_t t = 0; t < reads.shape[0]; ++t)
      for (std::int64_t s = 0; s <= t - late; ++s)
        for (std::int64_t k = 0; k < reads.shape[1]; ++k)
          result.at(t, s) += reads.at(t, k) * keys.at(s, k) * decayBetween(decays, s, t - late, k);
    set(scores, result);
  } else if (auto product = dyn_cast<tile::DecayValuesOp>(op)) {
    const StepValue &scores = get(product.getScores()), &values = get(product.getValues()),
                    &decays = get(product.getDecays());
    StepValue result = shaped(product.getType());
    std::int64_t late = product.getExclusive() ? 1 : 0;
    for (std::int64_t t = 0; t < values.shape[0]; ++t)
      for (std::int64_t s = 0; s <= t - late; ++s)
        for (std::int64_t v = 0; v < values.shape[1]; ++v)
          if (product.getTransposed())
            result.at(s, v) += scores.at(t, s) * values.at(t, v) * decayBetween(decays, s, t - late, v);
          else
            result.at(t, v) += scores.at(t, s) * values.at(s, v) * decayBetween(decays, s, t - late, v);
    set(product, result);
  } else if (auto paths = dyn_cast<tile::DecayPathsOp>(op)) {
    const StepValue &weights = get(paths.getWeights()), &readers = get(paths.getReaders()),
                    &writers = get(paths.getWriters()), &decays = get(paths.getDecays());
    StepValue result = shaped(paths.getType());
    std::int64_t late = paths.getExclusive() ? 1 : 0;
    for (std::int64_t u = 0; u < readers.shape[0]; ++u)
      for (std::int64_t s = 0; s < u; ++s)
        for (std::int64_t x = 0; x < readers.shape[1]; ++x) {
          double path =
              writers.at(s, x) * weights.at(u, s) * readers.at(u, x) * decayBetween(decays, s, u - late, x);
          for (std::int64_t t = s + 1; t <= u - late; ++t)
            result.at(t, x) += path;
        }
    set(paths, result);
  } else {
    return false;
  }
  return true;
}

} // namespace linmu::interpreter
