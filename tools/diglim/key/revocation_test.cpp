// SPDX-License-Identifier: Apache-2.0
// Goal: a revocation without its key finds the key that it revokes, and no other.
#include "tools/diglim/key/revocation.h"

#include <gtest/gtest.h>

#include "lib/base/text.h"
#include "lib/openpgp/certificate.h"
#include "lib/openpgp/packet.h"
#include "lib/openpgp/test_writer.h"

namespace diglim::key {
namespace {

using openpgp::test::Algo;
using openpgp::test::CertificateOptions;
using openpgp::test::Revocation;
using openpgp::test::TestKey;

constexpr uint32_t kTime = 1600000000;
constexpr uint8_t kKeyRevocation = 0x20;

// As gpg gives it: out of a certificate that has it.
Bytes revocation_of(const TestKey& key, std::optional<uint8_t> reason) {
  const Bytes certificate = key.certificate(
      CertificateOptions{.revocations = {Revocation{.created = kTime + 10, .reason = reason}}});
  ByteReader reader(certificate);
  while (!reader.empty()) {
    const auto packet = openpgp::read_packet(reader);
    if (!packet) break;
    if (packet->type == openpgp::kSignaturePacket && packet->body[1] == kKeyRevocation)
      return to_bytes(ByteView(certificate).subspan(packet->offset, reader.offset() - packet->offset));
  }
  ADD_FAILURE() << "no revocation";
  return {};
}

class RevocationFile : public testing::Test {
 protected:
  TestKey vendor_ = TestKey::generate(Algo::kEd25519Legacy, kTime, "Vendor <v@example.org>");
  TestKey other_ = TestKey::generate(Algo::kEd25519Legacy, kTime, "Other <o@example.org>");
};

TEST_F(RevocationFile, IsToldFromKeys) {
  EXPECT_TRUE(is_revocation(revocation_of(vendor_, 2)));
  EXPECT_TRUE(is_revocation(openpgp::test::armor(revocation_of(vendor_, 2))));
  EXPECT_FALSE(is_revocation(vendor_.certificate()));
  EXPECT_FALSE(is_revocation(openpgp::test::armor(vendor_.certificate())));
  EXPECT_FALSE(is_revocation(as_bytes("text")));
  EXPECT_FALSE(is_revocation({}));
}

TEST_F(RevocationFile, RevokesItsKeyOnly) {
  const std::vector<Bytes> trusted = {other_.certificate(), openpgp::test::armor(vendor_.certificate())};
  const auto joined = join_revocation(openpgp::test::armor(revocation_of(vendor_, 2)), trusted);
  ASSERT_TRUE(joined) << joined.error().message;
  EXPECT_TRUE(joined->hard);
  Bytes all = joined->file;
  append(all, vendor_.certificate());
  append(all, other_.certificate());
  const auto merged = openpgp::read_certificates(all);
  ASSERT_TRUE(merged) << merged.error().message;
  ASSERT_EQ(merged->size(), 2u);
  EXPECT_EQ(to_hex((*merged)[0].keys[0].fingerprint), joined->fingerprint);
  EXPECT_TRUE((*merged)[0].keys[0].revoked_hard);
  EXPECT_FALSE((*merged)[1].keys[0].revoked_hard);
}

TEST_F(RevocationFile, ARetiredKeyIsOneFromThenOn) {
  const auto joined = join_revocation(revocation_of(vendor_, 3), {vendor_.certificate()});
  ASSERT_TRUE(joined) << joined.error().message;
  EXPECT_FALSE(joined->hard);
  EXPECT_EQ(openpgp::read_certificates(joined->file)->front().keys[0].soft_revocations,
            std::vector<uint32_t>{kTime + 10});
}

TEST_F(RevocationFile, ForgedOrOfAnotherKeyIsRefused) {
  EXPECT_EQ(join_revocation(revocation_of(vendor_, 2), {other_.certificate()}).error().code,
            ErrorCode::kNotFound);
  Bytes forged = revocation_of(vendor_, 2);
  forged.back() ^= 1;
  EXPECT_EQ(join_revocation(forged, {vendor_.certificate()}).error().code, ErrorCode::kNotFound);
  // What the owner says otherwise revokes nothing.
  const Bytes certificate = other_.certificate();
  EXPECT_EQ(join_revocation(certificate, {vendor_.certificate()}).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace diglim::key
