# SPDX-License-Identifier: Apache-2.0
# cmake -D OUTPUT=FILE -D "OBJECTS=FILE;..." -P object_hashes.cmake: a header with the SHA-256 of each file.
set(text "// Generated.\n#pragma once\n\nnamespace diglim {\n\nstruct ObjectHash {\n  const char* name;\n  const char* sha256;\n};\n\n")
string(APPEND text "constexpr ObjectHash kObjectHashes[] = {\n")
foreach(object IN LISTS OBJECTS)
  file(SHA256 ${object} digest)
  get_filename_component(name ${object} NAME)
  string(APPEND text "    {\"${name}\", \"${digest}\"},\n")
endforeach()
string(APPEND text "};\n\n}  // namespace diglim\n")
file(WRITE ${OUTPUT} "${text}")
