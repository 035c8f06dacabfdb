// SPDX-License-Identifier: Apache-2.0
#include "loader/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/digest_list/digest_list.h"

namespace diglim {
namespace {

using testing::HasSubstr;

std::string untrusted_advice(std::string_view reason) {
  return list_advice(with_context("/etc/digest_lists/x", untrusted(reason)));
}

TEST(Advice, SaysHowToAddAKey) {
  for (const char* reason : {"RSA/SHA256 199e2f91fd431d51: no trusted key has this id",
                             "CMS issuer CN=Stranger serial 1: no trusted certificate"}) {
    EXPECT_THAT(untrusted_advice(reason), HasSubstr("diglim key add KEY"));
  }
  EXPECT_THAT(untrusted_advice("RSA/SHA1 199e2f91fd431d51: SHA1 signatures are not allowed"),
              HasSubstr("allow-signature-hash"));
}

TEST(Advice, SaysHowToSign) {
  EXPECT_THAT(untrusted_advice("no header signature"), HasSubstr("signed package"));
  // The library's own words.
  const auto none = TrustStore::from_blob(as_bytes(std::string_view("DIGLIMTS\2\0\0\0\0\0\0\0\0", 17)));
  ASSERT_TRUE(none) << none.error().message;
  const auto list = verify_digest_list(as_bytes("unsigned"), *none);
  ASSERT_FALSE(list);
  EXPECT_THAT(list_advice(list.error()), HasSubstr("compact_gen -k"));
}

TEST(Advice, NothingToAdd) {
  EXPECT_EQ(list_advice(from_errno("open x", 13)), "");
  EXPECT_EQ(list_advice(unsupported("not a regular file")), "");
  EXPECT_EQ(untrusted_advice("the key was revoked as compromised, or without a reason"), "");
  EXPECT_THAT(list_advice(corrupt(7, "1 byte wanted, 0 left")), HasSubstr("again"));
}

}  // namespace
}  // namespace diglim
