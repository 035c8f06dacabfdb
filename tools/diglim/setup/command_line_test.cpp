// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/setup/command_line.h"

#include <gtest/gtest.h>

namespace diglim::setup {
namespace {

const Words kAdd = {"rdinit=/usr/sbin/diglim-loader", "diglim.mode=enforce"};

TEST(KernelCommandLine, AddsWordsAtTheEnd) {
  EXPECT_EQ(with_words("root=/dev/sda1 ro quiet", kAdd),
            "root=/dev/sda1 ro quiet rdinit=/usr/sbin/diglim-loader diglim.mode=enforce");
  EXPECT_EQ(with_words("", kAdd), "rdinit=/usr/sbin/diglim-loader diglim.mode=enforce");
}

TEST(KernelCommandLine, LeavesTheWordsOfInitWhereTheyAre) {
  EXPECT_EQ(with_words("ro -- single", {"rdinit=/x"}), "ro rdinit=/x -- single");
}

TEST(KernelCommandLine, ReplacesAnEarlierMode) {
  EXPECT_EQ(with_words("rdinit=/old ro diglim.mode=permissive", kAdd),
            "ro rdinit=/usr/sbin/diglim-loader diglim.mode=enforce");
  EXPECT_EQ(with_words("rdinit=/old diglim.mode=enforced.not", {"diglim.mode=enforce"}),
            "rdinit=/old diglim.mode=enforce");
  EXPECT_EQ(with_words("lockdown", {"lockdown=integrity"}), "lockdown lockdown=integrity");
}

TEST(KernelCommandLine, RemovesOnlyExactWords) {
  EXPECT_EQ(without_words("ro rdinit=/usr/sbin/diglim-loader diglim.mode=permissive", kAdd),
            "ro diglim.mode=permissive");
  EXPECT_EQ(without_words("ro   quiet", kAdd), "ro   quiet") << "nothing to remove: byte for byte";
}

TEST(BlsEntry, ChangesTheOptionsAndNothingElse) {
  const std::string entry =
      "title Fedora (6.1)\nversion 6.1\nlinux /vmlinuz\noptions\t$kernelopts ro\ngrub_users $x\n";
  const std::string changed = add_to_file(entry, Format::kBlsEntry, {"rdinit=/x"});
  EXPECT_EQ(
      changed,
      "title Fedora (6.1)\nversion 6.1\nlinux /vmlinuz\noptions\t$kernelopts ro rdinit=/x\ngrub_users $x\n");
  EXPECT_EQ(remove_from_file(changed, Format::kBlsEntry, {"rdinit=/x"}), entry);
  EXPECT_EQ(add_to_file("title x", Format::kBlsEntry, {"rdinit=/x"}), "title x\noptions rdinit=/x\n");
  EXPECT_EQ(add_to_file("optionsx y\n", Format::kBlsEntry, {"a"}), "optionsx y\noptions a\n");
}

TEST(BlsEntry, PermissiveCopySortsLastAndSaysWhatItIs) {
  EXPECT_EQ(permissive_entry("title A\nversion 6.1\nsort-key a\noptions ro diglim.mode=enforce\n", kAdd,
                             "diglim.mode=permissive"),
            "title A (DIGLIM permissive: denies nothing)\n"
            "options ro rdinit=/usr/sbin/diglim-loader diglim.mode=permissive\n");
}

TEST(KernelCmdlineFile, KeepsTheLastLineEnd) {
  EXPECT_EQ(add_to_file("ro quiet\n", Format::kPlain, {"a"}), "ro quiet a\n");
  EXPECT_EQ(add_to_file("ro quiet", Format::kPlain, {"a"}), "ro quiet a");
  EXPECT_EQ(add_to_file("", Format::kPlain, {"a"}), "a\n");
  EXPECT_EQ(remove_from_file("ro quiet a\n", Format::kPlain, {"a"}), "ro quiet\n");
}

TEST(GrubDefault, ChangesOneVariableOnly) {
  const std::string file =
      "GRUB_DEFAULT=0\n#GRUB_CMDLINE_LINUX=\"old\"\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX="
      "\"net.ifnames=0\" # why\n";
  const std::string changed = add_to_file(file, Format::kGrubDefault, {"rdinit=/x"});
  EXPECT_EQ(changed,
            "GRUB_DEFAULT=0\n#GRUB_CMDLINE_LINUX=\"old\"\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_"
            "LINUX=\"net.ifnames=0 rdinit=/x\" # why\n");
  EXPECT_EQ(remove_from_file(changed, Format::kGrubDefault, {"rdinit=/x"}), file);
}

TEST(GrubDefault, TakesEmptyBareAndMissingValues) {
  EXPECT_EQ(add_to_file("GRUB_CMDLINE_LINUX=\"\"\n", Format::kGrubDefault, {"a=1"}),
            "GRUB_CMDLINE_LINUX=\"a=1\"\n");
  EXPECT_EQ(add_to_file("GRUB_CMDLINE_LINUX=''\n", Format::kGrubDefault, {"a=1"}),
            "GRUB_CMDLINE_LINUX='a=1'\n");
  EXPECT_EQ(add_to_file("GRUB_CMDLINE_LINUX=quiet\n", Format::kGrubDefault, {"a=1"}),
            "GRUB_CMDLINE_LINUX=\"quiet a=1\"\n");
  EXPECT_EQ(add_to_file("GRUB_TIMEOUT=5\n", Format::kGrubDefault, {"a=1"}),
            "GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX=\"a=1\"\n");
}

}  // namespace
}  // namespace diglim::setup
