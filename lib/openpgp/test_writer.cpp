// SPDX-License-Identifier: Apache-2.0
#include "lib/openpgp/test_writer.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>

namespace diglim::openpgp::test {
namespace {

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "test_writer: %s failed\n", what);
  std::abort();
}

template <typename T>
T must(Result<T> result) {
  require(result.has_value(), "a step");
  return std::move(*result);
}

uint8_t openpgp_number(HashAlgo algo) {
  for (uint8_t number = 1; number < 16; ++number) {
    if (hash_from_openpgp(number) == algo) return number;
  }
  require(false, "the number of a hash");
  return 0;
}

Bytes number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* raw = nullptr;
  require(EVP_PKEY_get_bn_param(key, name, &raw) == 1, name);
  const BignumPtr number(raw);
  Bytes out(static_cast<size_t>(BN_num_bytes(raw)));
  BN_bn2bin(raw, out.data());
  return out;
}

Bytes raw_public(const EVP_PKEY* key) {
  Bytes raw(32);
  size_t size = raw.size();
  require(EVP_PKEY_get_raw_public_key(key, raw.data(), &size) == 1, "raw key");
  return raw;
}

Bytes ec_point(const EVP_PKEY* key) {
  Bytes point(200);
  size_t size = 0;
  require(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point.data(), point.size(),
                                          &size) == 1,
          "point");
  point.resize(size);
  return point;
}

EVP_PKEY* generate_pkey(Algo algo) {
  switch (algo) {
    case Algo::kRsa1024:
      return EVP_RSA_gen(1024);
    case Algo::kRsa2048:
      return EVP_RSA_gen(2048);
    case Algo::kRsa4096:
      return EVP_RSA_gen(4096);
    case Algo::kP256:
      return EVP_EC_gen("P-256");
    case Algo::kP384:
      return EVP_EC_gen("P-384");
    case Algo::kP521:
      return EVP_EC_gen("P-521");
    case Algo::kEd25519Legacy:
    case Algo::kEd25519:
      break;
  }
  return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
}

Bytes with_size(Bytes oid) {
  oid.insert(oid.begin(), static_cast<uint8_t>(oid.size()));
  return oid;
}

Bytes material(Algo algo, const EVP_PKEY* key) {
  switch (algo) {
    case Algo::kRsa1024:
    case Algo::kRsa2048:
    case Algo::kRsa4096:
      return join({mpi(number_of(key, OSSL_PKEY_PARAM_RSA_N)), mpi(number_of(key, OSSL_PKEY_PARAM_RSA_E))});
    case Algo::kP256:
      return join({with_size({0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}), mpi(ec_point(key))});
    case Algo::kP384:
      return join({with_size({0x2b, 0x81, 0x04, 0x00, 0x22}), mpi(ec_point(key))});
    case Algo::kP521:
      return join({with_size({0x2b, 0x81, 0x04, 0x00, 0x23}), mpi(ec_point(key))});
    case Algo::kEd25519Legacy:
      return join({with_size({0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01}),
                   mpi(join({Bytes{0x40}, raw_public(key)}))});
    case Algo::kEd25519:
      break;
  }
  return raw_public(key);
}

Bytes sized_area(ByteView area, int version) {
  Bytes out;
  if (version == 6) {
    put_u32_be(out, static_cast<uint32_t>(area.size()));
  } else {
    put_u16_be(out, static_cast<uint16_t>(area.size()));
  }
  append(out, area);
  return out;
}

Bytes issuer_subpacket(const TestKey& key) {
  return subpacket(33, join({Bytes{key.version()}, key.fingerprint()}));
}

}  // namespace

Bytes u32(uint32_t value) {
  Bytes out;
  put_u32_be(out, value);
  return out;
}

Bytes join(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) append(out, part);
  return out;
}

Bytes mpi(ByteView number) {
  while (!number.empty() && number[0] == 0) number = number.subspan(1);
  Bytes out;
  const size_t bits =
      number.empty() ? 0 : (number.size() - 1) * 8 + static_cast<size_t>(std::bit_width(number[0]));
  put_u16_be(out, static_cast<uint16_t>(bits));
  append(out, number);
  return out;
}

Bytes packet(uint8_t type, ByteView body) {
  Bytes out = {static_cast<uint8_t>(0xc0 | type)};
  if (body.size() < 192) {
    out.push_back(static_cast<uint8_t>(body.size()));
  } else if (body.size() < 8384) {
    out.push_back(static_cast<uint8_t>((body.size() - 192) / 256 + 192));
    out.push_back(static_cast<uint8_t>(body.size() - 192));
  } else {
    out.push_back(0xff);
    put_u32_be(out, static_cast<uint32_t>(body.size()));
  }
  append(out, body);
  return out;
}

Bytes old_packet(uint8_t type, ByteView body) {
  Bytes out;
  if (body.size() < 256) {
    out = {static_cast<uint8_t>(0x80 | type << 2), static_cast<uint8_t>(body.size())};
  } else {
    out.push_back(static_cast<uint8_t>(0x81 | type << 2));
    put_u16_be(out, static_cast<uint16_t>(body.size()));
  }
  append(out, body);
  return out;
}

Bytes subpacket(uint8_t type, ByteView body, bool critical) {
  Bytes out;
  const size_t size = body.size() + 1;
  if (size < 192) {
    out.push_back(static_cast<uint8_t>(size));
  } else {
    out.push_back(static_cast<uint8_t>((size - 192) / 256 + 192));
    out.push_back(static_cast<uint8_t>(size - 192));
  }
  out.push_back(static_cast<uint8_t>(type | (critical ? 0x80 : 0)));
  append(out, body);
  return out;
}

Bytes armor(ByteView binary) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto base64 = [](ByteView bytes) {
    std::string out;
    for (size_t i = 0; i < bytes.size(); i += 3) {
      const size_t count = std::min<size_t>(3, bytes.size() - i);
      uint32_t group = 0;
      for (size_t j = 0; j < 3; ++j) group = group << 8 | (j < count ? bytes[i + j] : 0u);
      for (size_t j = 0; j < 4; ++j) out += j <= count ? kDigits[group >> (18 - 6 * j) & 63] : '=';
      if (i % 48 == 45) out += '\n';
    }
    return out;
  };
  uint32_t crc = 0xb704ce;
  for (const uint8_t byte : binary) {
    crc ^= uint32_t{byte} << 16;
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ ((crc & 0x800000) != 0 ? 0x1864cfbu : 0u);
  }
  const Bytes sum = {static_cast<uint8_t>(crc >> 16), static_cast<uint8_t>(crc >> 8),
                     static_cast<uint8_t>(crc)};
  std::string body = base64(binary);
  if (body.empty() || body.back() != '\n') body += '\n';
  return to_bytes(as_bytes("-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: made by a test\n\n" + body + "=" +
                           base64(sum) + "\n-----END PGP PUBLIC KEY BLOCK-----\n"));
}

TestKey TestKey::generate(Algo algo, uint32_t created, std::string user_id, uint8_t version) {
  init_openssl();
  TestKey key;
  key.algo_ = algo;
  key.version_ = version;
  key.created_ = created;
  key.user_id_ = std::move(user_id);
  key.pkey_.reset(generate_pkey(algo));
  require(key.pkey_ != nullptr, "key generation");
  const Bytes numbers = material(algo, key.pkey_.get());
  key.body_ = join({Bytes{version}, u32(created), Bytes{key.algorithm()}});
  if (version == 6) put_u32_be(key.body_, static_cast<uint32_t>(numbers.size()));
  append(key.body_, numbers);
  key.fingerprint_ = must(hash(version == 6 ? HashAlgo::kSha256 : HashAlgo::kSha1, {key.hash_form()}));
  return key;
}

uint8_t TestKey::algorithm() const {
  switch (algo_) {
    case Algo::kRsa1024:
    case Algo::kRsa2048:
    case Algo::kRsa4096:
      return 1;
    case Algo::kP256:
    case Algo::kP384:
    case Algo::kP521:
      return 19;
    case Algo::kEd25519Legacy:
      return 22;
    case Algo::kEd25519:
      break;
  }
  return 27;
}

std::string TestKey::key_id() const {
  const ByteView fingerprint = fingerprint_;
  return to_hex(version_ == 6 ? fingerprint.first(8) : fingerprint.last(8));
}

Bytes TestKey::hash_form() const {
  Bytes out = {static_cast<uint8_t>(version_ == 6 ? 0x9b : 0x99)};
  if (version_ == 6) {
    put_u32_be(out, static_cast<uint32_t>(body_.size()));
  } else {
    put_u16_be(out, static_cast<uint16_t>(body_.size()));
  }
  append(out, body_);
  return out;
}

// The algorithm-specific end of a signature packet.
Bytes TestKey::numbers(HashAlgo algo, ByteView digest) const {
  const bool edwards = algo_ == Algo::kEd25519 || algo_ == Algo::kEd25519Legacy;
  Bytes raw(1024);
  size_t size = raw.size();
  if (edwards) {
    const MdContextPtr context(EVP_MD_CTX_new());
    require(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, pkey_.get()) == 1, "Ed25519");
    require(EVP_DigestSign(context.get(), raw.data(), &size, digest.data(), digest.size()) == 1, "Ed25519");
  } else {
    const PkeyContextPtr context(EVP_PKEY_CTX_new(pkey_.get(), nullptr));
    require(EVP_PKEY_sign_init(context.get()) == 1, "sign");
    if (algorithm() == 1) {
      require(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1, "padding");
      require(EVP_PKEY_CTX_set_signature_md(context.get(), hash_evp(algo)) == 1, "hash");
    }
    require(EVP_PKEY_sign(context.get(), raw.data(), &size, digest.data(), digest.size()) == 1, "sign");
  }
  raw.resize(size);
  if (algo_ == Algo::kEd25519) return raw;
  if (algo_ == Algo::kEd25519Legacy) {
    return join({mpi(ByteView(raw).first(32)), mpi(ByteView(raw).last(32))});
  }
  if (algorithm() == 1) return mpi(raw);
  const unsigned char* der = raw.data();
  const EcdsaSigPtr pair(d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(raw.size())));
  require(pair != nullptr, "ECDSA");
  Bytes out;
  for (const BIGNUM* number : {ECDSA_SIG_get0_r(pair.get()), ECDSA_SIG_get0_s(pair.get())}) {
    Bytes bytes(static_cast<size_t>(BN_num_bytes(number)));
    BN_bn2bin(number, bytes.data());
    append(out, mpi(bytes));
  }
  return out;
}

// Signed by this key, saying that `named` made it.
Bytes TestKey::signature(std::initializer_list<ByteView> parts, const SignOptions& options,
                         const TestKey& named) const {
  const uint32_t created = options.created != 0 ? options.created : created_;
  const Bytes algorithms = {options.algorithm.value_or(algorithm()),
                            options.hash_number.value_or(openpgp_number(options.hash))};
  Bytes head;     // of the packet, up to left16
  Bytes trailer;  // hashed last
  Bytes salt;
  if (options.version == 3) {
    trailer = join({Bytes{options.type}, u32(created)});
    head = join({Bytes{3, 5}, trailer, must(from_hex(named.key_id())), algorithms});
  } else {
    Bytes hashed;
    if (options.creation_time) append(hashed, subpacket(2, u32(created)));
    if (options.expires_after) append(hashed, subpacket(3, u32(*options.expires_after)));
    if (options.issuer_fingerprint) append(hashed, issuer_subpacket(named));
    append(hashed, options.hashed);
    Bytes unhashed;
    if (options.issuer_key_id) append(unhashed, subpacket(16, must(from_hex(named.key_id()))));
    append(unhashed, options.unhashed);
    const auto version = static_cast<uint8_t>(options.version);
    head = join({Bytes{version, options.type}, algorithms, sized_area(hashed, version)});
    trailer = join({head, Bytes{version, 0xff}, u32(static_cast<uint32_t>(head.size()))});
    append(head, sized_area(unhashed, version));
    if (version == 6) {
      salt.resize(options.salt_size.value_or(std::max<size_t>(16, hash_size(options.hash) / 2)));
      require(RAND_bytes(salt.data(), static_cast<int>(salt.size())) == 1, "salt");
    }
  }
  Hasher hasher = must(Hasher::create(options.hash));
  require(hasher.update(salt).has_value(), "hash");
  for (const ByteView part : parts) require(hasher.update(part).has_value(), "hash");
  require(hasher.update(trailer).has_value(), "hash");
  const Bytes digest = must(hasher.finish());
  Bytes body = join({head, Bytes{digest[0], digest[1]}});
  if (options.version == 6) append(body, join({Bytes{static_cast<uint8_t>(salt.size())}, salt}));
  append(body, numbers(options.hash, digest));
  return options.old_header ? old_packet(2, body) : packet(2, body);
}

Bytes TestKey::sign(ByteView message, const SignOptions& options) const {
  return signature({message}, options, *this);
}

Bytes TestKey::self_signature(const SelfSignature& self) const {
  SignOptions options = self.sign;
  options.type = self.type;
  options.created = self.created;
  if (version_ == 6) options.version = 6;
  if (self.key_flags) append(options.hashed, subpacket(27, Bytes{*self.key_flags}));
  if (self.key_expires_after) append(options.hashed, subpacket(9, u32(*self.key_expires_after)));
  if (self.type == 0x1f) return signature({hash_form()}, options, *this);
  Bytes prefix;
  if (options.version != 3) prefix = join({Bytes{0xb4}, u32(static_cast<uint32_t>(user_id_.size()))});
  return signature({hash_form(), prefix, as_bytes(user_id_)}, options, *this);
}

Bytes TestKey::revocation(const Revocation& revocation, uint8_t type, const TestKey* subkey) const {
  SignOptions options = revocation.sign;
  options.type = type;
  options.created = revocation.created;
  if (version_ == 6) options.version = 6;
  if (revocation.reason) append(options.hashed, subpacket(29, Bytes{*revocation.reason}));
  const TestKey& by = revocation.by != nullptr ? *revocation.by : *this;
  const TestKey& named = revocation.issuer != nullptr ? *revocation.issuer : *this;
  const Bytes subkey_form = subkey != nullptr ? subkey->hash_form() : Bytes{};
  return by.signature({hash_form(), subkey_form}, options, named);
}

Bytes TestKey::binding(const Subkey& subkey) const {
  const Bytes subkey_form = subkey.key->hash_form();
  SignOptions options;
  options.type = 0x18;
  options.version = version_;
  options.hash = subkey.hash;
  options.created = subkey.created != 0 ? subkey.created : subkey.key->created();
  if (subkey.key_flags) append(options.hashed, subpacket(27, Bytes{*subkey.key_flags}));
  if (subkey.key_expires_after) append(options.hashed, subpacket(9, u32(*subkey.key_expires_after)));
  if (subkey.back_signature) {
    SignOptions back;
    back.type = 0x19;
    back.version = version_;
    back.hash = subkey.back_hash;
    back.created = options.created;
    const TestKey& by = subkey.back_signed_by != nullptr ? *subkey.back_signed_by : *subkey.key;
    Bytes embedded = by.signature({hash_form(), subkey_form}, back, *subkey.key);
    // An embedded signature is the body alone.
    const size_t header = embedded[1] < 192 ? 2 : 3;
    append(options.hashed, subpacket(32, ByteView(embedded).subspan(header)));
  }
  const TestKey& by = subkey.bound_by != nullptr ? *subkey.bound_by : *this;
  return by.signature({hash_form(), subkey_form}, options, *this);
}

Bytes TestKey::certificate(const CertificateOptions& options) const {
  Bytes out = packet(6, body_);
  for (const Revocation& revoked : options.revocations) append(out, revocation(revoked, 0x20, nullptr));
  for (const SelfSignature& self : options.self_signatures) {
    if (self.type == 0x1f) append(out, self_signature(self));
  }
  append(out, packet(13, as_bytes(user_id_)));
  for (const SelfSignature& self : options.self_signatures) {
    if (self.type != 0x1f) append(out, self_signature(self));
  }
  for (const Subkey& subkey : options.subkeys) {
    append(out, packet(14, subkey.key->body()));
    append(out, binding(subkey));
    for (const Revocation& revoked : subkey.revocations) append(out, revocation(revoked, 0x28, subkey.key));
  }
  return options.armored ? armor(out) : out;
}

}  // namespace diglim::openpgp::test
