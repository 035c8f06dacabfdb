// SPDX-License-Identifier: Apache-2.0
// The sections of a program for the firmware (PE, Microsoft's "PE Format"): the parts of a unified kernel
// image (UAPI group's specification, systemd-stub(7)) lie in them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/base/result.h"

namespace diglim::initramfs {

struct Section {
  std::string name;
  uint64_t offset = 0;  // in the file
  uint64_t size = 0;    // of what it holds, without the padding of the file
};

// In the file's order. Nothing: it is no such program. kCorrupt: it is damaged. kIo: it cannot be read.
Result<std::vector<Section>> read_sections(const std::string& path);

// Of `name` those that are there; a program may have several (the profiles of an image).
std::vector<Section> named(const std::vector<Section>& sections, const std::string& name);

// The first section of that name, which is text of at most 64 KiB, until its first NUL. kNotFound: there is
// none. kCorrupt: it is damaged, or too long. kIo.
Result<std::string> read_text_section(const std::string& path, const std::string& name);

// The bytes of a section become a file. kCorrupt: they are not all there. kIo.
Result<void> copy_section(const std::string& path, const Section& section, const std::string& to);

}  // namespace diglim::initramfs
