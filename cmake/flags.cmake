# SPDX-License-Identifier: Apache-2.0
# One INTERFACE target carries every flag; nothing is global.
add_library(diglim_flags INTERFACE)
target_include_directories(diglim_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(diglim_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion $<$<BOOL:${DIGLIM_WERROR}>:-Werror>
  -fno-omit-frame-pointer -fstack-protector-strong
  # Paths in the binaries would make two clones differ.
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
if(DIGLIM_SANITIZE)
  # The fuzzers' instrumentation costs the unit tests little, and spares building the libraries once more.
  # -g1 names functions and lines, which is all that a report needs.
  target_compile_options(diglim_flags INTERFACE -g1 -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all)
  target_link_options(diglim_flags INTERFACE -fsanitize=address,undefined)
else()
  # What is tested is optimized as it is installed; the tests themselves are compiled once and run once.
  set(is_test $<BOOL:$<TARGET_PROPERTY:DIGLIM_TEST>>)
  target_compile_options(diglim_flags INTERFACE
    -U_FORTIFY_SOURCE $<IF:${is_test},-O0,$<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>>)
endif()

# diglim_library(NAME SOURCES... [DEPENDS targets...]): a static library of lib/.
function(diglim_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC diglim_flags ${ARG_DEPENDS})
endfunction()

# diglim_test(NAME SOURCES... [DEPENDS targets...]): one GoogleTest program, one ctest entry per TEST; none with DIGLIM_TESTS=OFF.
function(diglim_test name)
  if(NOT DIGLIM_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  find_package(GTest REQUIRED)
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE diglim_flags ${ARG_DEPENDS} GTest::gtest GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES DIGLIM_TEST ON)
  include(GoogleTest)
  gtest_discover_tests(${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} DISCOVERY_TIMEOUT 60)
endfunction()
