if(LINMU_BUILD_COMPILER)
  linmu_unit_test(target_cuda_layout_test
    SOURCES fragment_layout_test.cpp layout_conversion_test.cpp linear_layout_test.cpp shared_layout_test.cpp
    LIBRARIES LinMUCudaLayout LinMU_MLIR)

  linmu_unit_test(target_cuda_emulation_test
    SOURCES emulation_faults_test.cpp emulation_kernels_test.cpp emulation_memory_test.cpp emulation_numbers_test.cpp
      nvrtc.cpp
    LIBRARIES LinMUCudaEmulation LinMUCudaLayout LinMU_MLIR)
  target_compile_definitions(target_cuda_emulation_test PRIVATE
    "LINMU_TEST_KERNELS=\"${PROJECT_SOURCE_DIR}/tests/unit/kernels\""
    "LINMU_TEST_COMPILER=\"${CMAKE_CXX_COMPILER}\"" "LINMU_TEST_VENV=\"${PROJECT_SOURCE_DIR}/.venv\"")

  linmu_unit_test(target_cuda_prelude_test
    SOURCES prelude_portable_test.cpp nvrtc.cpp ../gpu/prelude_cases.cpp ../gpu/prelude_portable.cpp
    LIBRARIES LinMUCudaEmulation)
  target_compile_definitions(target_cuda_prelude_test PRIVATE
    "LINMU_TEST_SOURCES=\"${PROJECT_SOURCE_DIR}/tests\""
    "LINMU_TEST_VENV=\"${PROJECT_SOURCE_DIR}/.venv\"")

  linmu_unit_test(target_cuda_orderings_test
    SOURCES emulation_orderings_test.cpp LIBRARIES linmu_compiler LinMUCudaEmulatedExecutor)
  target_compile_definitions(target_cuda_orderings_test PRIVATE
    "LINMU_TEST_RECURRENCES=\"${PROJECT_SOURCE_DIR}/tests/recurrences\"")

  linmu_unit_test(target_cuda_functions_test SOURCES prelude_functions_test.cpp)

  linmu_unit_test(target_cuda_print_test
    SOURCES cuda_print_test.cpp nvrtc.cpp
    LIBRARIES LinMUCudaPrint LinMUCudaEmulation LinMU_MLIR)
  target_compile_definitions(target_cuda_print_test PRIVATE
    "LINMU_TEST_PRINTED=\"${PROJECT_SOURCE_DIR}/tests/lit/cuda\"" "LINMU_TEST_COMPILER=\"${CMAKE_CXX_COMPILER}\""
    "LINMU_TEST_VENV=\"${PROJECT_SOURCE_DIR}/.venv\"")
endif()
