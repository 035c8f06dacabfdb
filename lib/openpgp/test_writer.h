// SPDX-License-Identifier: Apache-2.0
// For tests and fuzzing seeds only: makes OpenPGP keys, certificates and signatures, good ones and, where
// asked, ones that a careful reader must not believe. Randomness is OpenSSL's; times are the caller's. Misuse
// ends the program.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/openssl.h"

namespace diglim::openpgp::test {

enum class Algo { kRsa1024, kRsa2048, kRsa4096, kP256, kP384, kP521, kEd25519Legacy, kEd25519 };

class TestKey;

struct SignOptions {
  int version = 4;  // 3, 4 or 6
  HashAlgo hash = HashAlgo::kSha256;
  uint32_t created = 0;                        // 0: the creation time of the key
  uint8_t type = 0x00;                         // 0x01: over text, ...
  std::optional<uint32_t> expires_after = {};  // signature expiration, in seconds
  bool issuer_fingerprint = true;              // hashed; v4 and v6
  bool issuer_key_id = false;                  // unhashed; v4 (v3 always has it)
  bool creation_time = true;
  Bytes hashed = {};  // more subpackets, see subpacket()
  Bytes unhashed = {};
  bool old_header = false;                  // 0x88..0x8a instead of 0xc2
  std::optional<uint8_t> algorithm = {};    // lie about the algorithm
  std::optional<uint8_t> hash_number = {};  // or the hash
  std::optional<size_t> salt_size = {};     // v6: not what the hash asks for
};

// A self-signature of the primary key: over its user ID (0x10 to 0x13) or itself (0x1f).
struct SelfSignature {
  uint32_t created = 0;  // 0: the creation time of the key
  std::optional<uint8_t> key_flags = 0x03;
  std::optional<uint32_t> key_expires_after = {};
  uint8_t type = 0x13;
  SignOptions sign = {};  // hash, hashed, expires_after, version 3, ...
};

struct Revocation {
  uint32_t created = 0;
  std::optional<uint8_t> reason =
      {};                           // 0 none, 1 superseded, 2 compromised, 3 retired; not set: no subpacket
  const TestKey* by = nullptr;      // who signs it really; it always names the primary key
  const TestKey* issuer = nullptr;  // whom it names instead
  SignOptions sign = {};
};

struct Subkey {
  const TestKey* key = nullptr;
  uint32_t created = 0;  // of the binding; 0: the creation time of the subkey
  std::optional<uint8_t> key_flags = 0x02;
  std::optional<uint32_t> key_expires_after = {};
  const TestKey* bound_by = nullptr;  // who signs the binding really; not set: the primary
  bool back_signature = true;
  const TestKey* back_signed_by = nullptr;
  HashAlgo hash = HashAlgo::kSha256;
  HashAlgo back_hash = HashAlgo::kSha256;
  std::vector<Revocation> revocations = {};
};

struct CertificateOptions {
  std::vector<SelfSignature> self_signatures = {SelfSignature{}};
  std::vector<Revocation> revocations = {};
  std::vector<Subkey> subkeys = {};
  bool armored = false;
};

class TestKey {
 public:
  // `version` 4 or 6. An Algo takes anything from no time to some hundred milliseconds (RSA).
  static TestKey generate(Algo algo, uint32_t created, std::string user_id = "Test <test@example.org>",
                          uint8_t version = 4);

  Bytes certificate(const CertificateOptions& options = {}) const;
  // A detached signature packet.
  Bytes sign(ByteView message, const SignOptions& options = {}) const;

  uint8_t version() const { return version_; }
  uint8_t algorithm() const;  // RFC 9580 section 9.1
  uint32_t created() const { return created_; }
  const std::string& user_id() const { return user_id_; }
  const Bytes& fingerprint() const { return fingerprint_; }
  std::string key_id() const;                  // 16 hexadecimal digits
  const Bytes& body() const { return body_; }  // of the key packet

 private:
  TestKey() = default;
  Bytes hash_form() const;
  Bytes signature(std::initializer_list<ByteView> parts, const SignOptions& options,
                  const TestKey& named) const;
  Bytes numbers(HashAlgo algo, ByteView digest) const;
  Bytes self_signature(const SelfSignature& self) const;
  Bytes revocation(const Revocation& revocation, uint8_t type, const TestKey* subkey) const;
  Bytes binding(const Subkey& subkey) const;

  Algo algo_ = Algo::kRsa2048;
  uint8_t version_ = 4;
  uint32_t created_ = 0;
  std::string user_id_;
  PkeyPtr pkey_;
  Bytes body_;
  Bytes fingerprint_;
};

// Building blocks.
Bytes packet(uint8_t type, ByteView body);      // new header, shortest length
Bytes old_packet(uint8_t type, ByteView body);  // old header, one or two length bytes
Bytes subpacket(uint8_t type, ByteView body, bool critical = false);
Bytes u32(uint32_t value);
Bytes mpi(ByteView number);
Bytes armor(ByteView binary);  // with a header line and the checksum
Bytes join(std::initializer_list<Bytes> parts);

}  // namespace diglim::openpgp::test
