// SPDX-License-Identifier: Apache-2.0
// `diglim attest verify --batch`: a stream of bundles.
#pragma once

#include "lib/attest/used_nonces.h"
#include "lib/attest/verify.h"
#include "tools/tool.h"

namespace diglim {

struct BatchOptions {
  std::string stream;  // a file; "-": stdin
  bool json = false;
  unsigned threads = 0;          // 0: as many as there are processors
  UsedNonces* nonces = nullptr;  // may be null
  bool by_machine = false;       // a line without an id could be any machine's
};

// Prints a line for each of the stream, in its order, as soon as it is judged; the exit status.
int run_batch(const OptionParser& app, const BatchOptions& options, Verifier& verifier);

}  // namespace diglim
