if(LINMU_BUILD_COMPILER)
  linmu_unit_test(interpreter_test
    SOURCES cut_combinations.cpp cut_walk.cpp cuts_interpreter_test.cpp interpreter_fixture.cpp
            interpreter_media_test.cpp interpreter_scan_test.cpp ragged_batch.cpp ragged_interpreter_test.cpp
    LIBRARIES LinMUInterpreter LinMU_MLIR)
endif()
