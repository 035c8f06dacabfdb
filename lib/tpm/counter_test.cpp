// SPDX-License-Identifier: Apache-2.0
// That a TPM computes the same is shown by selftests/attest/run_test.
#include "lib/tpm/counter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/tpm/key_policy.h"
#include "lib/tpm/pcr_policy.h"
#include "lib/tpm/test_key.h"

namespace diglim {
namespace {

using testing::HasSubstr;

TEST(Counter, IndicesAreTheOwners) {
  EXPECT_EQ(*counter_index_from_text("0x01801d19"), kDefaultCounterIndex);
  EXPECT_EQ(*counter_index_from_text("1800000"), kFirstCounterIndex);
  EXPECT_EQ(counter_index_text(kDefaultCounterIndex), "0x01801d19");
  for (const char* text : {"", "0x", "0x017fffff", "0x01c00002", "0x01801d19 ", "-1", "0x1101801d19"})
    EXPECT_EQ(counter_index_from_text(text).error().code, ErrorCode::kInvalid) << text;
}

TEST(Counter, APolicyDependsOnIndexAndValue) {
  const Bytes before(32, 1);
  const CounterLimit limit{kDefaultCounterIndex, 7};
  const Bytes digest = *extend_by_counter(before, limit);
  EXPECT_EQ(digest.size(), 32u);
  EXPECT_NE(*extend_by_counter(Bytes(32, 2), limit), digest);
  EXPECT_NE(*extend_by_counter(before, {kDefaultCounterIndex + 1, 7}), digest);
  EXPECT_NE(*extend_by_counter(before, {kDefaultCounterIndex, 8}), digest);
  EXPECT_NE(*extend_by_counter(before, {kDefaultCounterIndex, 7 | uint64_t{1} << 32}), digest);
}

TEST(Counter, AnAuthorizationHasIt) {
  Authorization one = TestKey().approval();
  EXPECT_FALSE(read_authorization(write_authorization(one))->limit);
  const Bytes without = *approved_policy(one);
  one.limit = CounterLimit{kDefaultCounterIndex, uint64_t{1} << 63};
  EXPECT_NE(*approved_policy(one), without);
  const std::string text = write_authorization(one);
  EXPECT_EQ(read_authorization(text)->limit, one.limit);
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::string other = text;
    other.replace(other.find(from), from.size(), to);
    return read_authorization(other).error().message;
  };
  EXPECT_THAT(changed("0x01801d19", "0x81000001"), HasSubstr("no index of the owner"));
  EXPECT_THAT(changed("9223372036854775808", "-1"), HasSubstr("'at_most' must be a number"));
  EXPECT_THAT(changed("\"index\"", "\"indices\""), HasSubstr("'index' must be text"));
}

// What was signed with a limit counts with it only.
TEST(Counter, ASignatureIsOverIt) {
  const TestKey maker;
  Authorization one = maker.limited_approval();
  EXPECT_TRUE(approved_commands(maker.authority_pem(), one));
  one.limit->at_most += 1;
  EXPECT_EQ(approved_commands(maker.authority_pem(), one).error().code, ErrorCode::kUntrusted);
  one.limit.reset();
  EXPECT_EQ(approved_commands(maker.authority_pem(), one).error().code, ErrorCode::kUntrusted);
}

TEST(Counter, AKeyFileHasIt) {
  const TestKey maker;
  const KeyFile key = maker.limited();
  const auto parts = read_key_parts(key);
  ASSERT_TRUE(parts) << parts.error().message;
  ASSERT_EQ(parts->ways.size(), 1u);
  EXPECT_EQ(parts->ways[0].limit, maker.limited_approval().limit);
}

TEST(Counter, AKeyFileHasNoOtherOne) {
  const TestKey maker;
  const KeyFile good = maker.limited();
  const auto why_not = [](const KeyFile& file) {
    const auto parts = read_key_parts(file);
    return parts ? "taken" : parts.error().message;
  };
  // Handle, size and name, size and operand, offset, operation.
  const auto with = [&](size_t at, uint8_t value) {
    KeyFile key = good;
    key.alternatives[0][1].parameters[at] = value;
    return why_not(key);
  };
  ASSERT_EQ(good.alternatives[0][1].parameters.size(), 4u + 2 + 34 + 2 + 8 + 2 + 2);
  EXPECT_THAT(with(0, 0x81), HasSubstr("not the owner's"));
  EXPECT_THAT(with(3, 0x20), HasSubstr("no counter of diglim"));
  EXPECT_THAT(with(39, static_cast<uint8_t>(good.alternatives[0][1].parameters[39] ^ 1)),
              HasSubstr("no counter of diglim"));
  EXPECT_EQ(with(49, 9), "taken");  // what was approved, by the signature, the TPM verifies
  EXPECT_THAT(with(51, 1), HasSubstr("says something else"));
  EXPECT_THAT(with(53, TPM2_EO_UNSIGNED_GE), HasSubstr("says something else"));
  EXPECT_THAT(with(41, 7), HasSubstr("bytes after"));
  KeyFile key = good;
  for (size_t size = 0; size < good.alternatives[0][1].parameters.size(); ++size) {
    key.alternatives[0][1].parameters.resize(size);
    EXPECT_THAT(why_not(key), HasSubstr("a policy command without")) << size;
    key = good;
  }
  key.alternatives[0][1].parameters.push_back(0);
  EXPECT_THAT(why_not(key), HasSubstr("bytes after a PolicyNV"));
  const PolicyCommands commands = good.alternatives[0];
  key.alternatives[0] = {commands[1], commands[0], commands[2]};
  EXPECT_THAT(why_not(key), HasSubstr("other commands"));
  key.alternatives[0] = {commands[0], commands[1], commands[1], commands[2]};
  EXPECT_THAT(why_not(key), HasSubstr("other commands"));
  key.alternatives[0] = {commands[1], commands[2]};
  EXPECT_THAT(why_not(key), HasSubstr("nothing of the PCRs"));
}

}  // namespace
}  // namespace diglim
