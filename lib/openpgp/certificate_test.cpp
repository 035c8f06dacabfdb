// SPDX-License-Identifier: Apache-2.0
#include "lib/openpgp/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/openpgp/test_keys.h"

namespace diglim::openpgp::test {
namespace {

std::string error_of(const Bytes& file) {
  const auto read = read_certificates(file);
  return read ? "none" : read.error().message;
}

TEST(Certificate, SaysWhatItsPacketsSay) {
  CertificateOptions options;
  options.self_signatures = {{.key_expires_after = 10 * kDay}};
  options.subkeys = {{.key = &ec_key(), .key_expires_after = kDay}};
  for (const bool armored : {false, true}) {
    options.armored = armored;
    const Bytes file = rsa_key().certificate(options);
    EXPECT_TRUE(looks_like_certificates(file));
    const auto read = read_certificates(file);
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_EQ(read->size(), 1u);
    const Certificate& certificate = read->front();
    EXPECT_EQ(certificate.user_id, "Tester <t@example.org>");
    ASSERT_EQ(certificate.keys.size(), 2u);
    const Key& primary = certificate.keys[0];
    EXPECT_EQ(primary.fingerprint, rsa_key().fingerprint());
    EXPECT_EQ(primary.algorithm, 1);
    EXPECT_EQ(primary.created, kMade);
    EXPECT_EQ(primary.expires, kMade + 10 * kDay);
    EXPECT_TRUE(primary.may_sign);
    EXPECT_TRUE(primary.public_key);
    EXPECT_EQ(certificate.keys[1].algorithm, 19);
    EXPECT_EQ(certificate.keys[1].expires, kMade + kDay);
  }
}

TEST(Certificate, SeveralInOneFile) {
  CertificateOptions armored;
  armored.armored = true;
  const auto binary = read_certificates(join({rsa_key().certificate(), v6_key().certificate()}));
  ASSERT_TRUE(binary);
  EXPECT_EQ(binary->size(), 2u);
  const auto text = read_certificates(join({rsa_key().certificate(armored), to_bytes(as_bytes("\nand\n")),
                                            v6_key().certificate(armored), rsa_key().certificate(armored)}));
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(text->size(), 2u) << "copies are one";
}

TEST(Certificate, TheUserIdThatSaysItIsPrimary) {
  const Bytes certificate = ed_key().certificate();
  // Another user ID, which nobody vouches for, is never shown before one that has a self-signature.
  const auto read = read_certificates(join({certificate, packet(13, as_bytes("Somebody else"))}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->front().user_id, "Tester <t@example.org>");
  const auto none = read_certificates(packet(6, ed_key().body()));
  ASSERT_TRUE(none);
  EXPECT_EQ(none->front().user_id, "");
}

TEST(Certificate, PassesOverWhatItNeedNotKnow) {
  const Bytes key = packet(6, ed_key().body());
  const Bytes known = read_certificates(key)->front().keys[0].fingerprint;
  for (const uint8_t type : Bytes{10, 12, 17, 21, 40, 63}) {
    const auto read = read_certificates(join({key, packet(type, Bytes{1, 2, 3})}));
    ASSERT_TRUE(read) << int{type} << read.error().message;
    EXPECT_EQ(read->front().keys[0].fingerprint, known);
  }
  EXPECT_EQ(error_of(join({key, packet(2, Bytes{5, 0x13})})), "none") << "a signature of a version to come";
}

TEST(Certificate, SignaturesAfterAUserAttributeAreNotAboutTheUserIdBeforeIt) {
  CertificateOptions no_signing;
  no_signing.self_signatures = {{.key_flags = 0x01}};
  const Bytes whole = ed_key().certificate(no_signing);
  const size_t user_id_end =
      packet(6, ed_key().body()).size() + packet(13, as_bytes(ed_key().user_id())).size();
  const Bytes moved =
      join({Bytes(whole.begin(), whole.begin() + static_cast<long>(user_id_end)), packet(17, Bytes{1}),
            Bytes(whole.begin() + static_cast<long>(user_id_end), whole.end())});
  EXPECT_FALSE(read_certificates(whole)->front().keys[0].may_sign);
  EXPECT_TRUE(read_certificates(moved)->front().keys[0].statements.empty());
}

TEST(Certificate, RefusesWhatIsNoKeyFile) {
  const Bytes key = packet(6, ed_key().body());
  EXPECT_EQ(error_of({}), "offset 0: no armour block with a key begins a line");
  EXPECT_EQ(error_of(to_bytes(as_bytes("hello"))), "offset 0: no armour block with a key begins a line");
  EXPECT_EQ(error_of(packet(13, as_bytes("user"))), "offset 0: not preceded by a public key");
  EXPECT_EQ(error_of(ed_key().sign({})),
            "offset 0: a signature without its key (a revocation? diglim key add joins the two)");
  EXPECT_EQ(error_of(packet(5, ed_key().body())), "a secret key does not belong here");
  EXPECT_EQ(error_of(join({key, packet(7, ed_key().body())})), "a secret key does not belong here");
  EXPECT_EQ(error_of(join({key, packet(11, Bytes{1})})),
            "offset " + std::to_string(key.size()) + ": packet type 11 does not belong in a key file");
  EXPECT_EQ(error_of(packet(6, Bytes{3, 0, 0, 0, 0, 0, 0, 1})), "version 3 keys are not supported");
  EXPECT_EQ(error_of(packet(6, join({ed_key().body(), Bytes{0}}))),
            "offset " + std::to_string(key.size()) + ": bytes after the key material");
  EXPECT_EQ(error_of(armor(packet(6, Bytes{4, 0}))),
            "in the armour of block 1: offset 3: 4 bytes wanted, 1 left");
  EXPECT_EQ(error_of(armor({})), "in the armour of block 1: offset 0: no key in here");
  EXPECT_EQ(error_of(join({key, packet(13, Bytes(4097, 'a'))})),
            "offset " + std::to_string(key.size()) + ": a user ID of more than 4096 bytes");
  EXPECT_EQ(error_of(Bytes(kMaxKeyFileBytes + 1, 0x99)), "a key file of more than 1 MiB");
  Bytes many;
  for (size_t i = 0; i <= kMaxCertificates; ++i) append(many, key);
  EXPECT_THAT(error_of(many), ::testing::HasSubstr("too many certificates"));
}

TEST(Certificate, UnsupportedKeysAreReadButVerifyNothing) {
  const Bytes head = join({Bytes{4}, u32(kMade)});
  const Bytes brainpool = {9, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07};
  const Bytes off_curve =
      join({Bytes{8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}, mpi(join({Bytes{4}, Bytes(64, 7)}))});
  const std::vector<std::pair<std::string, Bytes>> keys = {
      {"DSA", join({head, Bytes{17}, Bytes(40, 9)})},
      {"ElGamal", join({head, Bytes{16}, Bytes(40, 9)})},
      {"unknown", join({head, Bytes{200}, Bytes(40, 9)})},
      {"brainpool", join({head, Bytes{19}, brainpool, mpi(Bytes(65, 4))})},
      {"a point off the curve", join({head, Bytes{19}, off_curve})},
      {"RSA with exponent 1", join({head, Bytes{1}, mpi(Bytes(256, 0xff)), mpi(Bytes{1})})},
      {"RSA with an even modulus", join({head, Bytes{1}, mpi(Bytes(256, 0xfe)), mpi(Bytes{1, 0, 1})})},
      {"RSA with nothing", join({head, Bytes{1}, mpi({}), mpi({})})},
      {"RSA for encryption", join({head, Bytes{2}, mpi(Bytes(256, 0xff)), mpi(Bytes{1, 0, 1})})},
      {"EdDSA on Curve25519", join({head, Bytes{22}, Bytes{3, 1, 2, 3}, mpi(Bytes(33, 0x40))})},
      {"EdDSA without its mark",
       join({head, Bytes{22}, Bytes{9, 0x2b, 6, 1, 4, 1, 0xda, 0x47, 0x0f, 1}, mpi(Bytes(32, 0x40))})},
  };
  for (const auto& [name, body] : keys) {
    const auto read = read_certificates(packet(6, body));
    ASSERT_TRUE(read) << name << ": " << read.error().message;
    EXPECT_FALSE(read->front().keys[0].public_key) << name;
    EXPECT_EQ(read->front().keys[0].fingerprint.size(), 20u) << name;
  }
}

// RFC 9580 section 5.5.4: the last 8 bytes of a v4 fingerprint, the first 8 of a v6 one.
TEST(Certificate, IdsAreEndsOfFingerprints) {
  const auto v4 = read_certificates(packet(6, ed_key().body()));
  const auto v6 = read_certificates(packet(6, v6_key().body()));
  Bytes id4, id6;
  put_u32_be(id4, static_cast<uint32_t>(v4->front().keys[0].key_id >> 32));
  put_u32_be(id4, static_cast<uint32_t>(v4->front().keys[0].key_id));
  put_u32_be(id6, static_cast<uint32_t>(v6->front().keys[0].key_id >> 32));
  put_u32_be(id6, static_cast<uint32_t>(v6->front().keys[0].key_id));
  EXPECT_EQ(to_hex(id4), ed_key().key_id());
  EXPECT_EQ(to_hex(id6), v6_key().key_id());
}

TEST(Certificate, LooksLikeOneOrNot) {
  EXPECT_TRUE(looks_like_certificates(as_bytes("text\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n")));
  EXPECT_TRUE(looks_like_certificates(as_bytes("-----BEGIN PGP PRIVATE KEY BLOCK-----\n")));
  EXPECT_TRUE(looks_like_certificates(Bytes{0x99}));
  EXPECT_FALSE(looks_like_certificates(as_bytes("-----BEGIN CERTIFICATE-----\n")));
  EXPECT_FALSE(looks_like_certificates(Bytes{0x30, 0x82}));
  EXPECT_FALSE(looks_like_certificates({}));
}

}  // namespace
}  // namespace diglim::openpgp::test
