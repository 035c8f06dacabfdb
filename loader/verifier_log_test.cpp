// SPDX-License-Identifier: Apache-2.0
// Goal: a refused program's error names what the verifier did not like.
#include "loader/verifier_log.h"

#include <gtest/gtest.h>

namespace diglim {
namespace {

TEST(VerifierLog, TheLastLinesSayWhy) {
  EXPECT_EQ(
      end_of_verifier_log("libbpf: prog 'x': -- BEGIN PROG LOAD LOG --\n"
                          "0: (b7) r0 = 1\n"
                          "1: (95) exit\n"
                          "At program exit the register R0 has value (0x1; 0x0) should have been in (0x0; "
                          "0x0)\n"
                          "processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0\n"
                          "-- END PROG LOAD LOG --\n"),
      "0: (b7) r0 = 1 | 1: (95) exit | At program exit the register R0 has value (0x1; 0x0) should have "
      "been in (0x0; 0x0)");
}

TEST(VerifierLog, OtherMessagesHaveNone) {
  EXPECT_EQ(end_of_verifier_log("libbpf: failed to find valid kernel BTF\n"), "");
  EXPECT_EQ(end_of_verifier_log(""), "");
  EXPECT_EQ(end_of_verifier_log("-- BEGIN PROG LOAD LOG --"), "");
}

TEST(VerifierLog, IsShortAndPrintable) {
  const std::string text =
      end_of_verifier_log("-- BEGIN PROG LOAD LOG --\n" + std::string(5000, 'x') + "\x1b[2J\n");
  EXPECT_LE(text.size(), 403u);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_TRUE(text.starts_with("..."));
}

}  // namespace
}  // namespace diglim
