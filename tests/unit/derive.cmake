if(LINMU_BUILD_COMPILER)
  linmu_unit_test(derive_test
    SOURCES derive_fixture.cpp derive_scan_test.cpp tile_interpreter.cpp
    LIBRARIES LinMUDerive LinMU_MLIR)
endif()
