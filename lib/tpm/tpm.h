// SPDX-License-Identifier: Apache-2.0
// A TPM 2.0 through tpm2-tss (ESYS). Every command that carries a secret, and every quote, runs in a session
// that is salted with the endorsement key and encrypts its first parameter both ways, so that nobody on the
// bus reads or changes it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "lib/tcg/quote.h"
#include "lib/tpm/key_file.h"
#include "lib/tpm/sealed.h"

namespace diglim {

struct TpmConnection;  // esys.h

constexpr const char* kDefaultTcti = "device:/dev/tpmrm0";

// Is a resource manager behind it, so that a connection that is kept keeps nobody out?
bool has_resource_manager(const std::string& tcti);

enum class SigningKeyKind { kEcP256, kEcP384, kRsa2048, kRsa3072 };

struct EndorsementKey {
  Bytes public_area;  // TPM2B_PUBLIC
  Bytes certificate;  // DER, from the TPM's NV memory; empty if there is none
};

// Not thread-safe. Errors of every call: kIo with the TPM's own words ("TPM: quote: ..."). kNotFound: no TPM
// there.
class Tpm {
 public:
  // `tcti` as tpm2-tss takes it: "device:/dev/tpmrm0", "swtpm:host=127.0.0.1,port=2321".
  static Result<Tpm> open(const std::string& tcti);
  Tpm(Tpm&&) noexcept;
  Tpm& operator=(Tpm&&) noexcept;
  ~Tpm();

  // `expected`: an endorsement key that is known from before; another one is refused (kUntrusted), since
  // somebody on the bus could else give his own and read the salt. Call it before any other.
  Result<void> expect_endorsement_key(ByteView expected);

  // The registers, in the order of their numbers.
  Result<std::map<unsigned, Bytes>> read_pcrs(const PcrSelection& selection);

  Result<EndorsementKey> endorsement_key();

  // The attestation key: ECDSA P-256, restricted, made from the endorsement seed, so it is the same one until
  // the TPM is cleared by its manufacturer's means. TPM2B_PUBLIC.
  Result<Bytes> attestation_key();
  // `nonce`: at most 64 bytes.
  Result<SignedQuote> quote(ByteView nonce, const PcrSelection& selection);
  // Opens a credential that was made for this TPM and this attestation key. kUntrusted if it was not.
  Result<Bytes> activate_credential(ByteView credential);

  // `secret`: 1 to 128 bytes. The object can be opened on this TPM only, under sealed.policy.
  Result<SealedObject> seal(ByteView secret, const SealPolicy& policy);
  // kUntrusted: the registers hold neither what was sealed to nor what an authorization names, the counter
  // has passed its limit, or another TPM sealed it.
  Result<Bytes> unseal(const SealedObject& object, const std::vector<Authorization>& authorizations);

  // Counters (counter.h); each returns the value. kUntrusted: what is at that index is no such counter.
  // kNotFound: nothing is there.
  Result<uint64_t> make_counter(uint32_t index);  // unless it is there; the owner has no password
  Result<uint64_t> read_counter(uint32_t index);
  // Up to `value`; it stays where it is if it is there, or above, already. kInvalid: that is far away.
  Result<uint64_t> advance_counter(uint32_t index, uint64_t value);

  // A key below the owner's storage key that never leaves this TPM and signs whatever it is given. `policy`:
  // the digest that its use has to satisfy; empty: whoever reaches the TPM can use it.
  Result<KeyFile> make_signing_key(SigningKeyKind kind, ByteView policy);

 private:
  explicit Tpm(std::unique_ptr<TpmConnection> connection);
  std::unique_ptr<TpmConnection> connection_;
};

}  // namespace diglim
