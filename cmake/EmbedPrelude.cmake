# Writes OUTPUT, a header with the texts of both preludes; SOURCE is compiler/target/cuda.
function(concatenate result)
  set(text "")
  foreach(file IN LISTS ARGN)
    file(READ "${SOURCE}/${file}" content)
    string(REPLACE "#pragma once\n" "" content "${content}")
    string(APPEND text "${content}")
  endforeach()
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

set(registers prelude/integers.cuh prelude/floats.cuh prelude/conversions.cuh)
set(vectors prelude/vector.cuh prelude/operands.cuh prelude/fragments.cuh)
concatenate(device prelude/types.cuh prelude/device/index.cuh prelude/device/memory.cuh prelude/device/copy.cuh
  prelude/device/warp.cuh prelude/device/barrier.cuh prelude/device/matrix.cuh prelude/device/product.cuh
  prelude/device/math.cuh prelude/device/target.cuh prelude/device/functions.cuh ${registers} ${vectors})
concatenate(portable emulation/Machine.h emulation/Numbers.h prelude/types.cuh prelude/portable/prelude.h
  prelude/portable/math.h prelude/portable/target.h prelude/portable/functions.h ${registers} ${vectors})
concatenate(entry prelude/portable/entry.h)
file(WRITE "${OUTPUT}" "#pragma once
#include <string_view>

namespace linmu::cuda {

inline constexpr std::string_view deviceText = R\"prelude(#define LINMU_FUNCTION __device__ __forceinline__
${device}
using namespace prelude;
)prelude\";

inline constexpr std::string_view portableText = R\"prelude(#define LINMU_FUNCTION inline
${portable})prelude\";

inline constexpr std::string_view entryText = R\"prelude(${entry})prelude\";

} // namespace linmu::cuda
")
