// SPDX-License-Identifier: Apache-2.0
#include "lib/crypto/x509.h"

#include <gtest/gtest.h>

namespace diglim {
namespace {

// openssl req -x509 -newkey ed25519 -nodes -subj "/O=Example/CN=D\xc3\xa9v" -utf8 -set_serial 0x1234 -days
// 3650
constexpr std::string_view kPem = R"(text before
-----BEGIN CERTIFICATE-----
MIHqMIGdAgISNDAFBgMrZXAwITEQMA4GA1UECgwHRXhhbXBsZTENMAsGA1UEAwwE
RMOpdjAeFw0yNjExMjIwNTQzMDBaFw0zNjExMTkwNTQzMDBaMCExEDAOBgNVBAoM
B0V4YW1wbGUxDTALBgNVBAMMBETDqXYwKjAFBgMrZXADIQBPnbllGT+sv4UOn7Q6
v+rLuOuFiCkd/8j4ZT11mtEH3TAFBgMrZXADQQA2BAZxWlreBapzeP14xTB19WV6
+6sZYLo8vDifMcczNJ+LfCWhB4ZE4pYV1HZie7Rd/QX1HI5czBOqsYGG8/UC
-----END CERTIFICATE-----
)";

class X509Test : public testing::Test {
 protected:
  void expect(ErrorCode code, const std::string& message) {
    const auto result = read_x509(file_);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code);
    EXPECT_EQ(result.error().message, message);
  }
  void use_der() {
    const auto certificates = read_x509(file_);
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificates->front().get(), &der);
    file_ = Bytes(der, der + size);
    OPENSSL_free(der);
  }
  void add_text(std::string_view text) { append(file_, as_bytes(text)); }
  void replace(std::string_view what, std::string_view by) {
    std::string text(as_text(file_));
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
      text.replace(at, what.size(), by);
    }
    file_ = to_bytes(as_bytes(text));
  }

  Bytes file_ = to_bytes(as_bytes(kPem));
};

TEST_F(X509Test, ReadsPemAndNamesIt) {
  const auto certificates = read_x509(file_);
  ASSERT_TRUE(certificates) << certificates.error().message;
  ASSERT_EQ(certificates->size(), 1u);
  const X509& certificate = *certificates->front();
  EXPECT_EQ(x509_subject(certificate), "O=Example,CN=D\xc3\xa9v");
  EXPECT_EQ(x509_serial(*X509_get0_serialNumber(&certificate)), "1234");
  EXPECT_FALSE(x509_unusable(certificate));
}

TEST_F(X509Test, ReadsSeveralFromOneFile) {
  add_text("\n# and another\n");
  append(file_, as_bytes(kPem));
  EXPECT_EQ(read_x509(file_)->size(), 2u);
}

TEST_F(X509Test, ReadsDer) {
  use_der();
  EXPECT_TRUE(looks_like_x509(file_));
  EXPECT_EQ(read_x509(file_)->size(), 1u);
}

TEST_F(X509Test, RefusesBytesAfterDer) {
  use_der();
  const std::string offset = std::to_string(file_.size());
  add_text("x");
  expect(ErrorCode::kCorrupt, "offset " + offset + ": bytes after the certificate");
}

TEST_F(X509Test, RefusesEveryTruncationOfDer) {
  use_der();
  while (!file_.empty()) {
    file_.pop_back();
    expect(ErrorCode::kCorrupt, "offset 0: not an X.509 certificate");
  }
}

TEST_F(X509Test, RefusesADamagedBlockAtItsOffset) {
  replace("-----END CERTIFICATE-----", "-----END CERT-----");
  expect(ErrorCode::kCorrupt, "offset 12: damaged PEM block");
}

TEST_F(X509Test, RefusesADamagedSecondBlock) {
  const std::string offset = std::to_string(file_.size() + 12);
  append(file_, as_bytes(kPem));
  file_.resize(file_.size() - 30);
  expect(ErrorCode::kCorrupt, "offset " + offset + ": damaged PEM block");
}

TEST_F(X509Test, RefusesOtherBlocks) {
  replace("CERTIFICATE", "PRIVATE KEY");
  expect(ErrorCode::kUnsupported, "a private key does not belong here");
  replace("PRIVATE KEY", "TRUSTED CERTIFICATE");
  expect(ErrorCode::kUnsupported, "PEM block \"TRUSTED CERTIFICATE\" is not a certificate");
}

TEST_F(X509Test, DoesNotTakeOpenPgpForItsOwn) {
  EXPECT_FALSE(looks_like_x509(as_bytes("-----BEGIN PGP PUBLIC KEY BLOCK-----\n")));
  EXPECT_FALSE(looks_like_x509(as_bytes("\x99\x01 -----BEGIN CERTIFICATE-----\n")));
  EXPECT_FALSE(looks_like_x509({}));
  EXPECT_TRUE(
      looks_like_x509(as_bytes("-----BEGIN PGP PUBLIC KEY BLOCK-----\n-----BEGIN CERTIFICATE-----\n")));
}

}  // namespace
}  // namespace diglim
