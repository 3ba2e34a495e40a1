// The order in which the states of a step are computed: each after those whose reads it uses.
#include "compiler/normalize/Affine.h"
#include "compiler/normalize/Expression.h"

using namespace mlir;

namespace linmu {

bool AffineAnalysis::orderStrata() {
  SmallVector<llvm::SmallDenseSet<unsigned>> needs(states_.size());
  for (auto [index, form] : llvm::enumerate(states_)) {
    auto need = [&](Value value) {
      for (unsigned other : reads_.dependencies(value))
        needs[index].insert(other);
    };
    for (Value decay : {form.decay, form.valueDecay, form.sign, form.valueSign})
      need(decay);
    for (auto [state, factor] : form.coupling)
      need(factor);
    for (const StateWrite &write : form.writes)
      need(write.key);
    for (Value value : form.free)
      need(value);
    for (auto &terms : form.feedback)
      for (auto [read, coefficient] : terms)
        need(coefficient);
    for (const StateRead &read : form.reads) {
      if (dependsOn(read.key, index))
        return diagnosis_.fail("a read's key depends on what was read from the same state",
                               diagnosis_.originOf(read.symbol, scan_));
      need(read.key);
    }
    if (llvm::any_of(groups_[index], [&](unsigned member) { return needs[index].contains(member); }))
      return diagnosis_.fail("the state depends on its own reads outside the feedback", scan_);
  }
  llvm::SmallDenseSet<unsigned> done;
  auto isReady = [&](unsigned state) {
    return llvm::all_of(needs[state], [&](unsigned other) { return done.contains(other); });
  };
  while (done.size() < states_.size()) {
    bool progress = false;
    for (unsigned state = 0; state < states_.size(); ++state)
      if (!done.contains(state) && llvm::all_of(groups_[state], isReady)) {
        strata_.push_back(groups_[state]);
        done.insert(groups_[state].begin(), groups_[state].end());
        progress = true;
      }
    if (!progress) {
      std::string names;
      for (unsigned state = 0; state < states_.size(); ++state)
        if (!done.contains(state))
          names += (names.empty() ? "" : " and ") + nameOfState(scan_, state);
      return diagnosis_.fail("the states " + names +
                                 " depend on each other: chunks would need one transition of all of them",
                             scan_);
    }
  }
  return true;
}

} // namespace linmu
