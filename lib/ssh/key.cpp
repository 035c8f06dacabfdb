// SPDX-License-Identifier: Apache-2.0
#include "lib/ssh/key.h"

#include <openssl/core_names.h>

#include "lib/base/base64.h"
#include "lib/ssh/wire.h"

namespace diglim {
namespace {

constexpr std::string_view kRsaType = "ssh-rsa";
constexpr std::string_view kEcdsa = "ecdsa-sha2-";

Result<Bytes> number(const BIGNUM* value, size_t bytes) {
  Bytes out(bytes);
  if (BN_bn2binpad(value, out.data(), static_cast<int>(bytes)) < 0) return openssl_error("read a number");
  return out;
}

// `bytes`: 0 for as many as it has.
Result<Bytes> number_of(const EVP_PKEY* key, const char* name, size_t bytes) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) return openssl_error("read a key");
  const BignumPtr value(raw);
  return number(raw, bytes != 0 ? bytes : static_cast<size_t>(BN_num_bytes(raw)));
}

Result<SshKey> rsa(const EVP_PKEY* key) {
  SshKey out{std::string(kRsaType), {}};
  put_ssh_string(out.blob, as_bytes(out.type));
  for (const char* name : {OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_N}) {
    TRY_ASSIGN(const Bytes value, number_of(key, name, 0));
    put_ssh_mpint(out.blob, value);
  }
  return out;
}

Result<SshKey> ecdsa(const EVP_PKEY* key, std::string_view curve, size_t field) {
  SshKey out{std::string(kEcdsa) + std::string(curve), {}};
  Bytes point = {0x04};  // uncompressed: SEC 1, section 2.3.3
  for (const char* name : {OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y}) {
    TRY_ASSIGN(const Bytes value, number_of(key, name, field));
    append(point, value);
  }
  put_ssh_string(out.blob, as_bytes(out.type));
  put_ssh_string(out.blob, as_bytes(curve));
  put_ssh_string(out.blob, point);
  return out;
}

// As an ECDSA signature's blob: two numbers.
Result<Bytes> two_numbers(ByteView der) {
  const unsigned char* at = der.data();
  const EcdsaSigPtr parsed(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!parsed || at != der.data() + der.size()) {
    (void)openssl_error("");  // clears the queue
    return corrupt(0, "not an ECDSA signature");
  }
  Bytes out;
  for (const BIGNUM* value : {ECDSA_SIG_get0_r(parsed.get()), ECDSA_SIG_get0_s(parsed.get())}) {
    if (BN_is_negative(value) != 0 || BN_is_zero(value) != 0) return corrupt(0, "not an ECDSA signature");
    TRY_ASSIGN(const Bytes bytes, number(value, static_cast<size_t>(BN_num_bytes(value))));
    put_ssh_mpint(out, bytes);
  }
  return out;
}

}  // namespace

Result<SshKey> ssh_key(EVP_PKEY* key) {
  const int type = EVP_PKEY_get_base_id(key);
  if (type == EVP_PKEY_RSA) return rsa(key);
  char group[32] = {};
  size_t size = 0;
  if (type == EVP_PKEY_EC && EVP_PKEY_get_group_name(key, group, sizeof(group), &size) == 1) {
    const std::string_view name(group, size);
    if (name == "prime256v1" || name == "P-256") return ecdsa(key, "nistp256", 32);
    if (name == "secp384r1" || name == "P-384") return ecdsa(key, "nistp384", 48);
  }
  return unsupported("a key that is neither RSA nor ECDSA P-256 or P-384");
}

std::string ssh_key_line(const SshKey& key, std::string_view comment) {
  std::string line = key.type + " " + to_base64(key.blob);
  if (!comment.empty()) line.append(" ").append(comment);
  return line;
}

Result<std::string> ssh_fingerprint(const SshKey& key) {
  TRY_ASSIGN(const Bytes digest, hash(HashAlgo::kSha256, {key.blob}));
  std::string text = to_base64(digest);
  while (text.ends_with('=')) text.pop_back();
  return "SHA256:" + text;
}

Result<SshScheme> ssh_scheme(std::string_view type, uint32_t flags) {
  if (type == kRsaType) {
    if (flags == kSshRsaSha256) return SshScheme{"rsa-sha2-256", HashAlgo::kSha256};
    if (flags == kSshRsaSha512) return SshScheme{"rsa-sha2-512", HashAlgo::kSha512};
    if (flags == 0) return unsupported("an RSA signature with SHA-1, which nobody makes here");
  } else if (flags == 0) {
    return SshScheme{std::string(type), type.ends_with("384") ? HashAlgo::kSha384 : HashAlgo::kSha256};
  }
  return unsupported("flags " + std::to_string(flags) + " for a key of type " + std::string(type));
}

Result<Bytes> ssh_signature(const SshScheme& scheme, ByteView openssl_signature) {
  Bytes out;
  put_ssh_string(out, as_bytes(scheme.name));
  if (scheme.name.starts_with(kEcdsa)) {
    TRY_ASSIGN(const Bytes pair, two_numbers(openssl_signature));
    put_ssh_string(out, pair);
  } else {
    put_ssh_string(out, openssl_signature);
  }
  return out;
}

}  // namespace diglim
