// SPDX-License-Identifier: Apache-2.0
// Damaged bytes: a changed signature is never good, a cut one never crashes, a changed key file never gains
// rights.
#include <gtest/gtest.h>

#include <algorithm>

#include "lib/openpgp/test_keys.h"

namespace diglim::openpgp::test {
namespace {

constexpr std::string_view kMessage = "the immutable region of a header";

struct Signer {
  const TestKey* key;
  SignOptions sign;
  std::string name;
};

// None has an unhashed area: nothing in the packet is free to be changed.
std::vector<Signer> signers() {
  return {
      {&rsa_key(), {.version = 3, .old_header = true}, "RSA v3"},
      {&rsa_key(), {}, "RSA v4"},
      {&ec_key(), {}, "ECDSA v4"},
      {&ed_key(), {.version = 3}, "EdDSA v3"},
      {&ed_key(), {.old_header = true}, "EdDSA v4"},
      {&v6_key(), {.version = 6}, "Ed25519 v6"},
  };
}

TEST(Tamper, NoFlippedBitLeavesASignatureGood) {
  for (const Signer& signer : signers()) {
    const auto trusted = read_certificates(signer.key->certificate());
    ASSERT_TRUE(trusted);
    Bytes signature = signer.key->sign(as_bytes(kMessage), signer.sign);
    for (size_t bit = 0; bit < signature.size() * 8; ++bit) {
      signature[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
      const auto judged = judge_over(signature, kMessage, *trusted);
      for (const Judgement& judgement : judged ? *judged : std::vector<Judgement>{}) {
        EXPECT_NE(judgement.verdict, Verdict::kGood) << signer.name << ", bit " << bit;
      }
      signature[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    }
    EXPECT_EQ(judge(signature, kMessage, {signer.key->certificate()}), "good") << signer.name;
  }
}

TEST(Tamper, ACutSignatureIsCorrupt) {
  for (const Signer& signer : signers()) {
    const auto trusted = read_certificates(signer.key->certificate());
    ASSERT_TRUE(trusted);
    const Bytes signature = signer.key->sign(as_bytes(kMessage), signer.sign);
    for (size_t size = 0; size < signature.size(); ++size) {
      // An allocation of just that size: a read past the end is seen by AddressSanitizer.
      const Bytes cut(signature.begin(), signature.begin() + static_cast<long>(size));
      const auto judged = judge_over(cut, kMessage, *trusted);
      ASSERT_FALSE(judged) << signer.name << " cut after " << size;
      EXPECT_EQ(judged.error().code, ErrorCode::kCorrupt) << signer.name << " cut after " << size;
    }
  }
}

// The body cut as well as the length of the packet: the framing is right, the content is not.
TEST(Tamper, AShortenedSignatureIsNeverGood) {
  for (const Signer& signer : signers()) {
    const Bytes signature = signer.key->sign(as_bytes(kMessage), signer.sign);
    const size_t header = signature[0] == 0x89 || (signature[0] == 0xc2 && signature[1] >= 192) ? 3 : 2;
    const ByteView body = ByteView(signature).subspan(header);
    for (size_t size = 0; size < body.size(); ++size) {
      const std::string text = judge(packet(2, body.first(size)), kMessage, {signer.key->certificate()});
      EXPECT_EQ(text.find("good"), std::string::npos)
          << signer.name << " shortened to " << size << ": " << text;
    }
  }
}

TEST(Tamper, NoFlippedBitOfAKeyFileAddsAKeyOrTakesAwayALimit) {
  CertificateOptions options;
  options.self_signatures = {{.key_flags = 0x01, .key_expires_after = 10 * kDay}};
  options.subkeys = {{.key = &ed_key(1), .key_expires_after = 10 * kDay}};
  Bytes file = ed_key().certificate(options);
  const SignOptions late = {.created = kMade + 20 * kDay};
  const Bytes by_subkey = ed_key(1).sign(as_bytes(kMessage), late);
  ASSERT_EQ(judge(by_subkey, kMessage, {file}).substr(0, 12), "not counted:");
  // Except one: it makes a primary key of the subkey, and what lies in the folder as a primary key is
  // trusted.
  const Bytes subkey = packet(14, ed_key(1).body());
  const auto at = std::search(file.begin(), file.end(), subkey.begin(), subkey.end()) - file.begin();
  const size_t type_bit = static_cast<size_t>(at) * 8 + 3;
  for (size_t bit = 0; bit < file.size() * 8; ++bit) {
    file[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    EXPECT_EQ(judge(by_subkey, kMessage, {file}) == "good", bit == type_bit) << "bit " << bit;
    file[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
  }
}

TEST(Tamper, ACutKeyFileIsReadUpToAPacketOrRefused) {
  CertificateOptions options;
  options.self_signatures = {SelfSignature{}, {.type = 0x1f}};
  options.subkeys = {{.key = &v6_key(1)}};
  const Bytes file = v6_key().certificate(options);
  size_t read_whole = 0;
  for (size_t size = 0; size < file.size(); ++size) {
    const Bytes cut(file.begin(), file.begin() + static_cast<long>(size));
    const auto read = read_certificates(cut);
    if (read) {
      ++read_whole;
    } else {
      EXPECT_EQ(read.error().code, ErrorCode::kCorrupt) << size;
    }
  }
  EXPECT_EQ(read_whole, 5u) << "after the key, its signature, the user ID, its signature, the subkey";
}

}  // namespace
}  // namespace diglim::openpgp::test
