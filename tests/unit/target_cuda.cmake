if(LINMU_BUILD_COMPILER)
  linmu_unit_test(target_cuda_layout_test
    SOURCES fragment_layout_test.cpp layout_conversion_test.cpp linear_layout_test.cpp shared_layout_test.cpp
    LIBRARIES LinMUCudaLayout LinMU_MLIR)
endif()
