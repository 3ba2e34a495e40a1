if(LINMU_BUILD_COMPILER)
  linmu_unit_test(target_cpu_errors_test
    SOURCES target_cpu_errors_test.cpp
    LIBRARIES LinMUTargetCPU LinMU_MLIR)
endif()
