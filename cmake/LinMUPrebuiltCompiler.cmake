# The compiler as a library that was built elsewhere: this machine has no MLIR.
if(NOT EXISTS "${LINMU_COMPILER_LIBRARY}")
  message(FATAL_ERROR "LINMU_COMPILER_LIBRARY must name a prebuilt liblinmu_compiler.so, "
                      "got '${LINMU_COMPILER_LIBRARY}'")
endif()
add_library(linmu_compiler SHARED IMPORTED GLOBAL)
set_target_properties(linmu_compiler PROPERTIES IMPORTED_LOCATION "${LINMU_COMPILER_LIBRARY}")
