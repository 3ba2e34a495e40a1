if(LINMU_BUILD_COMPILER)
  # The same tests on two backends: the fp64 interpreter of tile programs and the CPU target.
  set(derive_sources derive_fixture.cpp derive_loop_test.cpp derive_scan_test.cpp derive_window_test.cpp tile_interpreter.cpp)
  linmu_unit_test(derive_test SOURCES ${derive_sources} derive_backend_interpreter.cpp schedule_test.cpp
    LIBRARIES LinMUDerive LinMU_MLIR)
  linmu_unit_test(derive_cpu_test SOURCES ${derive_sources} derive_backend_cpu.cpp
    LIBRARIES LinMUDerive LinMUTargetCPU LinMU_MLIR)
endif()
