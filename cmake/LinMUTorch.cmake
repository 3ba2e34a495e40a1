# LibTorch from the pip wheel. find_package(Torch) fails beside CUDA 13's nvcc with clang 22, so the
# libraries are imported one by one.
set(LINMU_PYTHON "${PROJECT_SOURCE_DIR}/.venv/bin/python3" CACHE FILEPATH "The Python that holds torch")
if(NOT LINMU_TORCH_DIR)
  execute_process(
    COMMAND "${LINMU_PYTHON}" -c
            "import importlib.util, os; print(os.path.dirname(importlib.util.find_spec('torch').origin))"
    OUTPUT_VARIABLE torch_dir OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE torch_failed)
  if(torch_failed)
    message(FATAL_ERROR "LinMU's models require torch in ${LINMU_PYTHON}; run ./dev build, which installs it")
  endif()
  set(LINMU_TORCH_DIR "${torch_dir}" CACHE PATH "The folder of the torch package" FORCE)
endif()

# Programs look for the same version beside them: see models/tools/torch_library.h.
file(STRINGS "${LINMU_TORCH_DIR}/version.py" LINMU_TORCH_VERSION REGEX "^__version__ = ")
string(REGEX REPLACE "^__version__ = '(.*)'$" "\\1" LINMU_TORCH_VERSION "${LINMU_TORCH_VERSION}")

add_library(LinMU_Torch INTERFACE)
target_include_directories(LinMU_Torch SYSTEM INTERFACE
  "${LINMU_TORCH_DIR}/include" "${LINMU_TORCH_DIR}/include/torch/csrc/api/include")
target_compile_definitions(LinMU_Torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
# A target with LINMU_TORCH_AT_RUN_TIME is compiled with torch's headers and finds the symbols in its process.
set(linked "$<NOT:$<BOOL:$<TARGET_PROPERTY:LINMU_TORCH_AT_RUN_TIME>>>")
# libstdc++ comes first: libtorch.so exports parts of an older std::filesystem, whose remove_all jumps to 0.
target_link_libraries(LinMU_Torch INTERFACE
  "$<${linked}:-Wl,--no-as-needed;stdc++;${LINMU_TORCH_DIR}/lib/libtorch.so;${LINMU_TORCH_DIR}/lib/libtorch_cpu.so;${LINMU_TORCH_DIR}/lib/libc10.so;-Wl,--as-needed>")
target_link_options(LinMU_Torch INTERFACE "$<${linked}:-Wl,-rpath,${LINMU_TORCH_DIR}/lib>")
# The wheel's include folder carries headers of a newer fmt, which hide the system's; its compiled part is
# inside libtorch and not exported.
target_compile_definitions(LinMU_Torch INTERFACE FMT_HEADER_ONLY)
