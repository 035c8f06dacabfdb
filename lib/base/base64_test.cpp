// SPDX-License-Identifier: Apache-2.0
#include "lib/base/base64.h"

#include <gtest/gtest.h>

namespace diglim {
namespace {

TEST(Base64, KnowsTheVectorsOfRfc4648) {
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(to_base64(as_bytes(plain)), encoded);
    const auto decoded = from_base64(encoded);
    ASSERT_TRUE(decoded) << encoded;
    EXPECT_EQ(as_text(*decoded), plain);
  }
}

TEST(Base64, EveryByteSurvives) {
  Bytes all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<uint8_t>(i));
  EXPECT_EQ(*from_base64(to_base64(all)), all);
}

TEST(Base64, RefusesWhatIsNotItsOwnSpelling) {
  for (const char* bad :
       {"Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9v\n", " Zm9", "Zm9-", "Zm=v"}) {
    EXPECT_FALSE(from_base64(bad)) << bad;
  }
  EXPECT_EQ(from_base64("Zm9vZm9*", 100).error().message, "offset 107: not a base64 character");
}

}  // namespace
}  // namespace diglim
