// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/tls/request.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "lib/base/text.h"

namespace diglim {
namespace {

using RequestPtr = Owned<X509_REQ, X509_REQ_free>;
using ExtensionPtr = Owned<X509_EXTENSION, X509_EXTENSION_free>;
using AlgorithmPtr = Owned<X509_ALGOR, X509_ALGOR_free>;
using BitsPtr = Owned<ASN1_BIT_STRING, ASN1_BIT_STRING_free>;

constexpr size_t kMaxName = 64;  // of a common name (RFC 5280, appendix A)

// As OpenSSL's text for the extension has it. Nothing in a name may mean something there.
Result<std::string> alternative_name(const std::string& name) {
  unsigned char address[16];
  if (inet_pton(AF_INET, name.c_str(), address) == 1 || inet_pton(AF_INET6, name.c_str(), address) == 1)
    return "IP:" + name;
  const bool host =
      !name.empty() && name.size() <= kMaxName && std::ranges::all_of(name, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '*' || c == '_';
      });
  if (!host) return invalid("--name '" + escape(name, 80) + "': a host name or an address is expected");
  return "DNS:" + name;
}

bool add_names(X509_REQ* request, const std::string& common_name, const std::string& alternatives) {
  const auto* text = reinterpret_cast<const unsigned char*>(common_name.c_str());
  const ExtensionPtr extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, alternatives.c_str()));
  STACK_OF(X509_EXTENSION)* list = sk_X509_EXTENSION_new_null();
  const bool added = extension && list != nullptr && sk_X509_EXTENSION_push(list, extension.get()) > 0 &&
                     X509_REQ_add_extensions(request, list) == 1 &&
                     X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request), NID_commonName,
                                                MBSTRING_UTF8, text, -1, -1, 0) == 1;
  sk_X509_EXTENSION_free(list);
  return added;
}

Result<Bytes> to_be_signed(X509_REQ* request) {
  unsigned char* der = nullptr;
  const int size = i2d_re_X509_REQ_tbs(request, &der);
  if (size <= 0) return openssl_error("write a certificate request");
  const OpensslPtr<unsigned char> owner(der);
  return Bytes(der, der + size);
}

Result<void> set_signature(X509_REQ* request, int nid, bool rsa, ByteView signature) {
  const AlgorithmPtr algorithm(X509_ALGOR_new());
  BitsPtr bits(ASN1_BIT_STRING_new());
  if (!algorithm || !bits ||
      X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(nid), rsa ? V_ASN1_NULL : V_ASN1_UNDEF, nullptr) != 1 ||
      X509_REQ_set1_signature_algo(request, algorithm.get()) != 1 ||
      ASN1_STRING_set(bits.get(), signature.data(), static_cast<int>(signature.size())) != 1)
    return openssl_error("write a certificate request");
  // All bits count, also zeros at the end.
  bits->flags = (bits->flags & ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07)) | ASN1_STRING_FLAG_BITS_LEFT;
  X509_REQ_set0_signature(request, bits.release());
  return {};
}

}  // namespace

Result<std::string> certificate_request(EVP_PKEY* public_key, const std::vector<std::string>& names,
                                        const SignDigest& sign) {
  if (names.empty()) return invalid("a certificate request needs a name: --name HOST");
  std::string alternatives;
  for (const std::string& name : names) {
    TRY_ASSIGN(const std::string one, alternative_name(name));
    alternatives += (alternatives.empty() ? "" : ",") + one;
  }
  const RequestPtr request(X509_REQ_new());
  if (!request || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_pubkey(request.get(), public_key) != 1 ||
      !add_names(request.get(), names.front().substr(0, kMaxName), alternatives))
    return openssl_error("write a certificate request");
  const bool rsa = EVP_PKEY_get_base_id(public_key) == EVP_PKEY_RSA;
  const bool p384 = !rsa && EVP_PKEY_get_bits(public_key) == 384;
  const HashAlgo algo = p384 ? HashAlgo::kSha384 : HashAlgo::kSha256;
  const int nid = rsa ? NID_sha256WithRSAEncryption : p384 ? NID_ecdsa_with_SHA384 : NID_ecdsa_with_SHA256;
  TRY_ASSIGN(const Bytes body, to_be_signed(request.get()));
  TRY_ASSIGN(const Bytes digest, hash(algo, {body}));
  TRY_ASSIGN(const Bytes signature, sign(algo, digest));
  TRY(set_signature(request.get(), nid, rsa, signature));
  if (X509_REQ_verify(request.get(), public_key) != 1) return openssl_error("the TPM's signature is wrong");
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509_REQ(bio.get(), request.get()) != 1)
    return openssl_error("write a certificate request");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

}  // namespace diglim
