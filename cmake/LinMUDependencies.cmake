# Everything from outside the tree, as imported targets.
find_package(Threads REQUIRED)
if(LINMU_STATIC_DEPENDENCIES)
  # Archives where there are any. Debian has none of fmt, which is used by its headers then. FMT_SHARED means nothing
  # then; with it ccache finds the objects of an ordinary build for what is compiled against torch.
  list(PREPEND CMAKE_FIND_LIBRARY_SUFFIXES .a)
  find_path(LINMU_FMT_INCLUDE_DIR fmt/format.h REQUIRED)
  add_library(fmt::fmt INTERFACE IMPORTED)
  set_target_properties(fmt::fmt PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${LINMU_FMT_INCLUDE_DIR}" INTERFACE_COMPILE_DEFINITIONS "FMT_HEADER_ONLY;FMT_SHARED")
else()
  find_package(fmt REQUIRED)
endif()
find_package(nlohmann_json REQUIRED)

if(LINMU_BUILD_COMPILER)
  # Debian's package refuses a version in find_package; the major is checked below.
  find_package(MLIR REQUIRED CONFIG)
  if(NOT LLVM_VERSION_MAJOR EQUAL 22)
    message(FATAL_ERROR "LinMU requires MLIR 22, found ${LLVM_VERSION} in ${MLIR_DIR}")
  endif()
  list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
  include(TableGen)
  include(AddLLVM)
  include(AddMLIR)

  # The archives by name: CMake's component targets drag in the shared libraries as well.
  file(GLOB LINMU_MLIR_ARCHIVES "${LLVM_LIBRARY_DIR}/libMLIR*.a")
  list(FILTER LINMU_MLIR_ARCHIVES EXCLUDE REGEX
       "libMLIR(CAPI|.*ExecutionEngine|.*Runner|.*Test|.*AMD|.*ROCDL|.*NVVM|.*XeVM|.*SPIRV|.*OpenACC|.*OpenMP|Mlir)")
  file(GLOB LINMU_LLVM_ARCHIVES "${LLVM_LIBRARY_DIR}/libLLVM*.a")
  list(FILTER LINMU_LLVM_ARCHIVES EXCLUDE REGEX
       "libLLVM(AMDGPU|ARM|AVR|BPF|Hexagon|Lanai|LoongArch|M68k|MSP430|Mips|NVPTX|PowerPC|RISCV|Sparc|SystemZ|VE|WebAssembly|XCore|Xtensa|SPIRV|DirectX|DWP|LTO|Exegesis)")
  find_library(LINMU_ZSTD_LIBRARY zstd REQUIRED)
  add_library(LinMU_MLIR INTERFACE)
  target_include_directories(LinMU_MLIR SYSTEM INTERFACE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
  target_link_libraries(LinMU_MLIR INTERFACE
    -Wl,--start-group ${LINMU_MLIR_ARCHIVES} ${LINMU_LLVM_ARCHIVES} -Wl,--end-group
    z "${LINMU_ZSTD_LIBRARY}" Threads::Threads dl m)
endif()

if(LINMU_BUILD_MODELS)
  include(LinMUTorch)
  find_package(CLI11 REQUIRED)
  # Debian's archives of ICU cannot go into a shared library: its libraries come along instead (LinMUInstall.cmake).
  if(LINMU_STATIC_DEPENDENCIES)
    set(all_suffixes ${CMAKE_FIND_LIBRARY_SUFFIXES})
    set(CMAKE_FIND_LIBRARY_SUFFIXES .so)
    find_package(ICU REQUIRED COMPONENTS uc data)
    set(CMAKE_FIND_LIBRARY_SUFFIXES ${all_suffixes})
    set_property(TARGET ICU::uc APPEND PROPERTY INTERFACE_LINK_LIBRARIES ICU::data)
  else()
    find_package(ICU REQUIRED COMPONENTS uc)
  endif()
  include(LinMUOniguruma)
  # By the library's own name: a machine that only runs what others build has no libz.so, and ./dev bundle brings the
  # header.
  find_path(LINMU_ZLIB_INCLUDE_DIR zlib.h REQUIRED)
  find_library(LINMU_ZLIB_LIBRARY NAMES libz.so libz.so.1 REQUIRED)
endif()
if(LINMU_BUILD_MODELS AND LINMU_BUILD_MEDIA)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(FFMPEG REQUIRED IMPORTED_TARGET libavformat libavcodec libswscale libavutil)
endif()
if(LINMU_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
