if(LINMU_BUILD_COMPILER)
  linmu_unit_test(cuts_cpu_test
    SOURCES cut_combinations.cpp cut_walk.cpp cuts_cpu_test.cpp interpreter_fixture.cpp
    LIBRARIES LinMUCompilerAPI LinMU_MLIR)
endif()
