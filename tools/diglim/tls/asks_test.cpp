// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/tls/asks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/tpm/test_key.h"

namespace diglim {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Asks of(std::vector<unsigned> pcrs, HashAlgo bank = HashAlgo::kSha256, bool ends = false) {
  PcrSelection selection;
  selection.bank = bank;
  selection.pcrs = std::move(pcrs);
  return asks_of(selection, ends);
}

std::string why_not(const Asks& before, const Asks& next) {
  const auto checked = check_asks_no_less(before, next);
  if (checked) return "taken";
  EXPECT_EQ(checked.error().code, ErrorCode::kUntrusted);
  return checked.error().message;
}

TEST(Asks, AsMuchOrMoreIsTaken) {
  EXPECT_EQ(why_not(of({0, 7, 12}), of({0, 7, 12})), "taken");
  EXPECT_EQ(why_not(of({12}), of({0, 7, 12})), "taken");
  EXPECT_EQ(why_not(of({12}), of({12}, HashAlgo::kSha256, true)), "taken");
}

TEST(Asks, LessIsNot) {
  EXPECT_THAT(why_not(of({0, 7, 12}), of({7, 12, 13})),
              AllOf(HasSubstr("leaves out sha256:0,"), HasSubstr("sign one for sha256:0,7,12")));
  EXPECT_THAT(why_not(of({0, 7}), of({12})), HasSubstr("leaves out sha256:0,7,"));
  EXPECT_THAT(why_not(of({0}), of({0}, HashAlgo::kSha1)), HasSubstr("leaves out sha256:0,"));  // another bank
}

TEST(Asks, OneThatStaysGoodForEverIsNot) {
  EXPECT_THAT(why_not(of({12}, HashAlgo::kSha256, true), of({12})), HasSubstr("--until-counter"));
}

TEST(Asks, AFileAsksWhatItsAuthorizationDid) {
  const TestKey maker;
  for (const auto& [file, authorization] : {std::pair(maker.approved(), maker.approval()),
                                            std::pair(maker.limited(), maker.limited_approval())}) {
    const auto parts = read_key_parts(file);
    ASSERT_TRUE(parts) << parts.error().message;
    const Asks read = asks_of(parts->ways.back());
    EXPECT_EQ(read.registers, asks_of(authorization).registers);
    EXPECT_EQ(read.registers.size(), authorization.selection.pcrs.size());
    EXPECT_EQ(read.ends, authorization.limit.has_value());
  }
}

}  // namespace
}  // namespace diglim
