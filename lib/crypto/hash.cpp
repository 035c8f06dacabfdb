// SPDX-License-Identifier: Apache-2.0
#include "lib/crypto/hash.h"

#include <array>

#include "lib/crypto/openssl.h"

namespace diglim {
namespace {

struct HashInfo {
  HashAlgo algo;
  std::string_view name;
  size_t size;
  uint32_t openpgp;
  const EVP_MD* (*evp)();
};

constexpr std::array<HashInfo, 7> kHashes = {{
    {HashAlgo::kMd5, "md5", 16, 1, EVP_md5},
    {HashAlgo::kSha1, "sha1", 20, 2, EVP_sha1},
    {HashAlgo::kRipemd160, "rmd160", 20, 3, EVP_ripemd160},
    {HashAlgo::kSha256, "sha256", 32, 8, EVP_sha256},
    {HashAlgo::kSha384, "sha384", 48, 9, EVP_sha384},
    {HashAlgo::kSha512, "sha512", 64, 10, EVP_sha512},
    {HashAlgo::kSha224, "sha224", 28, 11, EVP_sha224},
}};

template <typename Match>
std::optional<HashAlgo> find(Match match) {
  for (const HashInfo& info : kHashes) {
    if (match(info)) return info.algo;
  }
  return std::nullopt;
}

// The enum is dense and kHashes is in its order.
const HashInfo& info_of(HashAlgo algo) {
  return kHashes[static_cast<size_t>(algo) - 1];
}

}  // namespace

std::string_view hash_name(HashAlgo algo) {
  return info_of(algo).name;
}
size_t hash_size(HashAlgo algo) {
  return info_of(algo).size;
}
const EVP_MD* hash_evp(HashAlgo algo) {
  return info_of(algo).evp();
}

std::optional<HashAlgo> hash_from_kernel(uint16_t number) {
  return find([=](const HashInfo& info) { return static_cast<uint16_t>(info.algo) == number; });
}

std::optional<HashAlgo> hash_from_openpgp(uint32_t number) {
  return find([=](const HashInfo& info) { return info.openpgp == number; });
}

std::optional<HashAlgo> hash_from_name(std::string_view name) {
  return find([=](const HashInfo& info) { return info.name == name; });
}

Result<Hasher> Hasher::create(HashAlgo algo) {
  init_openssl();
  Hasher hasher(EVP_MD_CTX_new());
  if (!hasher.context_ || EVP_DigestInit_ex(hasher.context_.get(), hash_evp(algo), nullptr) != 1) {
    return openssl_error("start " + std::string(hash_name(algo)));
  }
  return hasher;
}

Result<void> Hasher::update(ByteView bytes) {
  if (EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1) {
    return openssl_error("hash");
  }
  return {};
}

Result<Bytes> Hasher::finish() {
  Bytes digest(kMaxDigestSize);
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(context_.get(), digest.data(), &size) != 1) return openssl_error("hash");
  digest.resize(size);
  return digest;
}

Result<Hasher> Hasher::copy() const {
  Hasher other(EVP_MD_CTX_new());
  if (!other.context_ || EVP_MD_CTX_copy_ex(other.context_.get(), context_.get()) != 1)
    return openssl_error("copy the state of a hash");
  return other;
}

Result<Bytes> MessageHash::hash(HashAlgo algo, ByteView tail) {
  auto state = after_message_.find(algo);
  if (state == after_message_.end()) {
    TRY_ASSIGN(Hasher hasher, Hasher::create(algo));
    TRY(hasher.update(message_));
    state = after_message_.emplace(algo, std::move(hasher)).first;
  }
  TRY_ASSIGN(Hasher hasher, state->second.copy());
  TRY(hasher.update(tail));
  return hasher.finish();
}

Result<Bytes> hash(HashAlgo algo, std::initializer_list<ByteView> parts) {
  TRY_ASSIGN(Hasher hasher, Hasher::create(algo));
  for (ByteView part : parts) TRY(hasher.update(part));
  return hasher.finish();
}

}  // namespace diglim
