# SPDX-License-Identifier: Apache-2.0
# add_bpf_object(NAME source): NAME.bpf.o with fixed flags and, through bpftool, the skeleton NAME.skel.h; the
# INTERFACE target NAME carries the include path.
function(add_bpf_object name source)
  find_program(BPF_CLANG NAMES clang-14 clang REQUIRED)
  find_program(BPF_STRIP NAMES llvm-strip-14 llvm-strip REQUIRED)
  find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  set(skeleton ${CMAKE_CURRENT_BINARY_DIR}/${name}.skel.h)
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.h)
  add_custom_command(
    OUTPUT ${object} ${skeleton}
    COMMAND ${BPF_CLANG} -target bpf -mcpu=v3 -O2 -g -Wall -Wextra $<$<BOOL:${DIGLIM_WERROR}>:-Werror> -Wno-unused-parameter -Wno-unused-function
            -D__TARGET_ARCH_x86 -fdebug-prefix-map=${PROJECT_SOURCE_DIR}=. -I${PROJECT_SOURCE_DIR} -idirafter /usr/include/${CMAKE_CXX_LIBRARY_ARCHITECTURE}
            -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
    COMMAND ${BPF_STRIP} -g ${object}
    COMMAND ${BPFTOOL} gen skeleton ${object} name ${name}_bpf > ${skeleton}
    DEPENDS ${source} ${headers}
    COMMENT "BPF object ${name}"
    COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(${name}_object DEPENDS ${skeleton})
  add_library(${name} INTERFACE)
  add_dependencies(${name} ${name}_object)
  # SYSTEM: the skeleton is generated, and its one long string is more than clang -Wpedantic likes.
  target_include_directories(${name} SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR})
endfunction()
