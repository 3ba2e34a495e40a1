if(LINMU_BUILD_MODELS)
  linmu_unit_test(distill_losses_test SOURCES distill_losses_test.cpp LIBRARIES linmu_distill)
  linmu_use_torch(distill_losses_test)
  linmu_unit_test(distill_files_test SOURCES distill_files_test.cpp LIBRARIES linmu_distill)
  linmu_use_torch(distill_files_test)
  linmu_unit_test(distill_run_test SOURCES distill_run_test.cpp LIBRARIES linmu_distill)
  linmu_use_torch(distill_run_test)

  # Answers tests/python with losses and gradients.
  add_executable(distill_probe "${CMAKE_CURRENT_LIST_DIR}/distill_probe.cpp")
  linmu_use_torch(distill_probe)
  target_link_libraries(distill_probe PRIVATE linmu_distill)
endif()
