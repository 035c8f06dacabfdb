// SPDX-License-Identifier: Apache-2.0
// Not CMS_verify(): it wants every signer's certificate, and it refuses Ed25519 (OpenSSL 3.0). So OpenSSL
// parses the structure, the rules of RFC 5652 section 5.4 are applied here, and EVP_PKEY_verify() does the
// cryptography.
#include "lib/cms/cms.h"

#include <openssl/cms.h>
#include <openssl/err.h>

#include <optional>

#include "lib/base/text.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/openssl.h"
#include "lib/crypto/public_key.h"

namespace diglim {
namespace {

using CmsPtr = Owned<CMS_ContentInfo, CMS_ContentInfo_free>;

enum class Verdict { kGood, kBad, kUnknownKey, kNotCounted };

struct Judgement {
  Verdict verdict = Verdict::kNotCounted;
  std::string signer;
  std::string reason;
};

Judgement not_counted(std::string signer, std::string reason) {
  return {Verdict::kNotCounted, std::move(signer), std::move(reason)};
}

Judgement bad(std::string signer, std::string reason) {
  return {Verdict::kBad, std::move(signer), std::move(reason)};
}

Result<CmsPtr> parse(ByteView der, uint64_t base) {
  if (der.size() > kMaxCmsBytes)
    return corrupt(base, "CMS signature larger than " + std::to_string(kMaxCmsBytes) + " bytes");
  const unsigned char* at = der.data();
  CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!cms) return corrupt(base, "not a CMS structure");
  const auto used = static_cast<size_t>(at - der.data());
  if (used != der.size()) return corrupt(base + used, "bytes after the CMS structure");
  if (OBJ_obj2nid(CMS_get0_type(cms.get())) != NID_pkcs7_signed)
    return corrupt(base, "CMS, but not SignedData");
  if (CMS_is_detached(cms.get()) != 1) return corrupt(base, "CMS signature is not detached");
  // Any other type would need signed attributes (RFC 5652 section 5.3), and nothing here makes one.
  if (OBJ_obj2nid(CMS_get0_eContentType(cms.get())) != NID_pkcs7_data)
    return corrupt(base, "CMS content is not of type data");
  return cms;
}

std::optional<HashAlgo> digest_of(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* oid = nullptr;
  X509_ALGOR_get0(&oid, nullptr, nullptr, algorithm);
  for (uint16_t number = 1;; ++number) {
    const auto algo = hash_from_kernel(number);
    if (!algo) return std::nullopt;
    if (EVP_MD_get_type(hash_evp(*algo)) == OBJ_obj2nid(oid)) return algo;
  }
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::string_view key_name(const EVP_PKEY& key) {
  switch (EVP_PKEY_get_base_id(&key)) {
    case EVP_PKEY_RSA:
      return "RSA";
    case EVP_PKEY_EC:
      return "ECDSA";
    default:
      return "Ed25519";
  }
}

// The signature algorithm must be the one of the key and, where it names a digest, the same digest as the
// signer's digest algorithm: otherwise the policy would judge one digest and the signature rest on another.
bool algorithms_agree(const X509_ALGOR* signature_algorithm, const EVP_PKEY& key, HashAlgo algo) {
  const ASN1_OBJECT* oid = nullptr;
  X509_ALGOR_get0(&oid, nullptr, nullptr, signature_algorithm);
  const int nid = OBJ_obj2nid(oid);
  const int key_id = EVP_PKEY_get_base_id(&key);
  if (key_id == EVP_PKEY_ED25519) return nid == NID_ED25519;
  if (key_id == EVP_PKEY_RSA && nid == NID_rsaEncryption)
    return true;  // RFC 3370 section 3.2: names no digest
  int digest_nid = NID_undef;
  int key_nid = NID_undef;
  const bool known = OBJ_find_sigid_algs(nid, &digest_nid, &key_nid) == 1;
  return known && key_nid == key_id && digest_nid == EVP_MD_get_type(hash_evp(algo));
}

// The signed attributes as they were signed: under a SET OF tag instead of the [0] that stands in the file
// (RFC 5652 section 5.4).
std::optional<Bytes> encode_attributes(const CMS_SignerInfo* signer) {
  Bytes attributes;
  for (int i = 0; i < CMS_signed_get_attr_count(signer); ++i) {
    unsigned char* der = nullptr;
    const int size = i2d_X509_ATTRIBUTE(CMS_signed_get_attr(signer, i), &der);
    const OpensslPtr<unsigned char> owner(der);
    if (size < 0) return std::nullopt;
    append(attributes, {der, static_cast<size_t>(size)});
  }
  constexpr int kConstructed = 1;
  const int total = ASN1_object_size(kConstructed, static_cast<int>(attributes.size()), V_ASN1_SET);
  if (total < 0) return std::nullopt;
  Bytes encoded(static_cast<size_t>(total) - attributes.size());
  unsigned char* at = encoded.data();
  ASN1_put_object(&at, kConstructed, static_cast<int>(attributes.size()), V_ASN1_SET, V_ASN1_UNIVERSAL);
  append(encoded, attributes);
  return encoded;
}

// The value of an attribute that occurs once and has one value of this ASN.1 type, or null.
const void* only_attribute(CMS_SignerInfo* signer, int nid, int type) {
  constexpr int kExactlyOneValue = -3;  // as X509at_get0_data_by_OBJ() has it
  return CMS_signed_get0_data_by_OBJ(signer, OBJ_nid2obj(nid), kExactlyOneValue, type);
}

// Why the signing time, if there is one, speaks against this certificate.
std::optional<std::string> signing_time_problem(CMS_SignerInfo* signer, const X509& certificate) {
  if (CMS_signed_get_attr_by_NID(signer, NID_pkcs9_signingTime, -1) < 0) return std::nullopt;
  auto* time = static_cast<const ASN1_TIME*>(only_attribute(signer, NID_pkcs9_signingTime, V_ASN1_UTCTIME));
  if (time == nullptr) {
    time =
        static_cast<const ASN1_TIME*>(only_attribute(signer, NID_pkcs9_signingTime, V_ASN1_GENERALIZEDTIME));
  }
  constexpr int kFailed = -2;
  if (time == nullptr || ASN1_TIME_check(time) != 1) return "unreadable signing time";
  const int start = ASN1_TIME_compare(time, X509_get0_notBefore(&certificate));
  const int end = ASN1_TIME_compare(time, X509_get0_notAfter(&certificate));
  if (start == kFailed || end == kFailed) return "unreadable validity of the certificate";
  if (start < 0) return "signed before its certificate became valid";
  if (end > 0) return "signed after its certificate expired";
  return std::nullopt;
}

// Why the signed attributes do not cover the content (RFC 5652 section 11), or nothing if they do.
std::optional<std::string> attributes_problem(CMS_SignerInfo* signer, HashAlgo algo, MessageHash& content) {
  auto* type = static_cast<const ASN1_OBJECT*>(only_attribute(signer, NID_pkcs9_contentType, V_ASN1_OBJECT));
  if (type == nullptr || OBJ_obj2nid(type) != NID_pkcs7_data)
    return "wrong content type in the signed attributes";
  auto* digest = static_cast<const ASN1_OCTET_STRING*>(
      only_attribute(signer, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING));
  if (digest == nullptr) return "no message digest in the signed attributes";
  const auto actual = content.hash(algo);
  if (!actual) return actual.error().message;
  const std::string_view stored(reinterpret_cast<const char*>(ASN1_STRING_get0_data(digest)),
                                static_cast<size_t>(ASN1_STRING_length(digest)));
  if (as_text(*actual) != stored) return "the content is not what was signed";
  return std::nullopt;
}

// `message` are the attributes or, without any, the content.
bool signature_is_right(EVP_PKEY* key, HashAlgo algo, ByteView signature, MessageHash& message) {
  // It hashes by itself (RFC 8419 section 3).
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) return verify_ed25519(key, message.message(), signature);
  const auto digest = message.hash(algo);
  const PkeyContextPtr context(EVP_PKEY_CTX_new(key, nullptr));
  const bool right =
      digest && context && EVP_PKEY_verify_init(context.get()) == 1 &&
      EVP_PKEY_CTX_set_signature_md(context.get(), hash_evp(algo)) == 1 &&
      EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest->data(), digest->size()) == 1;
  ERR_clear_error();
  return right;
}

Judgement judge_under(CMS_SignerInfo* signer, const X509& certificate, MessageHash& content,
                      const SignaturePolicy& policy) {
  std::string name = "CMS ";
  const std::string subject = x509_subject(certificate);
  if (const auto reason = x509_unusable(certificate)) return not_counted(name + subject, *reason);
  EVP_PKEY* const key = X509_get0_pubkey(&certificate);
  X509_ALGOR* digest_algorithm = nullptr;
  X509_ALGOR* signature_algorithm = nullptr;
  CMS_SignerInfo_get0_algs(signer, nullptr, nullptr, &digest_algorithm, &signature_algorithm);
  const auto algo = digest_of(digest_algorithm);
  if (!algo) return not_counted(name + subject, "unsupported digest algorithm");
  const std::string algo_name = upper(hash_name(*algo));
  name += std::string(key_name(*key)) + "/" + algo_name + " " + subject;
  if (!policy.allows(*algo)) return not_counted(name, algo_name + " signatures are not allowed");
  if (!algorithms_agree(signature_algorithm, *key, *algo))
    return not_counted(name, "unsupported signature algorithm");

  const ASN1_OCTET_STRING* value = CMS_SignerInfo_get0_signature(signer);
  const ByteView signature(ASN1_STRING_get0_data(value), static_cast<size_t>(ASN1_STRING_length(value)));
  if (CMS_signed_get_attr_count(signer) < 0) {
    if (!signature_is_right(key, *algo, signature, content)) return bad(name, "bad signature");
    return {Verdict::kGood, name, {}};
  }
  // A signature over attributes could be passed off as one over content that looks like attributes, and the
  // reverse (RFC 5652 section 14). Attributes begin with 0x31; no digest list does, so neither can be read as
  // the other.
  const auto attributes = encode_attributes(signer);
  if (!attributes) return bad(name, "bad signature");
  MessageHash signed_attributes(*attributes);
  if (!signature_is_right(key, *algo, signature, signed_attributes)) return bad(name, "bad signature");
  if (const auto problem = attributes_problem(signer, *algo, content)) return bad(name, *problem);
  if (const auto problem = signing_time_problem(signer, certificate)) return not_counted(name, *problem);
  return {Verdict::kGood, name, {}};
}

std::string signer_identity(CMS_SignerInfo* signer) {
  ASN1_OCTET_STRING* key_id = nullptr;
  X509_NAME* issuer = nullptr;
  ASN1_INTEGER* serial = nullptr;
  if (CMS_SignerInfo_get0_signer_id(signer, &key_id, &issuer, &serial) != 1) return "CMS";
  if (key_id != nullptr) {
    constexpr int kMaxShown = 32;
    const ByteView bytes(ASN1_STRING_get0_data(key_id),
                         static_cast<size_t>(std::min(ASN1_STRING_length(key_id), kMaxShown)));
    return "CMS key identifier " + to_hex(bytes);
  }
  return "CMS issuer " + x509_name_text(*issuer) + " serial " + x509_serial(*serial);
}

// Issuer and serial do not have to be unique among self-signed certificates: every match is tried, and a bad
// signature is one that no match explains.
Judgement judge(CMS_SignerInfo* signer, MessageHash& content, std::span<const X509Ptr> trusted,
                const SignaturePolicy& policy) {
  std::optional<Judgement> result;
  for (const X509Ptr& certificate : trusted) {
    if (CMS_SignerInfo_cert_cmp(signer, certificate.get()) != 0) continue;
    Judgement judgement = judge_under(signer, *certificate, content, policy);
    if (judgement.verdict == Verdict::kGood) return judgement;
    if (!result || judgement.verdict == Verdict::kBad) result = std::move(judgement);
  }
  if (result) return *std::move(result);
  return {Verdict::kUnknownKey, signer_identity(signer), "no trusted certificate"};
}

}  // namespace

Result<std::string> verify_cms(ByteView cms, uint64_t base, MessageHash& content,
                               std::span<const X509Ptr> trusted, const SignaturePolicy& policy) {
  init_openssl();
  TRY_ASSIGN(const CmsPtr parsed, parse(cms, base));
  STACK_OF(CMS_SignerInfo)* const signers = CMS_get0_SignerInfos(parsed.get());
  const int count = sk_CMS_SignerInfo_num(signers);
  if (count <= 0) return untrusted("CMS signature without a signer");
  if (count > kMaxCmsSigners)
    return corrupt(base, "more than " + std::to_string(kMaxCmsSigners) + " signers");

  std::optional<std::string> good;
  std::string reasons;
  for (int i = 0; i < count; ++i) {
    const Judgement judgement = judge(sk_CMS_SignerInfo_value(signers, i), content, trusted, policy);
    const std::string line = judgement.signer + ": " + judgement.reason;
    if (judgement.verdict == Verdict::kBad) return untrusted(line);
    if (judgement.verdict == Verdict::kGood && !good) good = judgement.signer;
    if (judgement.verdict != Verdict::kGood) reasons += (reasons.empty() ? "" : "; ") + line;
  }
  ERR_clear_error();
  if (!good) return untrusted(reasons);
  return *std::move(good);
}

}  // namespace diglim
