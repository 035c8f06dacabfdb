// SPDX-License-Identifier: Apache-2.0
// Events as the kernel would write them: for predicting a PCR, and for tests.
#pragma once

#include <string>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"

namespace diglim {

struct NewImaEvent {
  uint32_t pcr = 10;
  std::string template_name = "ima-ng";  // or "ima-sig", "ima"
  HashAlgo algo = HashAlgo::kSha256;     // of `digest`; the template ima takes 20 bytes only
  Bytes digest;
  std::string path;
  Bytes signature;         // ima-sig: the content of security.ima, or nothing
  bool violation = false;  // digest is then ignored
};

// The entry of the binary log. kInvalid: a digest of another size than its algorithm's; kUnsupported: another
// template.
Result<Bytes> write_ima_event(const NewImaEvent& event);

}  // namespace diglim
