// SPDX-License-Identifier: Apache-2.0
// Goal: of a trusted key it is known what it may sign, and with which of its keys.
#include "tools/diglim/key/uses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/crypto/x509.h"
#include "lib/openpgp/test_writer.h"
#include "tools/diglim/key/keys.h"

namespace diglim::key {
namespace {

using openpgp::test::Algo;
using openpgp::test::CertificateOptions;
using openpgp::test::Revocation;
using openpgp::test::SelfSignature;
using openpgp::test::Subkey;
using openpgp::test::TestKey;
using testing::ElementsAre;

constexpr uint32_t kTime = 1600000000;

// Its uses, each as "WHAT, with WHICH", and why it has none.
std::vector<std::string> uses_in(ByteView file) {
  const auto keys = read_keys(file);
  if (!keys) return {keys.error().message};
  std::vector<std::string> lines;
  for (const Use& use : keys->front().uses)
    lines.push_back(use.what + ", with " + use.with +
                    (use.until == 0 ? "" : " until " + std::to_string(use.until)));
  if (lines.empty()) lines.push_back("nothing: " + keys->front().unusable);
  return lines;
}

TEST(Uses, OfAnOpenPgpKeyAreThoseOfItsKeysThatMaySign) {
  const TestKey primary = TestKey::generate(Algo::kP256, kTime);
  const TestKey signing = TestKey::generate(Algo::kRsa2048, kTime);
  const TestKey encrypting = TestKey::generate(Algo::kEd25519Legacy, kTime);
  CertificateOptions options;
  options.self_signatures = {SelfSignature{.key_flags = 0x01}};  // it certifies only
  options.subkeys = {Subkey{.key = &signing}, Subkey{.key = &encrypting, .key_flags = 0x0c}};
  EXPECT_THAT(uses_in(primary.certificate(options)),
              ElementsAre("packages of rpm, with " + signing.key_id() + " (RSA, 2048 bits)"));
  EXPECT_THAT(uses_in(primary.certificate()),
              ElementsAre("packages of rpm, with " + primary.key_id() + " (ECDSA, 256 bits)"));
}

TEST(Uses, ARevokedKeyHasNone) {
  const TestKey primary = TestKey::generate(Algo::kEd25519Legacy, kTime);
  const TestKey signing = TestKey::generate(Algo::kP256, kTime);
  CertificateOptions options;
  options.subkeys = {Subkey{.key = &signing, .revocations = {Revocation{.created = kTime + 1, .reason = 2}}}};
  EXPECT_THAT(uses_in(primary.certificate(options)),
              ElementsAre("packages of rpm, with " + primary.key_id() + " (EdDSA, 256 bits)"));
  options.revocations = {Revocation{.created = kTime + 1, .reason = 2}};
  options.subkeys = {Subkey{.key = &signing}};
  EXPECT_THAT(uses_in(primary.certificate(options)), ElementsAre("nothing: revoked"));
}

TEST(Uses, ARetiredOrExpiredKeyHasThemForWhatItSignedBefore) {
  const TestKey primary = TestKey::generate(Algo::kEd25519Legacy, kTime);
  const std::string use = "packages of rpm, with " + primary.key_id() + " (EdDSA, 256 bits) until ";
  CertificateOptions options;
  options.self_signatures = {SelfSignature{.key_expires_after = 50}};
  EXPECT_THAT(uses_in(primary.certificate(options)), ElementsAre(use + std::to_string(kTime + 50)));
  options.revocations = {Revocation{.created = kTime + 9, .reason = 3}};
  EXPECT_THAT(uses_in(primary.certificate(options)), ElementsAre(use + std::to_string(kTime + 9)));
}

TEST(Uses, AKeyThatIsTooShortHasNone) {
  EXPECT_THAT(uses_in(TestKey::generate(Algo::kRsa1024, kTime).certificate()),
              ElementsAre("nothing: RSA keys of less than 2048 bits are not accepted"));
}

TEST(Uses, OfACertificateAreCompactLists) {
  // openssl req -x509 -newkey ed25519 -nodes -subj /CN=D -set_serial 1 -days 3650
  EXPECT_THAT(uses_in(as_bytes(R"(-----BEGIN CERTIFICATE-----
MIIBGTCBzKADAgECAgEBMAUGAytlcDAMMQowCAYDVQQDDAFEMB4XDTI2MTEyNjIx
MzQ1MVoXDTM2MTEyMzIxMzQ1MVowDDEKMAgGA1UEAwwBRDAqMAUGAytlcAMhAINF
YT+5XEqGzaPqvdAqMjXgUIXcFSmjLGiHSM/K/wDNo1MwUTAdBgNVHQ4EFgQUmMDx
ojA3H4kOpf3u1B5O2YV/Xi0wHwYDVR0jBBgwFoAUmMDxojA3H4kOpf3u1B5O2YV/
Xi0wDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXADQQAJNcvA5zVVO4/XLB7GOP5W3hGG
ZTN0eLs0p9qrHyoKTMmHNjWeX0JkEROCeMqRZGegTVk/4/LVVyHy4SRjdlcK
-----END CERTIFICATE-----
)")),
              ElementsAre("compact lists, with Ed25519, 256 bits"));
}

}  // namespace
}  // namespace diglim::key
