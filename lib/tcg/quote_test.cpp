// SPDX-License-Identifier: Apache-2.0
#include "lib/tcg/quote.h"

#include <gtest/gtest.h>

#include "lib/tcg/test_tpm.h"

namespace diglim {
namespace {

TEST(Quote, SaysWhatWasQuoted) {
  TestTpm machine;
  const SignedQuote made = machine.quote({});
  QuoteFault fault = QuoteFault::kMalformed;
  const auto quote = parse_quote(made.attest, fault);
  ASSERT_TRUE(quote) << quote.error().message;
  EXPECT_EQ(quote->nonce, machine.nonce);
  EXPECT_EQ(quote->selection.pcrs, machine.quoted);
  EXPECT_EQ(quote->selection.bank, HashAlgo::kSha256);
  EXPECT_EQ(quote->clock_ms, 1000u);
  EXPECT_TRUE(quote->clock_safe);
}

TEST(Quote, EveryTruncationIsRefused) {
  const SignedQuote made = TestTpm().quote({});
  for (size_t size = 0; size < made.attest.size(); ++size) {
    QuoteFault fault = QuoteFault::kMalformed;
    EXPECT_FALSE(parse_quote(ByteView(made.attest).first(size), fault)) << size;
  }
}

TEST(Quote, EveryBitOfTheSignatureCounts) {
  const SignedQuote made = TestTpm().quote({});
  const auto key = parse_attestation_key(made.ak);
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_TRUE(verify_quote_signature(*key, made.attest, made.signature));
  for (size_t i = 0; i < made.signature.size() * 8; ++i) {
    Bytes signature = made.signature;
    signature[i / 8] = static_cast<uint8_t>(signature[i / 8] ^ 1 << i % 8);
    EXPECT_FALSE(verify_quote_signature(*key, made.attest, signature)) << "bit " << i;
  }
}

TEST(Quote, TheNameCoversThePublicArea) {
  TestTpm machine;
  const Bytes ak = machine.ak();
  const Bytes name = *tpm_name(ak);
  ASSERT_EQ(name.size(), 34u);
  EXPECT_EQ(to_hex(name).substr(0, 4), "000b");
  EXPECT_EQ(Bytes(name.begin() + 2, name.end()), *hash(HashAlgo::kSha256, {ByteView(ak).subspan(2)}));
}

}  // namespace
}  // namespace diglim
