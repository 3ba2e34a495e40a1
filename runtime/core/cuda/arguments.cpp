#include "runtime/core/cuda/arguments.h"

namespace linmu::cuda {

std::size_t argumentWords(const Package &package, const Launch &launch) {
  std::size_t words = 3; // the grid
  for (const Binding &binding : launch.operands) {
    std::size_t rank = 0;
    switch (binding.kind) {
    case Binding::input:
      rank = package.signature.inputs[binding.index].shape.size();
      break;
    case Binding::result:
      rank = package.signature.results[binding.index].shape.size();
      break;
    case Binding::temporary:
      rank = package.temporaries[binding.index].shape.size();
      break;
    case Binding::expression:
      break;
    }
    words += 1 + 2 * rank;
  }
  return words;
}

} // namespace linmu::cuda
