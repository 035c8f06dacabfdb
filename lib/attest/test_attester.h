// SPDX-License-Identifier: Apache-2.0
// For tests: a machine that booted with DIGLIM, and a TPM made of OpenSSL that signs what it is told.
#pragma once

#include "lib/attest/bundle.h"
#include "lib/attest/policy.h"
#include "lib/crypto/openssl.h"
#include "lib/tcg/ima_event.h"

namespace diglim {

class TestAttester {
 public:
  TestAttester();  // a new key

  // What the machine is and did. Change them, then call bundle().
  Manifest boot;
  std::vector<Manifest> updates;   // number and previous are filled in
  std::vector<NewImaEvent> files;  // measured after the manifests
  unsigned pcr = 10;
  std::vector<unsigned> quoted = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  HashAlgo bank = HashAlgo::kSha256;
  Bytes nonce = Bytes(20, 0x4e);
  uint32_t magic = 0xff544347;
  uint16_t type = 0x8018;            // TPM_ST_ATTEST_QUOTE
  uint32_t attributes = 0;           // of the key; set by the constructor
  uint16_t name_algorithm = 0x000b;  // of the key: TPM_ALG_SHA256

  // A good policy for the machine as constructed.
  VerifierPolicy policy() const;

  Bytes ak() const;  // TPM2B_PUBLIC
  // The measured events and manifests, signed. Aborts on an error: a test cannot go on.
  Bundle bundle() const;
  // A bundle whose log and register values a test changed, signed as if the TPM held them.
  void sign(Bundle& bundle) const;

 private:
  PkeyPtr key_;
};

// An event as it stands in the log.
Bytes test_event(unsigned pcr, const std::string& template_name, ByteView sha256, const std::string& path);
// Sets the value of each quoted register that the log extends.
void replay_into(Bundle& bundle);

}  // namespace diglim
