// Which states of a step are computed together.
#include "compiler/normalize/Affine.h"
#include "compiler/normalize/Expression.h"
#include "llvm/ADT/BitVector.h"

using namespace mlir;
using namespace linmu;

llvm::SmallDenseSet<unsigned> AffineAnalysis::needsOf(unsigned state) {
  llvm::SmallDenseSet<unsigned> needs;
  auto need = [&](Value value) {
    for (unsigned other : reads_.dependencies(value))
      needs.insert(other);
  };
  auto needAll = [&](const RankOne &term) {
    for (Value part : {term.column, term.row, term.scale})
      need(part);
  };
  Value yielded = scan_.getYield().getStates()[state];
  if (states_[state].keyAxis < 0) {
    need(forms_.expressionOf(yielded));
  } else if (auto matrix = forms_.matrixOf(yielded)) {
    for (const StatePart &part : matrix->parts)
      needAll(part.scale);
    for (const RankOne &term : matrix->terms)
      needAll(term);
  }
  for (const StateRead &read : states_[state].reads)
    need(read.key);
  return needs;
}

bool AffineAnalysis::findGroups() {
  const unsigned count = states_.size();
  // Whom each state needs, and whom these do; states that take each other whole need each other.
  SmallVector<llvm::BitVector> needs(count, llvm::BitVector(count));
  for (unsigned state = 0; state < count; ++state) {
    needs[state].set(state);
    for (unsigned other : needsOf(state))
      needs[state].set(other);
    if (states_[state].keyAxis >= 0)
      if (auto matrix = forms_.matrixOf(scan_.getYield().getStates()[state]))
        for (const StatePart &part : matrix->parts) {
          needs[state].set(part.state);
          needs[part.state].set(state);
        }
  }
  for (unsigned via = 0; via < count; ++via)
    for (llvm::BitVector &own : needs)
      if (own.test(via))
        own |= needs[via];
  groups_.resize(count);
  for (unsigned state = 0; state < count; ++state)
    for (unsigned other = 0; other < count; ++other)
      if (needs[state].test(other) && needs[other].test(state))
        groups_[state].push_back(other);
  for (unsigned state = 0; state < states_.size(); ++state) {
    const StateForm &first = states_[groups_[state].front()], &form = states_[state];
    if (form.slice == first.slice && form.keyAxis == first.keyAxis)
      continue;
    std::string names;
    for (unsigned other : groups_[state])
      names += (names.empty() ? "" : " and ") + nameOfState(scan_, other);
    diagnosis_.suspect({}, groups_[state]);
    return diagnosis_.fail(
        "the states " + names +
            " depend on each other and differ in shape or are read along different axes: chunks "
            "would need one transition of all of them",
        scan_, 1);
  }
  return true;
}

bool AffineAnalysis::failMixed(Value factor, Operation *at) {
  return diagnosis_.fail(
      quotedName(at) + " mixes states by factors that differ between elements: chunks would need the running "
                       "products of matrices of each element",
      diagnosis_.originOf(factor, at));
}

bool AffineAnalysis::finishCoupling(unsigned state, const MatrixForm &matrix, Operation *at) {
  for (const auto &[other, scale] : matrix.parts) {
    Value factor = scale.scale ? scale.scale : symbols_.constant(Float32Type::get(scan_.getContext()), 1);
    for (Value part : {scale.column, scale.row})
      if (part)
        return failMixed(part, at);
    if (dependsOn(factor, state))
      return diagnosis_.fail("the decay depends on what was read from the same state",
                             diagnosis_.originOf(factor, at));
    states_[state].coupling.push_back({other, factor});
  }
  return true;
}
