if(LINMU_BUILD_COMPILER)
  linmu_unit_test(frontend_fuzz_test SOURCES frontend_fuzz_test.cpp LIBRARIES LinMUFrontend LinMU_MLIR)
  target_compile_definitions(frontend_fuzz_test PRIVATE LINMU_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endif()
