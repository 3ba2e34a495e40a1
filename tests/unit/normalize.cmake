if(LINMU_BUILD_COMPILER)
  linmu_unit_test(normalize_test
    SOURCES interpreter_fixture.cpp normalize_fixture.cpp normalize_logarithm_test.cpp
      normalize_sums_test.cpp normalize_test.cpp
    LIBRARIES LinMUNormalize LinMUInterpreter LinMU_MLIR)
endif()
