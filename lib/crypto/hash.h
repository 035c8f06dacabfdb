// SPDX-License-Identifier: Apache-2.0
// Hash algorithms by the field's several numberings, and hashing. OpenSSL does the work.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string_view>

#include "lib/base/bytes.h"
#include "lib/crypto/openssl.h"

namespace diglim {

// Values are those of the kernel's enum hash_algo (include/uapi/linux/hash_info.h); bpf_ima_file_hash()
// returns them and the compact list stores them.
enum class HashAlgo : uint16_t {
  kMd5 = 1,
  kSha1 = 2,
  kRipemd160 = 3,
  kSha256 = 4,
  kSha384 = 5,
  kSha512 = 6,
  kSha224 = 7,
};

constexpr size_t kMaxDigestSize = 64;

std::string_view hash_name(HashAlgo algo);  // "sha256", as IMA writes it
size_t hash_size(HashAlgo algo);            // bytes

std::optional<HashAlgo> hash_from_kernel(uint16_t number);
std::optional<HashAlgo> hash_from_openpgp(
    uint32_t number);  // RFC 9580 section 9.5; also RPM's FILEDIGESTALGO
std::optional<HashAlgo> hash_from_name(std::string_view name);

const EVP_MD* hash_evp(HashAlgo algo);  // never null, owned by OpenSSL

// Incremental. Not thread-safe; movable.
class Hasher {
 public:
  static Result<Hasher> create(HashAlgo algo);
  Result<void> update(ByteView bytes);
  Result<Bytes> finish();       // REQUIRES: not finished before
  Result<Hasher> copy() const;  // goes on from the same state. REQUIRES: not finished

 private:
  explicit Hasher(EVP_MD_CTX* context) : context_(context) {}
  MdContextPtr context_;
};

// The hashes of one message, whatever follows it: each algorithm goes over the message once, however many
// signatures ask. A view; the bytes must outlive it and not change. Not thread-safe; movable.
class MessageHash {
 public:
  explicit MessageHash(ByteView message) : message_(message) {}
  ByteView message() const { return message_; }
  // The hash of message || tail. kInvalid if OpenSSL fails.
  Result<Bytes> hash(HashAlgo algo, ByteView tail = {});

 private:
  ByteView message_;
  std::map<HashAlgo, Hasher> after_message_;
};

// The hash of the concatenation of `parts`.
Result<Bytes> hash(HashAlgo algo, std::initializer_list<ByteView> parts);

}  // namespace diglim
