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

TEST(KernelCommandLine, QuotesKeepBlanksAndDashesWithinAWord) {
  EXPECT_EQ(with_words("y=\"a  -- b\" ro", {"rdinit=/x"}), "y=\"a  -- b\" ro rdinit=/x");
  EXPECT_EQ(with_words("y=\"a rdinit=/y\" -- z", {"rdinit=/x"}), "y=\"a rdinit=/y\" rdinit=/x -- z");
  EXPECT_EQ(without_words("y=\"a ro\" ro", {"ro"}), "y=\"a ro\"");
}

TEST(KernelCommandLine, WouldStartDiglim) {
  const auto why = [](const std::string& line, size_t others = 0) {
    const auto checked = check_line(line, kAdd, others);
    return checked ? std::string() : checked.error().message.substr(checked.error().message.find(": ") + 2);
  };
  const std::string ours = "rdinit=/usr/sbin/diglim-loader diglim.mode=enforce";
  EXPECT_EQ(why("root=x " + ours + " -- y"), "");
  EXPECT_EQ(why("rdinit=/y y=\"a -- b\" " + ours), "");
  EXPECT_EQ(why("root=x -- " + ours), "rdinit=/usr/sbin/diglim-loader is no word of its own in it");
  EXPECT_EQ(why("y=\"" + ours + "\""), "rdinit=/usr/sbin/diglim-loader is no word of its own in it");
  EXPECT_EQ(why(ours + " diglim.mode=permissive"), "diglim.mode=enforce is no word of its own in it");
  EXPECT_EQ(why("y=\"a " + ours), "a quote in it does not end: close it, or take it out");
  EXPECT_EQ(why("#x " + ours),
            "the kernel knows no comments (#), and takes their words for its own: take them out");
  EXPECT_EQ(why("y#x " + ours), "");
  EXPECT_EQ(why("x\n" + ours), "it has control characters: take them out");
  // The kernel takes the quotes around a whole word away, and divides words at 0xA0, too.
  EXPECT_EQ(why("root=x \"--\" " + ours), "the word \"--\" begins with a quote: write name=\"value\"");
  EXPECT_EQ(why(ours + " \"rdinit=/bin/sh\""),
            "the word \"rdinit=/bin/sh\" begins with a quote: write name=\"value\"");
  EXPECT_EQ(why("y=\"a\" y=a\"b\" " + ours + " -- z=\"a\""), "");
  EXPECT_NE(why("root=x\xa0--\xa0" + ours).find("it has a byte 0xA0"), std::string::npos);
  EXPECT_NE(why("y=\xc3\xa0 " + ours).find("it has a byte 0xA0"), std::string::npos);
  const std::string most = std::string(2047 - 1 - ours.size(), 'x') + " " + ours;
  EXPECT_EQ(why(most), "");
  EXPECT_EQ(why("x" + most), "it has 2048 bytes, and the kernel takes 2047: shorten it");
  EXPECT_EQ(why(most, 1),
            "it has 2047 bytes, and the kernel takes 2046 besides what the boot loader adds: shorten it");
}

TEST(KernelCommandLine, OfAnImageStartsTheLoader) {
  const std::string ours = "rdinit=/usr/sbin/diglim-loader";
  for (const std::string& text : {ours, "root=x\n" + ours + "\n",
                                  "\troot=x\t" + ours + " -- rdinit=/bin/sh\n", "rdinit=/bin/sh " + ours})
    EXPECT_TRUE(check_file(text)) << text;
  for (const std::string& text :
       {std::string(), std::string("root=x"), "-- " + ours, ours + " rdinit=/bin/sh", "x" + ours,
        "y=\"a\n" + ours + "\"", "root=x\n\"--\"\n" + ours, ours + "\n\"rdinit=/bin/sh\"",
        "root=x\xa0--\xa0" + ours, std::string("root=x\0 ", 8) + ours,
        std::string("rdinit=\"/usr/sbin/diglim-loader\"")})
    EXPECT_FALSE(check_file(text)) << text;
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

TEST(GrubDefault, WhatTheShellTakesItFor) {
  EXPECT_EQ(grub_line_of("GRUB_CMDLINE_LINUX=\"a y=\\\"b c\\\"\"\n"), "a y=\"b c\"");
  EXPECT_EQ(grub_line_of("GRUB_CMDLINE_LINUX=a\nGRUB_CMDLINE_LINUX='b'\n"), "b");
  EXPECT_EQ(grub_line_of(""), "");
  EXPECT_EQ(
      add_to_file("GRUB_CMDLINE_LINUX=\"y=\\\"b -- c\\\" ro\" # z\n", Format::kGrubDefault, {"rdinit=/x"}),
      "GRUB_CMDLINE_LINUX=\"y=\\\"b -- c\\\" ro rdinit=/x\" # z\n");
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
  EXPECT_EQ(add_to_file("GRUB_CMDLINE_LINUX=quiet # -- note\n", Format::kGrubDefault, {"a=1"}),
            "GRUB_CMDLINE_LINUX=\"quiet a=1\" # -- note\n");
  EXPECT_EQ(add_to_file("GRUB_CMDLINE_LINUX=\t# note\n", Format::kGrubDefault, {"a=1"}),
            "GRUB_CMDLINE_LINUX=a=1\t# note\n");
  EXPECT_EQ(grub_line_of("GRUB_CMDLINE_LINUX=quiet # note\n"), "quiet");
  EXPECT_EQ(remove_from_file("GRUB_CMDLINE_LINUX=quiet # note\n", Format::kGrubDefault, {"a=1"}),
            "GRUB_CMDLINE_LINUX=quiet # note\n");
  EXPECT_EQ(add_to_file("GRUB_TIMEOUT=5\n", Format::kGrubDefault, {"a=1"}),
            "GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX=\"a=1\"\n");
}

}  // namespace
}  // namespace diglim::setup
