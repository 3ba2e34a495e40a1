if(LINMU_BUILD_MODELS)
  linmu_unit_test(models_safetensors_test SOURCES models_safetensors_test.cpp LIBRARIES linmu_safetensors)
  linmu_unit_test(models_gguf_test SOURCES models_gguf_test.cpp LIBRARIES linmu_model_io)
  linmu_unit_test(models_config_test SOURCES models_config_test.cpp LIBRARIES linmu_model_files)
  linmu_unit_test(models_text_test ALONE SOURCES models_text_test.cpp models_tokenizer_test.cpp LIBRARIES linmu_text)
  linmu_unit_test(models_decoder_test SOURCES
    models_decoder_test.cpp models_language_model_test.cpp models_linear_weight_test.cpp models_torch_threads_test.cpp
    LIBRARIES linmu_generate)
  linmu_use_torch(models_decoder_test)
  linmu_unit_test(models_sampler_test SOURCES models_sampler_test.cpp LIBRARIES linmu_generate)
  linmu_use_torch(models_sampler_test)

  # Answers tests/python with ids and texts of many strings.
  add_executable(tokenizer_probe "${CMAKE_CURRENT_LIST_DIR}/tokenizer_probe.cpp")
  target_link_libraries(tokenizer_probe PRIVATE linmu_text)

  # Answers tests/python with logits and tokens.
  add_executable(models_probe "${CMAKE_CURRENT_LIST_DIR}/models_probe.cpp")
  linmu_use_torch(models_probe)
  target_link_libraries(models_probe PRIVATE linmu_generate)
endif()
