// SPDX-License-Identifier: Apache-2.0
#include "lib/ssh/key.h"

#include <gtest/gtest.h>
#include <openssl/x509.h>

#include "lib/base/base64.h"
#include "lib/ssh/wire.h"

namespace diglim {
namespace {

// Keys of openssl's command, with what ssh-keygen 9.2 makes of them (-i -m PKCS8, -l).
struct Example {
  std::string type;
  std::string der;  // SubjectPublicKeyInfo
  std::string blob;
  std::string fingerprint;
};

const Example kExamples[] = {
    {"ecdsa-sha2-nistp256",  // whose x begins with a zero
     "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAIA+Tl/ezUxVxOyodaVCRNsvlWoQkM2bjiYhqe0em0LjeLozR7Rrf8"
     "HzMQsz0AiFyscPxGuFouZEISRkJdvpHw==",
     "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBACAPk5f3s1MVcTsqHWlQkTbL5VqEJDNm44mIa"
     "ntHptC43i6M0e0a3/B8zELM9AIhcrHD8RrhaLmRCEkZCXb6R8=",
     "SHA256:557oz8tX5lTW5thJ1S+UNSUIfEl35e+YWmEDzR2XkuM"},
    {"ecdsa-sha2-nistp384",
     "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE1bCa/H5yADVGYZJL9KK0ElQJxDu/zHlFsaQCArqn6R1A1co31frXlCT/0G"
     "GhAZkcH/i7AIx+hnXIZi93CG7EB+Pj4lQkm2x/csfxn9PW5QBQzvUWTqk3xVQYW0CCKtB7",
     "AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBNWwmvx+cgA1RmGSS/SitBJUCcQ7v8x5RbGkAg"
     "K6p+kdQNXKN9X615Qk/9BhoQGZHB/4uwCMfoZ1yGYvdwhuxAfj4+JUJJtsf3LH8Z/T1uUAUM71Fk6pN8VUGFtAgirQ"
     "ew==",
     "SHA256:FXqnV8/6QQqyUBKtkOU/YHdlNZ8Da9+h/abl2CwEiDE"},
    {"ssh-rsa",
     "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA01yEWXAWBEVw5XqEPSL3UVEXaaNgtI3X0cb047E/X15kVK"
     "bLMwG52bzBefrOZp+rzJ0woWJ6ZoWE7fllwPKDuTTqpjrVmGF4hZyN8K6Rnrig7t/buaEgDeg+wSMjaCNqPFrzLijn"
     "qFzxo1B9sCxuzZuVWluqiOkrfjDHn+ajvaNuCGYBS5thBkDMG9Klw2fHmnkRqfhexTU+ChYRmnfA/rEDYsE593L1Xv"
     "jBtaIFwFHXVMgbmIY+qmHRguHWRwt2/xRa53I5vqHcZYOBPoTCLSeoksD1hcSH//syGlTtkXhPT17wL6jUPnNNyKnA"
     "Wmy5tgEjXF7WMZWozdqnB9nGrQIDAQAB",
     "AAAAB3NzaC1yc2EAAAADAQABAAABAQDTXIRZcBYERXDleoQ9IvdRURdpo2C0jdfRxvTjsT9fXmRUpsszAbnZvMF5+s"
     "5mn6vMnTChYnpmhYTt+WXA8oO5NOqmOtWYYXiFnI3wrpGeuKDu39u5oSAN6D7BIyNoI2o8WvMuKOeoXPGjUH2wLG7N"
     "m5VaW6qI6St+MMef5qO9o24IZgFLm2EGQMwb0qXDZ8eaeRGp+F7FNT4KFhGad8D+sQNiwTn3cvVe+MG1ogXAUddUyB"
     "uYhj6qYdGC4dZHC3b/FFrncjm+odxlg4E+hMItJ6iSwPWFxIf/+zIaVO2ReE9PXvAvqNQ+c03IqcBabLm2ASNcXtYx"
     "lajN2qcH2cat",
     "SHA256:YQSLLYwd34Aho2p1tQCqT5Ri3UyctdK6zayVHqs9On0"},
};

PkeyPtr key_of(const std::string& der_base64) {
  init_openssl();
  const Bytes der = *from_base64(der_base64);
  const unsigned char* at = der.data();
  return PkeyPtr(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
}

std::string mpint(const char* hex) {
  Bytes out;
  put_ssh_mpint(out, *from_hex(hex));
  return to_hex(out);
}

TEST(SshWire, KnowsTheMpintsOfRfc4251) {
  EXPECT_EQ(mpint(""), "00000000");
  EXPECT_EQ(mpint("0000"), "00000000");
  EXPECT_EQ(mpint("09a378f9b2e332a7"), "0000000809a378f9b2e332a7");
  EXPECT_EQ(mpint("80"), "000000020080");
  EXPECT_EQ(mpint("00000080"), "000000020080");
  EXPECT_EQ(mpint("0000007f01"), "000000027f01");
}

TEST(SshKey, IsWhatSshKeygenMakesOfIt) {
  for (const Example& example : kExamples) {
    const PkeyPtr key = key_of(example.der);
    ASSERT_TRUE(key) << example.type;
    const auto ssh = ssh_key(key.get());
    ASSERT_TRUE(ssh) << ssh.error().message;
    EXPECT_EQ(ssh->type, example.type);
    EXPECT_EQ(ssh_key_line(*ssh, ""), example.type + " " + example.blob);
    EXPECT_EQ(ssh_key_line(*ssh, "a host"), example.type + " " + example.blob + " a host");
    EXPECT_EQ(*ssh_fingerprint(*ssh), example.fingerprint);
  }
}

TEST(SshKey, OthersAreRefused) {
  init_openssl();
  const PkeyPtr p521(EVP_EC_gen("P-521"));
  EXPECT_EQ(ssh_key(p521.get()).error().code, ErrorCode::kUnsupported);
  const PkeyPtr edwards(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  EXPECT_EQ(ssh_key(edwards.get()).error().code, ErrorCode::kUnsupported);
}

TEST(SshScheme, IsNeverSha1) {
  EXPECT_EQ(ssh_scheme("ssh-rsa", 2)->name, "rsa-sha2-256");
  EXPECT_EQ(ssh_scheme("ssh-rsa", 2)->hash, HashAlgo::kSha256);
  EXPECT_EQ(ssh_scheme("ssh-rsa", 4)->name, "rsa-sha2-512");
  EXPECT_EQ(ssh_scheme("ssh-rsa", 4)->hash, HashAlgo::kSha512);
  for (const uint32_t flags : {0U, 1U, 3U, 5U, 6U, 8U, ~0U})
    EXPECT_FALSE(ssh_scheme("ssh-rsa", flags)) << flags;
  EXPECT_EQ(ssh_scheme("ecdsa-sha2-nistp256", 0)->hash, HashAlgo::kSha256);
  EXPECT_EQ(ssh_scheme("ecdsa-sha2-nistp384", 0)->hash, HashAlgo::kSha384);
  EXPECT_EQ(ssh_scheme("ecdsa-sha2-nistp384", 0)->name, "ecdsa-sha2-nistp384");
  EXPECT_FALSE(ssh_scheme("ecdsa-sha2-nistp256", 2));
}

// DER in, without the name that comes first.
std::string ecdsa(const char* der) {
  const auto made = ssh_signature({"ecdsa-sha2-nistp256", HashAlgo::kSha256}, *from_hex(der));
  if (!made) return made.error().message;
  const std::string name = "00000013" + to_hex(as_bytes("ecdsa-sha2-nistp256"));
  EXPECT_EQ(to_hex(*made).substr(0, name.size()), name);
  return to_hex(*made).substr(name.size());
}

TEST(SshSignature, EcdsaIsTwoNumbers) {
  EXPECT_EQ(ecdsa("300602010102017f"),
            "0000000a"
            "0000000101"
            "000000017f");
  // DER and mpint put the same zero before a high bit, and have none elsewhere.
  EXPECT_EQ(ecdsa("300802020080020200ff"),
            "0000000c"
            "000000020080"
            "0000000200ff");
  EXPECT_EQ(ecdsa("30080202010002027f00"),
            "0000000c"
            "000000020100"
            "000000027f00");
}

TEST(SshSignature, RefusesWhatIsNoSignature) {
  const std::string refused = "offset 0: not an ECDSA signature";
  for (const char* bad : {"", "30", "300602010102017f00", "3003020101", "300602010002017f",
                          "300602018002017f", "0000000101000000017f"})
    EXPECT_EQ(ecdsa(bad), refused) << bad;
}

// As a TPM may give it: with zeros in front. What counts is that OpenSSL finds the same numbers again.
TEST(SshSignature, EachOfManyIsReadBack) {
  init_openssl();
  const PkeyPtr key(EVP_EC_gen("P-256"));
  const Bytes digest(32, 1);
  bool short_one = false;
  bool high_bit = false;
  for (int i = 0; i < 2000 && !(short_one && high_bit); ++i) {
    const PkeyContextPtr context(EVP_PKEY_CTX_new(key.get(), nullptr));
    size_t size = 80;
    Bytes der(size);
    ASSERT_EQ(EVP_PKEY_sign_init(context.get()), 1);
    ASSERT_EQ(EVP_PKEY_sign(context.get(), der.data(), &size, digest.data(), digest.size()), 1);
    der.resize(size);
    const auto made = ssh_signature({"ecdsa-sha2-nistp256", HashAlgo::kSha256}, der);
    ASSERT_TRUE(made);
    ByteReader whole(*made);
    ASSERT_EQ(as_text(*read_ssh_string(whole)), "ecdsa-sha2-nistp256");
    ByteReader pair(*read_ssh_string(whole));
    ASSERT_TRUE(whole.empty());
    EcdsaSigPtr read(ECDSA_SIG_new());
    const ByteView r = *read_ssh_string(pair);
    const ByteView s = *read_ssh_string(pair);
    ASSERT_TRUE(pair.empty());
    for (const ByteView number : {r, s}) {
      ASSERT_EQ(number[0] & 0x80, 0);
      ASSERT_TRUE(number[0] != 0 || (number[1] & 0x80) != 0);
      short_one = short_one || number.size() < 32;
      high_bit = high_bit || number.size() == 33;
    }
    ASSERT_EQ(ECDSA_SIG_set0(read.get(), BN_bin2bn(r.data(), static_cast<int>(r.size()), nullptr),
                             BN_bin2bn(s.data(), static_cast<int>(s.size()), nullptr)),
              1);
    unsigned char* again = nullptr;
    const int again_size = i2d_ECDSA_SIG(read.get(), &again);
    const OpensslPtr<unsigned char> owner(again);
    ASSERT_EQ(Bytes(again, again + again_size), der);
  }
  EXPECT_TRUE(short_one && high_bit);
}

TEST(SshSignature, RsaIsAsItCame) {
  const auto made = ssh_signature({"rsa-sha2-512", HashAlgo::kSha512}, Bytes{0, 1, 2});
  EXPECT_EQ(to_hex(*made), "0000000c" + to_hex(as_bytes("rsa-sha2-512")) + "00000003000102");
}

}  // namespace
}  // namespace diglim
