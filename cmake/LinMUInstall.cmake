# What `cmake --install` puts where, the package that find_package(linmu) finds, and what goes into the wheel.
#
#   bin/      linmuc, linmu-opt, linmu      lib/      libraries, and cmake/linmu
#   include/linmu/runtime/...                share/doc/linmu
include(CMakePackageConfigHelpers)

# Of the runtime and the compiler, what programs of others are written against.
set(LINMU_PUBLIC_HEADERS
  runtime/core/c_api.h
  runtime/core/device.h
  runtime/core/dlpack.h
  runtime/core/dlpack_view.h
  runtime/core/dtype.h
  runtime/core/error.h
  runtime/core/expression.h
  runtime/core/kernel.h
  runtime/core/package.h
  runtime/core/package_file.h
  runtime/core/settings.h
  runtime/core/tensor_view.h
  runtime/core/version.h
  runtime/jit/compile.h)
foreach(header IN LISTS LINMU_PUBLIC_HEADERS)
  get_filename_component(folder "${header}" DIRECTORY)
  install(FILES "${PROJECT_SOURCE_DIR}/${header}" DESTINATION "include/linmu/${folder}")
endforeach()
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/NOTICES.md" DESTINATION share/doc/linmu)

# linmu::runtime (C++), linmu::runtime_c (C), linmu::jit (compiles patterns), and what those are made of.
set(exported linmu_runtime linmu_runtime_c linmu_files linmu_jit_cache linmu_jit
  LinMUCudaPrelude LinMUCudaEmulation LinMUCudaEmulatedExecutor)
if(LINMU_BUILD_COMPILER)
  list(APPEND exported linmu_compiler)
  install(TARGETS linmuc linmu-opt RUNTIME DESTINATION bin)
else()
  install(IMPORTED_RUNTIME_ARTIFACTS linmu_compiler LIBRARY DESTINATION lib)
endif()
foreach(target IN LISTS exported)
  string(REGEX REPLACE "^linmu_" "" name ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(${target} INTERFACE "$<INSTALL_INTERFACE:include/linmu>")
endforeach()
target_compile_features(linmu_runtime INTERFACE cxx_std_20)
if(LINMU_BUILD_COMPILER)
  install(TARGETS ${exported} EXPORT linmu ARCHIVE DESTINATION lib LIBRARY DESTINATION lib)
  install(EXPORT linmu NAMESPACE linmu:: FILE linmuTargets.cmake DESTINATION lib/cmake/linmu)
  configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/linmuConfig.cmake.in"
    "${PROJECT_BINARY_DIR}/linmuConfig.cmake" INSTALL_DESTINATION lib/cmake/linmu)
  write_basic_package_version_file("${PROJECT_BINARY_DIR}/linmuConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion)
  install(FILES "${PROJECT_BINARY_DIR}/linmuConfig.cmake" "${PROJECT_BINARY_DIR}/linmuConfigVersion.cmake"
    DESTINATION lib/cmake/linmu)
endif()
if(LINMU_BUILD_MODELS)
  install(TARGETS linmu linmu_models RUNTIME DESTINATION bin LIBRARY DESTINATION lib)
endif()

# Programs and libraries find each other by where they lie, in the build folder as well. Not beside a compiler's
# library from elsewhere. CMake would otherwise pad the build folder's path with empty entries, which mean the current
# folder.
foreach(target linmuc linmu-opt linmu linmu_compiler linmu_models linmu_runtime_c)
  if(TARGET ${target} AND LINMU_BUILD_COMPILER)
    set_target_properties(${target} PROPERTIES
      INSTALL_RPATH "$ORIGIN/../lib" BUILD_WITH_INSTALL_RPATH ON)
  endif()
endforeach()

# The wheel: site-packages/_linmu.*.so, and site-packages/linmu with bin/ and lib/. pyproject.toml names this component.
if(LINMU_BUILD_PYTHON AND LINMU_BUILD_COMPILER AND LINMU_BUILD_MODELS)
  set(wheel_rule COMPONENT python EXCLUDE_FROM_ALL)
  install(TARGETS _linmu _linmu_models LIBRARY DESTINATION . ${wheel_rule})
  install(TARGETS linmuc linmu linmu_compiler linmu_models
    RUNTIME DESTINATION linmu/bin ${wheel_rule}
    LIBRARY DESTINATION linmu/lib ${wheel_rule})
  if(LINMU_STATIC_DEPENDENCIES)
    foreach(library ICU_UC_LIBRARY_RELEASE ICU_DATA_LIBRARY_RELEASE)
      file(REAL_PATH "${${library}}" file)
      # The name by which it is looked up has the first number of its version only.
      string(REGEX REPLACE "^.*/([^/]*[.]so[.][0-9]+)[^/]*$" "\\1" name "${file}")
      install(FILES "${file}" DESTINATION linmu/lib RENAME "${name}" ${wheel_rule})
    endforeach()
  endif()
  if(SKBUILD)
    set_target_properties(_linmu _linmu_models PROPERTIES INSTALL_RPATH "$ORIGIN/linmu/lib")
  endif()
  add_custom_target(linmu_wheel DEPENDS _linmu _linmu_models linmuc linmu linmu_models)
endif()
