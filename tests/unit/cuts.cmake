if(LINMU_BUILD_COMPILER)
  linmu_unit_test(cuts_cpu_test
    SOURCES cut_combinations.cpp cut_kernel.cpp cut_walk.cpp cuts_cpu_test.cpp interpreter_fixture.cpp
    LIBRARIES LinMUCompilerAPI LinMUTileInterpreter LinMU_MLIR)
  linmu_unit_test(ragged_cpu_test
    SOURCES cut_combinations.cpp cut_kernel.cpp cut_walk.cpp interpreter_fixture.cpp ragged_batch.cpp
      ragged_cpu_test.cpp
    LIBRARIES LinMUCompilerAPI LinMUTileInterpreter LinMU_MLIR)
endif()
