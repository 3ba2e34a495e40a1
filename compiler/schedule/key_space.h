// The keys of a schedule, and which algorithm takes which: the space that choices are made from, as data.
#pragma once
#include "compiler/schedule/schedule.h"
#include "llvm/ADT/ArrayRef.h"
#include <variant>

namespace linmu {

/// A key whose value is a whole number.
struct NumberKey {
  std::int64_t minimum, maximum, multiple;
  std::int64_t Schedule::*field;
};
/// A key of the target's cost model.
struct CostKey {
  std::int64_t minimum, maximum;
  std::int64_t CostModel::*field;
};
struct AlgorithmKey {};
struct FlagKey {
  bool Schedule::*field;
};

struct ScheduleKey {
  llvm::StringRef name;
  std::variant<NumberKey, CostKey, AlgorithmKey, FlagKey> values;
};
/// In the order of their names.
llvm::ArrayRef<ScheduleKey> scheduleKeys();

/// An algorithm of one kind of op.
struct AlgorithmSpace {
  llvm::StringRef name;
  llvm::ArrayRef<llvm::StringRef> keys; ///< that it takes
};
llvm::ArrayRef<AlgorithmSpace> algorithmSpaces();

/// The name in text of an algorithm that a schedule may force.
llvm::StringRef nameOf(Algorithm algorithm);

/// The names of the algorithms that take `key`, as "chunked or two_kernels".
std::string algorithmsWith(llvm::StringRef key);

/// "a", "a or b", "a, b or c".
std::string alternatives(llvm::ArrayRef<llvm::StringRef> words, llvm::StringRef last = "or");

} // namespace linmu
