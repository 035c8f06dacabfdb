// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/scan/kind.h"

#include <gtest/gtest.h>

namespace diglim::scan {
namespace {

// The head of an ELF file of this type (e_type), in either byte order.
Bytes elf(uint8_t type, bool big = false) {
  Bytes head(kHeadBytes);
  head[0] = 0x7f, head[1] = 'E', head[2] = 'L', head[3] = 'F', head[4] = 2, head[5] = big ? 2 : 1;
  head[big ? 17 : 16] = type;
  return head;
}
Kind kind(std::string_view path, mode_t mode, std::string_view head) {
  return kind_of(path, mode, as_bytes(head));
}

TEST(Kind, WhatIsMappedExecutableCountsWhateverItsMode) {
  EXPECT_EQ(kind_of("/usr/bin/x", 0755, elf(2)), Kind::kProgram);
  EXPECT_EQ(kind_of("/usr/bin/x", 0755, elf(3)), Kind::kProgram);
  EXPECT_EQ(kind_of("/usr/lib/x.so.1", 0644, elf(3)), Kind::kLibrary);
  EXPECT_EQ(kind_of("/usr/lib/x.so", 0755, elf(3)), Kind::kLibrary);
  EXPECT_EQ(kind_of("/x", 0600, elf(3, true)), Kind::kLibrary);
  EXPECT_EQ(kind_of("/x.o", 0644, elf(1)), Kind::kNone);
  EXPECT_EQ(kind_of("/core", 0600, elf(4)), Kind::kNone);
  EXPECT_EQ(kind("/x", 0644, "\177ELF"), Kind::kNone);  // cut short: nobody maps it
}

TEST(Kind, AnXBitCounts) {
  EXPECT_EQ(kind("/x", 0755, "#!/bin/sh\n"), Kind::kScript);
  EXPECT_EQ(kind("/x", 0010, "text"), Kind::kOther);
  EXPECT_EQ(kind("/x", 0644, "#!/bin/sh\n"), Kind::kNone);
  EXPECT_EQ(kind("/x", 0755, ""), Kind::kNone);
}

TEST(Kind, WhatTheKernelLoadsCountsByName) {
  for (const char* name : {"/lib/modules/1/x.ko", "/x.ko.xz", "/x.ko.gz", "/x.ko.zst"})
    EXPECT_EQ(kind(name, 0644, "x"), Kind::kModule) << name;
  EXPECT_EQ(kind("/x.kop", 0644, "x"), Kind::kNone);
  EXPECT_EQ(kind("/usr/lib/firmware/a/b", 0644, "x"), Kind::kFirmware);
  EXPECT_EQ(kind("/lib/firmware/b", 0644, "x"), Kind::kFirmware);
  EXPECT_EQ(kind("/home/lib/firmware/b", 0644, "x"), Kind::kNone);
  EXPECT_TRUE(counts_without_content("/x.ko", 0644));
  EXPECT_FALSE(counts_without_content("/x.so", 0644));
}

}  // namespace
}  // namespace diglim::scan
