# Oniguruma::Oniguruma, a static library from pinned sources; third_party/README.md says why.
set(archive "${PROJECT_SOURCE_DIR}/third_party/oniguruma-6.9.10.tar.xz")
set(expected 4bfcf661688e5f76f36531ddcd965de17d75f9766d9f7504bd86c08dfc07f147)
file(SHA256 "${archive}" actual)
if(NOT actual STREQUAL expected)
  message(FATAL_ERROR "${archive} must have the SHA-256 ${expected}, it has ${actual}")
endif()
file(ARCHIVE_EXTRACT INPUT "${archive}" DESTINATION "${PROJECT_BINARY_DIR}/third_party")

block()
  # Its options are older than CMake's policy that a variable stands for one.
  set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)
  set(CMAKE_WARN_DEPRECATED OFF)
  set(BUILD_SHARED_LIBS OFF)
  set(BUILD_TEST OFF)
  set(INSTALL_DOCUMENTATION OFF)
  add_subdirectory("${PROJECT_BINARY_DIR}/third_party/oniguruma-6.9.10" "${PROJECT_BINARY_DIR}/third_party/oniguruma"
                   EXCLUDE_FROM_ALL SYSTEM)
endblock()
target_compile_options(onig PRIVATE -w -O2)
target_compile_definitions(onig INTERFACE ONIG_ESCAPE_UCHAR_COLLISION) # ICU has a UChar of its own
add_library(Oniguruma::Oniguruma ALIAS onig)
