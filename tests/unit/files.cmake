linmu_unit_test(files_test
  SOURCES atomic_file_test.cpp atomic_folder_test.cpp input_text_test.cpp interruption_test.cpp json_nesting_test.cpp
    temporary_folder.cpp
  LIBRARIES linmu_files)
