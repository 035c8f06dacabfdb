// SPDX-License-Identifier: Apache-2.0
// For tests: a machine that booted with DIGLIM.
#pragma once

#include "lib/attest/bundle.h"
#include "lib/attest/policy.h"
#include "lib/tcg/ima_event.h"
#include "lib/tcg/test_tpm.h"

namespace diglim {

class TestAttester : public TestTpm {
 public:
  TestAttester();

  // What the machine is and did. Change them, then call bundle().
  Manifest boot;
  std::vector<Manifest> updates;   // number and previous are filled in
  std::vector<NewImaEvent> files;  // measured after the manifests
  unsigned pcr = 10;

  // A good policy for the machine as constructed.
  VerifierPolicy policy() const;

  // The measured events and manifests, signed. Aborts on an error: a test cannot go on.
  Bundle bundle() const;
  // A bundle whose log and register values a test changed, signed as if the TPM held them.
  void sign(Bundle& bundle) const;
};

// An event as it stands in the log.
Bytes test_event(unsigned pcr, const std::string& template_name, ByteView sha256, const std::string& path);
// Sets the value of each quoted register that the log extends.
void replay_into(Bundle& bundle);

}  // namespace diglim
