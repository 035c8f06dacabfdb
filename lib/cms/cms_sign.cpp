// SPDX-License-Identifier: Apache-2.0
// The SignedData is put together here, byte for byte what `openssl cms -sign -noattr -nocerts` makes (a test
// compares), because OpenSSL 3.0 refuses to sign CMS with Ed25519 ("no default digest"). Replace it by
// CMS_sign() when the oldest supported OpenSSL no longer does.
#include "lib/cms/cms_sign.h"

#include <openssl/err.h>

#include <algorithm>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/openssl.h"
#include "lib/crypto/x509.h"

namespace diglim {
namespace {

constexpr size_t kMaxCertificateBytes = 1u << 20;

// ASN.1 tags and object identifiers in DER.
constexpr uint8_t kSequence = 0x30;
constexpr uint8_t kSet = 0x31;
constexpr uint8_t kOctetString = 0x04;
constexpr uint8_t kExplicit0 = 0xa0;
constexpr uint8_t kSignedDataOid[] = {6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2};
constexpr uint8_t kDataOid[] = {6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1};
constexpr uint8_t kVersion1[] = {2, 1, 1};

using AlgorithmPtr = Owned<X509_ALGOR, X509_ALGOR_free>;

Bytes der(uint8_t tag, std::initializer_list<ByteView> parts) {
  Bytes content;
  for (ByteView part : parts) append(content, part);
  Bytes out = {tag};
  if (content.size() < 0x80) {
    out.push_back(static_cast<uint8_t>(content.size()));
  } else {
    Bytes length;
    put_u32_be(length, static_cast<uint32_t>(content.size()));
    length.erase(length.begin(),
                 std::find_if(length.begin(), length.end(), [](uint8_t byte) { return byte != 0; }));
    out.push_back(static_cast<uint8_t>(0x80 | length.size()));
    append(out, length);
  }
  append(out, content);
  return out;
}

template <typename T, typename Encode>
Result<Bytes> encode(const T* object, Encode i2d) {
  const int size = i2d(object, nullptr);
  if (size <= 0) return openssl_error("encode");
  Bytes out(static_cast<size_t>(size));
  unsigned char* at = out.data();
  i2d(object, &at);
  return out;
}

Result<X509Ptr> read_certificate(const std::string& path) {
  TRY_ASSIGN(const Bytes content, read_file(path, kMaxCertificateBytes));
  TRY_ASSIGN(auto certificates, read_x509(content));
  if (const auto reason = x509_unusable(*certificates.front())) {
    return unsupported("signatures under this certificate would not count: " + *reason);
  }
  return std::move(certificates.front());
}

struct Algorithms {
  Bytes digest;     // AlgorithmIdentifier
  Bytes signature;  // AlgorithmIdentifier
};

// Of the certificate's key: the other one may be a token's, of which OpenSSL knows less.
Result<Algorithms> algorithms_for(const X509& certificate) {
  const int type = EVP_PKEY_get_base_id(X509_get0_pubkey(&certificate));
  const EVP_MD* md = EVP_sha512();  // RFC 8419 section 3.1: with Ed25519 the digest algorithm must be SHA-512
  const AlgorithmPtr digest(X509_ALGOR_new());
  const AlgorithmPtr signature(X509_ALGOR_new());
  if (!digest || !signature) return openssl_error("sign");
  int nid = NID_ED25519;
  int parameters = V_ASN1_UNDEF;  // absent
  Algorithms result;
  if (type != EVP_PKEY_ED25519) {
    nid = type == EVP_PKEY_RSA ? NID_rsaEncryption : NID_ecdsa_with_SHA256;
    parameters = type == EVP_PKEY_RSA ? V_ASN1_NULL : V_ASN1_UNDEF;
    md = EVP_sha256();
  }
  X509_ALGOR_set_md(digest.get(), md);
  if (X509_ALGOR_set0(signature.get(), OBJ_nid2obj(nid), parameters, nullptr) != 1)
    return openssl_error("sign");
  TRY_ASSIGN(result.digest, encode(digest.get(), i2d_X509_ALGOR));
  TRY_ASSIGN(result.signature, encode(signature.get(), i2d_X509_ALGOR));
  return result;
}

Result<Bytes> signed_data(const X509& certificate, const Algorithms& algorithms, ByteView signature) {
  TRY_ASSIGN(const Bytes issuer, encode(X509_get_issuer_name(&certificate), i2d_X509_NAME));
  TRY_ASSIGN(const Bytes serial, encode(X509_get0_serialNumber(&certificate), i2d_ASN1_INTEGER));
  const Bytes signer = der(kSequence, {kVersion1, der(kSequence, {issuer, serial}), algorithms.digest,
                                       algorithms.signature, der(kOctetString, {signature})});
  const Bytes body = der(kSequence, {kVersion1, der(kSet, {algorithms.digest}), der(kSequence, {kDataOid}),
                                     der(kSet, {signer})});
  return der(kSequence, {kSignedDataOid, der(kExplicit0, {body})});
}

}  // namespace

Result<Bytes> sign_cms(ByteView content, const std::string& key_name, const std::string& certificate_file,
                       const Passphrase& passphrase) {
  init_openssl();
  auto key = SigningKey::load(key_name, passphrase);
  if (!key) return with_context("key " + escape(key_name), key.error());
  auto certificate = read_certificate(certificate_file);
  if (!certificate) return with_context("certificate " + escape(certificate_file), certificate.error());
  // -2: of a token's key it cannot be said; then whoever verifies the signature says so.
  const int same = EVP_PKEY_eq(X509_get0_pubkey(certificate->get()), key->get());
  ERR_clear_error();
  if (same != 1 && same != -2) {
    return invalid("the key " + escape(key_name) + " does not belong to the certificate " +
                   escape(certificate_file));
  }
  TRY_ASSIGN(const Algorithms algorithms, algorithms_for(**certificate));
  auto signature = key->sign(content);
  if (!signature) return with_context("key " + escape(key_name), signature.error());
  return signed_data(**certificate, algorithms, *signature);
}

}  // namespace diglim
