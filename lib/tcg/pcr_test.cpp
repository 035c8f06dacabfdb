// SPDX-License-Identifier: Apache-2.0
#include "lib/tcg/pcr.h"

#include <gtest/gtest.h>

namespace diglim {
namespace {

TEST(PcrBank, StartsAsAfterAReset) {
  const PcrBank bank(HashAlgo::kSha256);
  EXPECT_EQ(bank.value(0), Bytes(32, 0));
  EXPECT_EQ(bank.value(16), Bytes(32, 0));
  EXPECT_EQ(bank.value(17), Bytes(32, 0xff));
  EXPECT_EQ(bank.value(22), Bytes(32, 0xff));
  EXPECT_EQ(bank.value(23), Bytes(32, 0));
}

// sha256 of 64 zero bytes, by sha256sum.
TEST(PcrBank, ExtendsByHashing) {
  PcrBank bank(HashAlgo::kSha256);
  ASSERT_TRUE(bank.extend(16, Bytes(32, 0)));
  EXPECT_EQ(to_hex(bank.value(16)), "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b");
}

TEST(PcrBank, RefusesWhatDoesNotFit) {
  PcrBank bank(HashAlgo::kSha256);
  EXPECT_EQ(bank.extend(24, Bytes(32, 0)).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(bank.extend(16, Bytes(20, 0)).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(bank.set(16, Bytes(31, 0)).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(bank.value(16), Bytes(32, 0));
}

TEST(PcrBank, Names) {
  EXPECT_EQ(*pcr_bank_from_name("sha384"), HashAlgo::kSha384);
  EXPECT_EQ(pcr_bank_from_name("md5").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(pcr_bank_from_name("").error().code, ErrorCode::kUnsupported);
}

// Ten registers of zeros: sha256 of 320 zero bytes, which is what a machine whose firmware measures nothing
// shows as boot_aggregate. The SHA-1 bank counts eight.
TEST(PcrBank, BootAggregate) {
  EXPECT_EQ(to_hex(*boot_aggregate(PcrBank(HashAlgo::kSha256))),
            to_hex(*hash(HashAlgo::kSha256, {Bytes(320, 0)})));
  EXPECT_EQ(to_hex(*boot_aggregate(PcrBank(HashAlgo::kSha256))),
            "7b6436b0c98f62380866d9432c2af0ee08ce16a171bda6951aecd95ee1307d61");
  EXPECT_EQ(*boot_aggregate(PcrBank(HashAlgo::kSha1)), *hash(HashAlgo::kSha1, {Bytes(160, 0)}));
}

}  // namespace
}  // namespace diglim
