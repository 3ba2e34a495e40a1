if(LINMU_BUILD_MODELS AND LINMU_BUILD_MEDIA)
  linmu_unit_test(data_generators_test
    SOURCES data_generators_test.cpp picture_files_test.cpp temporary_folder.cpp
    LIBRARIES linmu_examples linmu_media)
  linmu_unit_test(data_source_test
    SOURCES data_source_test.cpp data_sets_test.cpp vlm_test.cpp temporary_folder.cpp LIBRARIES linmu_data)
  linmu_use_torch(data_source_test)

  # Answers tests/python with what a vision-language model computes.
  add_executable(vlm_probe "${CMAKE_CURRENT_LIST_DIR}/vlm_probe.cpp")
  linmu_use_torch(vlm_probe)
  target_link_libraries(vlm_probe PRIVATE linmu_data)
endif()
