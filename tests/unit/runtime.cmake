# Kernels for the tests: each function of runtime_kernels.c as one flat image, as the compiler would make it.
set(kernel_images "")
add_library(runtime_test_kernels OBJECT "${CMAKE_CURRENT_LIST_DIR}/runtime_kernels.c")
target_compile_options(runtime_test_kernels PRIVATE
  -O1 -ffreestanding -fno-asynchronous-unwind-tables -fno-stack-protector -fcf-protection=none -fno-vectorize
  -fno-slp-vectorize)
if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
  set_target_properties(runtime_test_kernels PROPERTIES COMPILE_OPTIONS
    "-O1;-ffreestanding;-fno-asynchronous-unwind-tables;-fno-stack-protector;-fno-tree-vectorize")
endif()
foreach(kernel add mark touch sum_part sum_whole nothing)
  set(image "${CMAKE_CURRENT_BINARY_DIR}/kernel_${kernel}.bin")
  add_custom_command(
    OUTPUT "${image}"
    COMMAND "${CMAKE_OBJCOPY}" -O binary "--only-section=.text.${kernel}"
            "$<TARGET_OBJECTS:runtime_test_kernels>" "${image}"
    DEPENDS runtime_test_kernels "$<TARGET_OBJECTS:runtime_test_kernels>")
  list(APPEND kernel_images "${image}")
endforeach()
add_custom_target(runtime_test_images DEPENDS ${kernel_images})

linmu_unit_test(runtime_package_test SOURCES runtime_package_test.cpp runtime_fixture.cpp LIBRARIES linmu_runtime)
linmu_unit_test(runtime_launch_test ALONE
  SOURCES runtime_launch_test.cpp runtime_operand_test.cpp runtime_memory_test.cpp runtime_content_test.cpp
          runtime_fixture.cpp
  LIBRARIES linmu_runtime)
linmu_unit_test(runtime_settings_test SOURCES runtime_settings_test.cpp LIBRARIES linmu_runtime)
linmu_unit_test(runtime_jit_test ALONE
  SOURCES runtime_jit_test.cpp runtime_memory_cache_test.cpp runtime_fixture.cpp LIBRARIES linmu_jit_cache)
# Through the shared library; the packages are made by the static one.
linmu_unit_test(runtime_c_api_test
  SOURCES runtime_c_api_test.cpp runtime_fixture.cpp temporary_folder.cpp LIBRARIES linmu_runtime_c linmu_runtime)
target_compile_definitions(runtime_c_api_test PRIVATE LINMU_EXPECTED_VERSION="${PROJECT_VERSION}")
foreach(test runtime_c_api_test runtime_package_test runtime_launch_test runtime_jit_test)
  add_dependencies(${test} runtime_test_images)
  target_compile_definitions(${test} PRIVATE LINMU_TEST_KERNELS="${CMAKE_CURRENT_BINARY_DIR}")
endforeach()
linmu_unit_test(runtime_compile_test SOURCES runtime_compile_test.cpp runtime_fixture.cpp LIBRARIES linmu_jit)
add_dependencies(runtime_compile_test runtime_test_images)
target_compile_definitions(runtime_compile_test PRIVATE LINMU_TEST_KERNELS="${CMAKE_CURRENT_BINARY_DIR}")

add_executable(cold_compile_probe "${CMAKE_CURRENT_LIST_DIR}/cold_compile_probe.cpp")
target_link_libraries(cold_compile_probe PRIVATE linmu_jit)
linmu_unit_test(runtime_fork_test SOURCES runtime_fork_test.cpp runtime_fixture.cpp LIBRARIES linmu_jit)
add_dependencies(runtime_fork_test runtime_test_images cold_compile_probe)
target_compile_definitions(runtime_fork_test PRIVATE
  LINMU_TEST_KERNELS="${CMAKE_CURRENT_BINARY_DIR}" LINMU_COLD_COMPILE_PROBE="$<TARGET_FILE:cold_compile_probe>")
