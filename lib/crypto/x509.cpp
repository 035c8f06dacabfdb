// SPDX-License-Identifier: Apache-2.0
#include "lib/crypto/x509.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "lib/base/text.h"
#include "lib/crypto/openssl.h"

namespace diglim {
namespace {

constexpr std::string_view kPemBegin = "-----BEGIN ";
constexpr uint8_t kDerSequence = 0x30;
constexpr int kMinRsaBits = 2048;
constexpr int kMinCurveBits = 224;

Result<X509Ptr> read_der(ByteView der, uint64_t offset) {
  const unsigned char* at = der.data();
  X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!certificate) return corrupt(offset, "not an X.509 certificate");
  const auto used = static_cast<size_t>(at - der.data());
  if (used != der.size()) return corrupt(offset + used, "bytes after the certificate");
  return certificate;
}

struct PemBlock {
  OpensslPtr<char> name;
  OpensslPtr<char> header;  // "Proc-Type: ..." of encrypted keys; empty otherwise
  OpensslPtr<unsigned char> data;
  long size = 0;
};

// One more block, or nothing at the end of the file.
Result<std::optional<PemBlock>> next_pem_block(BIO* bio, uint64_t offset) {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  const bool found = PEM_read_bio(bio, &name, &header, &data, &size) == 1;
  const auto reason = ERR_GET_REASON(ERR_peek_last_error());
  ERR_clear_error();
  if (found) {
    PemBlock block{OpensslPtr<char>(name), OpensslPtr<char>(header), OpensslPtr<unsigned char>(data), size};
    return std::optional<PemBlock>(std::move(block));
  }
  if (reason == PEM_R_NO_START_LINE) return std::optional<PemBlock>();
  return corrupt(offset, "damaged PEM block");
}

Result<X509Ptr> read_pem_block(const PemBlock& block, uint64_t offset) {
  const std::string_view name = block.name.get();
  if (name.find("PRIVATE KEY") != std::string_view::npos) {
    return unsupported("a private key does not belong here");
  }
  if ((name != PEM_STRING_X509 && name != PEM_STRING_X509_OLD) || *block.header != '\0') {
    return unsupported("PEM block \"" + escape(name, 64) + "\" is not a certificate");
  }
  return read_der({block.data.get(), static_cast<size_t>(block.size)}, offset);
}

Result<std::vector<X509Ptr>> read_pem(ByteView file) {
  const BioPtr bio(BIO_new_mem_buf(file.data(), static_cast<int>(file.size())));
  if (!bio) return openssl_error("read certificates");
  std::vector<X509Ptr> certificates;
  for (;;) {
    // A memory BIO counts what is left, which gives the offset; PEM_read_bio skips text before a block.
    const uint64_t after = file.size() - BIO_ctrl_pending(bio.get());
    const size_t begin = as_text(file).find(kPemBegin, after);
    const uint64_t offset = begin == std::string_view::npos ? after : begin;
    TRY_ASSIGN(const auto block, next_pem_block(bio.get(), offset));
    if (!block) break;
    TRY_ASSIGN(auto certificate, read_pem_block(*block, offset));
    if (certificates.size() == kMaxX509PerFile) return corrupt(offset, "too many certificates");
    certificates.push_back(std::move(certificate));
  }
  if (certificates.empty()) return corrupt(0, "no PEM block that can be read");
  return certificates;
}

bool is_one_der_sequence(ByteView file) {
  if (file.empty() || file[0] != kDerSequence) return false;
  const unsigned char* at = file.data();
  long size = 0;
  int tag = 0;
  int tag_class = 0;
  constexpr int kError = 0x80;
  const int how = ASN1_get_object(&at, &size, &tag, &tag_class, static_cast<long>(file.size()));
  ERR_clear_error();
  return (how & kError) == 0 &&
         static_cast<size_t>(at - file.data()) + static_cast<size_t>(size) == file.size();
}

// The getters below cache parsed extensions in the object; OpenSSL locks around that, hence const for our
// callers.
X509* mutable_x509(const X509& certificate) {
  return const_cast<X509*>(&certificate);
}

std::optional<std::string> key_unusable(const X509& certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(&certificate);
  ERR_clear_error();
  if (key == nullptr) return "its public key cannot be used";
  const int bits = EVP_PKEY_get_bits(key);
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      if (bits < kMinRsaBits) return "RSA key of only " + std::to_string(bits) + " bits";
      return std::nullopt;
    case EVP_PKEY_EC:
      if (bits < kMinCurveBits) return "ECDSA key of only " + std::to_string(bits) + " bits";
      return std::nullopt;
    case EVP_PKEY_ED25519:
      return std::nullopt;
    default:
      return "key algorithm is not supported (RSA, ECDSA and Ed25519 are)";
  }
}

}  // namespace

bool looks_like_x509(ByteView file) {
  if (file.empty() || (file[0] & 0x80) != 0) return false;  // no text, and no SEQUENCE
  if (file[0] == kDerSequence) return true;
  const std::string_view text = as_text(file);
  for (size_t at = 0; (at = text.find(kPemBegin, at)) != std::string_view::npos; at += kPemBegin.size()) {
    if (!text.substr(at + kPemBegin.size()).starts_with("PGP ")) return true;
  }
  return false;
}

Result<std::vector<X509Ptr>> read_x509(ByteView file) {
  init_openssl();
  if (file.size() > INT32_MAX) return unsupported("too large for a certificate file");
  // DER first: a certificate may carry the text of another one in a name or an extension.
  if (!is_one_der_sequence(file) && as_text(file).find(kPemBegin) != std::string_view::npos)
    return read_pem(file);
  TRY_ASSIGN(auto certificate, read_der(file, 0));
  std::vector<X509Ptr> certificates;
  certificates.push_back(std::move(certificate));
  return certificates;
}

std::string x509_name_text(const X509_NAME& name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  // RFC 2253 quoting without its reversal, and UTF-8 as it is: escape() deals with what a terminal would act
  // on.
  const unsigned long flags =
      (XN_FLAG_RFC2253 & ~XN_FLAG_DN_REV & ~ASN1_STRFLGS_ESC_MSB) | XN_FLAG_SEP_COMMA_PLUS;
  if (!bio || X509_NAME_print_ex(bio.get(), &name, 0, flags) < 0) {
    ERR_clear_error();
    return "(unprintable name)";
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  if (size <= 0) return "(empty name)";
  return escape({text, static_cast<size_t>(size)}, 512);
}

std::string x509_subject(const X509& certificate) {
  return x509_name_text(*X509_get_subject_name(&certificate));
}

std::string x509_serial(const ASN1_INTEGER& serial) {
  // RFC 5280 allows 20 bytes; whatever is longer is cut by escape-like bounds here.
  constexpr size_t kMaxShown = 32;
  const ByteView bytes(ASN1_STRING_get0_data(&serial), static_cast<size_t>(ASN1_STRING_length(&serial)));
  const std::string sign = ASN1_STRING_type(&serial) == V_ASN1_NEG_INTEGER ? "-" : "";
  return sign + to_hex(bytes.first(std::min(bytes.size(), kMaxShown)));
}

std::optional<std::string> x509_unusable(const X509& certificate) {
  init_openssl();
  X509* const x509 = mutable_x509(certificate);
  if (auto reason = key_unusable(certificate)) return reason;
  const uint32_t flags = X509_get_extension_flags(x509);  // also fills the cache that the next two read
  ERR_clear_error();
  if ((flags & EXFLAG_INVALID) != 0) return "malformed extensions";
  if ((flags & EXFLAG_CRITICAL) != 0) return "an unknown critical extension";
  // Both getters return UINT32_MAX, all bits set, if the extension is absent.
  if ((X509_get_key_usage(x509) & KU_DIGITAL_SIGNATURE) == 0) return "keyUsage without digitalSignature";
  if ((X509_get_extended_key_usage(x509) & (XKU_CODE_SIGN | XKU_ANYEKU)) == 0) {
    return "extendedKeyUsage without codeSigning";
  }
  return std::nullopt;
}

}  // namespace diglim
