if(LINMU_BUILD_MODELS)
  linmu_unit_test(mmate_test SOURCES mmate_test.cpp LIBRARIES linmu_mmate)
  linmu_use_torch(mmate_test)
  linmu_unit_test(mmate_decoder_test ALONE SOURCES mmate_decoder_test.cpp LIBRARIES linmu_mmate)
  linmu_use_torch(mmate_decoder_test)

  # Answers tests/python with M-MATE's outputs.
  add_executable(mmate_probe "${CMAKE_CURRENT_LIST_DIR}/mmate_probe.cpp")
  linmu_use_torch(mmate_probe)
  target_link_libraries(mmate_probe PRIVATE linmu_mmate)
endif()
