# The runtime for CUDA, against a stand-in for the driver.
add_library(linmu_fake_cuda_driver MODULE "${CMAKE_CURRENT_LIST_DIR}/fake_cuda_driver.cpp")
set_target_properties(linmu_fake_cuda_driver PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
target_link_options(linmu_fake_cuda_driver PRIVATE -Wl,--no-gc-sections)

linmu_unit_test(cuda_runtime_test
  SOURCES cuda_launch_test.cpp cuda_memory_test.cpp cuda_fixture.cpp runtime_fixture.cpp LIBRARIES linmu_runtime)
add_dependencies(cuda_runtime_test linmu_fake_cuda_driver runtime_test_images)
target_compile_definitions(cuda_runtime_test PRIVATE
  LINMU_TEST_KERNELS="${CMAKE_CURRENT_BINARY_DIR}" LINMU_FAKE_CUDA_DRIVER="$<TARGET_FILE:linmu_fake_cuda_driver>")

# For tests in Python.
add_executable(fake_cuda_package "${CMAKE_CURRENT_LIST_DIR}/fake_cuda_package.cpp" "${CMAKE_CURRENT_LIST_DIR}/runtime_fixture.cpp")
set_target_properties(fake_cuda_package PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
target_link_libraries(fake_cuda_package PRIVATE linmu_runtime GTest::gtest)
add_dependencies(fake_cuda_package runtime_test_images)
target_compile_definitions(fake_cuda_package PRIVATE LINMU_TEST_KERNELS="${CMAKE_CURRENT_BINARY_DIR}")

linmu_unit_test(cuda_images_test
  SOURCES cuda_images_test.cpp cuda_fixture.cpp runtime_fixture.cpp temporary_folder.cpp LIBRARIES linmu_jit_cache)
add_dependencies(cuda_images_test linmu_fake_cuda_driver runtime_test_images)
target_compile_definitions(cuda_images_test PRIVATE
  LINMU_TEST_KERNELS="${CMAKE_CURRENT_BINARY_DIR}" LINMU_FAKE_CUDA_DRIVER="$<TARGET_FILE:linmu_fake_cuda_driver>"
  LINMU_TEST_VIRTUAL_ENV="${PROJECT_SOURCE_DIR}/.venv")

if(LINMU_NVTX_INCLUDE_DIR)
  # A profiler that lists the ranges it is told of.
  add_library(linmu_fake_profiler MODULE "${CMAKE_CURRENT_LIST_DIR}/fake_profiler.cpp")
  set_target_properties(linmu_fake_profiler PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  target_include_directories(linmu_fake_profiler PRIVATE "${LINMU_NVTX_INCLUDE_DIR}")
  linmu_unit_test(cuda_profiler_test
    SOURCES cuda_profiler_test.cpp cuda_fixture.cpp runtime_fixture.cpp LIBRARIES linmu_runtime)
  add_dependencies(cuda_profiler_test linmu_fake_cuda_driver linmu_fake_profiler runtime_test_images)
  target_compile_definitions(cuda_profiler_test PRIVATE
    LINMU_TEST_KERNELS="${CMAKE_CURRENT_BINARY_DIR}" LINMU_FAKE_CUDA_DRIVER="$<TARGET_FILE:linmu_fake_cuda_driver>"
    LINMU_FAKE_PROFILER="$<TARGET_FILE:linmu_fake_profiler>")
endif()
