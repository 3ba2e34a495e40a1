#include "compiler/normalize/StateReads.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace linmu;

Value StateReads::symbolOf(unsigned state, Value key, bool inclusive, Location location) {
  StateForm &form = states_[state];
  for (const StateRead &read : form.reads)
    if (read.key == key && read.inclusive == inclusive)
      return read.symbol;
  Value symbol = symbols_.addArgument(form.valueType, location);
  readOf_[symbol] = {state, unsigned(form.reads.size())};
  form.reads.push_back({key, symbol, inclusive});
  return symbol;
}

std::optional<unsigned> StateReads::stateOf(Value symbol) const {
  auto found = readOf_.find(symbol);
  return found == readOf_.end() ? std::nullopt : std::optional(found->second.first);
}

const llvm::SmallDenseSet<unsigned> &StateReads::dependencies(Value value) {
  static const llvm::SmallDenseSet<unsigned> none;
  if (!value)
    return none;
  // An expression and the key of a read are made before what uses them: what is known stays so.
  SmallVector<Value> work{value};
  while (!work.empty()) {
    Value next = work.back();
    if (dependencies_.contains(next)) {
      work.pop_back();
      continue;
    }
    SmallVector<Value> sources;
    llvm::SmallDenseSet<unsigned> result;
    if (auto read = readOf_.find(next); read != readOf_.end()) {
      result.insert(read->second.first);
      // What is read depends on the key that it is read with.
      sources.push_back(states_[read->second.first].reads[read->second.second].key);
    } else if (Operation *op = next.getDefiningOp()) {
      sources.append(op->operand_begin(), op->operand_end());
    }
    size_t before = work.size();
    for (Value source : sources)
      if (auto known = dependencies_.find(source); known != dependencies_.end())
        result.insert(known->second.begin(), known->second.end());
      else
        work.push_back(source);
    if (work.size() == before) {
      dependencies_.try_emplace(next, std::move(result));
      work.pop_back();
    }
  }
  return dependencies_.find(value)->second;
}

SmallVector<Value> StateReads::keysIn(Value value) {
  SmallVector<Value> result;
  llvm::SetVector<Value> parts;
  parts.insert(value);
  for (size_t next = 0; next < parts.size(); ++next) {
    if (auto read = readOf_.find(parts[next]); read != readOf_.end()) {
      const StateForm &form = states_[read->second.first];
      Value key = form.reads[read->second.second].key;
      if (form.keyAxis >= 0 && isa<RankedTensorType>(key.getType()) && dependencies(key).empty())
        result.push_back(key);
    } else if (Operation *op = parts[next].getDefiningOp()) {
      parts.insert(op->operand_begin(), op->operand_end());
    }
  }
  return result;
}
