// SPDX-License-Identifier: Apache-2.0
#include "lib/revocation/denials.h"

#include <gtest/gtest.h>

namespace diglim {
namespace {

DenyEntry package(const std::string& name, const std::string& below) {
  DenyEntry denial;
  denial.kind = DenyEntry::Kind::kPackage;
  denial.package = name;
  denial.below = below;
  denial.since = 1764190000;
  denial.reason = "test";
  return denial;
}

DenyEntry digest(uint8_t byte) {
  DenyEntry denial;
  denial.digest = Bytes(32, byte);
  denial.reason = "test";
  return denial;
}

SignedDenyList list(const std::string& name, uint64_t serial, std::vector<DenyEntry> denials) {
  SignedDenyList one;
  one.list = {name, serial, std::move(denials)};
  one.content = *write_deny_list(one.list);
  one.content_hash = *hash(HashAlgo::kSha256, {one.content});
  one.signer = "signer of " + name;
  return one;
}

TEST(Denials, SpeakAgainstPackagesBelowAVersion) {
  Denials denials;
  ASSERT_TRUE(denials.add(list("local", 1, {package("bash", "5.2-3"), package("openssl", "1:3.0")})));
  EXPECT_NE(denials.of_package("bash-5.2-2.x86_64"), nullptr);
  EXPECT_NE(denials.of_package("bash-5.1-9.x86_64"), nullptr);
  EXPECT_EQ(denials.of_package("bash-5.2-3.x86_64"), nullptr);
  EXPECT_EQ(denials.of_package("bash-1:5.1-1.x86_64"), nullptr) << "the epoch comes first";
  EXPECT_NE(denials.of_package("openssl-9-1.x86_64"), nullptr) << "the epoch comes first";
  EXPECT_EQ(denials.of_package("openssl-1:3.0-1.x86_64"), nullptr);
  EXPECT_EQ(denials.of_package("bash-completion-1-1.noarch"), nullptr);
  EXPECT_EQ(denials.of_package(""), nullptr);
}

TEST(Denials, OfOneNameTheHigherSerialCounts) {
  Denials denials;
  ASSERT_TRUE(denials.add(list("local", 5, {digest(1)})));
  ASSERT_TRUE(denials.add(list("vendor", 1, {digest(2)})));
  EXPECT_FALSE(denials.add(list("local", 4, {digest(3)})));
  EXPECT_FALSE(denials.add(list("local", 5, {digest(3)}))) << "the same serial, another text";
  EXPECT_TRUE(denials.add(list("local", 5, {digest(1)}))) << "it is in force";
  EXPECT_EQ(denials.of_digest(HashAlgo::kSha256, Bytes(32, 3)), nullptr);
  ASSERT_TRUE(denials.add(list("local", 6, {digest(3)})));
  EXPECT_EQ(denials.of_digest(HashAlgo::kSha256, Bytes(32, 1)), nullptr);
  EXPECT_NE(denials.of_digest(HashAlgo::kSha256, Bytes(32, 2)), nullptr);
  EXPECT_NE(denials.of_digest(HashAlgo::kSha256, Bytes(32, 3)), nullptr);
  const auto digests = denials.digests(HashAlgo::kSha256);
  EXPECT_EQ(std::vector<Bytes>(digests.begin(), digests.end()),
            (std::vector<Bytes>{Bytes(32, 2), Bytes(32, 3)}));
  EXPECT_TRUE(denials.digests(HashAlgo::kSha512).empty());
}

TEST(Denials, SurviveTheKernel) {
  Denials denials;
  EXPECT_TRUE(denials.to_blob().empty());
  ASSERT_TRUE(denials.add(list("vendor", 9, {digest(1)})));
  ASSERT_TRUE(denials.add(list("local", 2, {package("a", "2")})));
  const Bytes blob = denials.to_blob();
  const auto again = Denials::from_blob(blob);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->to_blob(), blob);
  ASSERT_EQ(again->lists().size(), 2u);
  EXPECT_EQ(again->lists()[0].list.name, "local");
  EXPECT_EQ(again->lists()[1].signer, "signer of vendor");
  size_t read = 0;
  for (size_t size = 0; size < blob.size(); ++size)
    read += Denials::from_blob(ByteView(blob).first(size)) ? 1 : 0;
  EXPECT_EQ(read, 2u) << "nothing, and the first alone";
}

TEST(Denials, AreBounded) {
  Denials denials;
  for (size_t i = 0; i < kMaxDenyLists; ++i) ASSERT_TRUE(denials.add(list("n" + std::to_string(i), 1, {})));
  EXPECT_FALSE(denials.add(list("more", 1, {})));
  EXPECT_TRUE(denials.add(list("n1", 2, {})));
}

}  // namespace
}  // namespace diglim
