// SPDX-License-Identifier: Apache-2.0
#include "policy/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diglim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(KernelLine, TheFirstTwoDashesDivideIt) {
  const KernelLine line = split_kernel_line(" quiet  a=b\t-p --x -- -p a=c -- d\n");
  EXPECT_THAT(line.words, ElementsAre("quiet", "a=b", "-p", "--x"));
  EXPECT_THAT(line.arguments, ElementsAre("-p", "a=c", "--", "d"));
}

TEST(KernelLine, MayHaveOnlyOneHalfOrNone) {
  EXPECT_THAT(split_kernel_line("quiet").arguments, IsEmpty());
  EXPECT_THAT(split_kernel_line("quiet --").arguments, IsEmpty());
  EXPECT_THAT(split_kernel_line("-- quiet").words, IsEmpty());
  EXPECT_THAT(split_kernel_line("\n").words, IsEmpty());
}

// Else a value with "--" in it would end what the kernel is told, and what follows in it would be ours.
TEST(KernelLine, QuotesKeepAWordTogether) {
  const KernelLine line = split_kernel_line("a=\"b -- -p\" \"c d\"e f=\"g\" -- \"x y\" z=\"open -p");
  EXPECT_THAT(line.words, ElementsAre("a=\"b -- -p\"", "\"c d\"e", "f=\"g\""));
  EXPECT_THAT(line.arguments, ElementsAre("\"x y\"", "z=\"open -p"));
}

// isspace() of the kernel has it, in no other character set.
TEST(KernelLine, ANoBreakSpaceOfLatin1DividesWords) {
  const KernelLine line = split_kernel_line("a=b\xa0-- c");
  EXPECT_THAT(line.words, ElementsAre("a=b"));
  EXPECT_THAT(line.arguments, ElementsAre("c"));
}

TEST(KernelLine, TheLastValueCounts) {
  const KernelLine line = split_kernel_line("lsm=a xlsm=b lsm=c,d lsm lsmx=e empty= -- lsm=f");
  EXPECT_EQ(line.value("lsm"), "c,d");
  EXPECT_EQ(line.value("empty"), "");
  EXPECT_EQ(line.value("other"), std::nullopt);
}

TEST(KernelLine, SaysWhatImaHashesWith) {
  EXPECT_EQ(ima_hash(""), HashAlgo::kSha256);
  EXPECT_EQ(ima_hash("quiet ima_hash=sha512 ro"), HashAlgo::kSha512);
  EXPECT_EQ(ima_hash("ima_hash=nothing"), HashAlgo::kSha256);
  EXPECT_EQ(ima_hash("ro -- ima_hash=sha512"), HashAlgo::kSha256);
}

}  // namespace
}  // namespace diglim
