if(LINMU_BUILD_COMPILER)
  # The same tests on three backends: the fp64 interpreter of tile programs, the same with macro ops written
  # out, and the CPU target.
  add_library(derive_tests OBJECT
    unit/derive_coupled_test.cpp unit/derive_fixture.cpp unit/derive_loop_test.cpp unit/derive_scan_test.cpp unit/derive_strata_test.cpp
    unit/derive_window_test.cpp unit/tile_program_test.cpp)
  target_link_libraries(derive_tests PUBLIC LinMUDerive LinMUScheduleCPU LinMUTileInterpreter GTest::gtest)
  linmu_unit_test(derive_test
    SOURCES derive_backend_interpreter.cpp schedule_test.cpp
    LIBRARIES derive_tests LinMU_MLIR)
  linmu_unit_test(derive_expanded_test
    SOURCES derive_backend_expanded.cpp expand_macro_ops_test.cpp macro_op_program.cpp
    LIBRARIES derive_tests LinMUTilePasses LinMU_MLIR)
  linmu_unit_test(derive_cpu_test
    SOURCES derive_backend_cpu.cpp
    LIBRARIES derive_tests LinMUTargetCPU LinMU_MLIR)
endif()
