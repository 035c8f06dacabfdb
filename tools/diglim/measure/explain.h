// SPDX-License-Identifier: Apache-2.0
// `diglim pcr explain`: why the register is not the predicted one.
#pragma once

#include "tools/diglim/measure/options.h"

namespace diglim {

struct ExplainOptions {
  PredictOptions predict;
  std::vector<std::string> log;  // IMA's, in pieces; none: that of this boot, beside the TPM
  std::string manifests;
  std::string event_log;  // of the boot that is explained; empty: this machine's, or predict.event_log
  std::string value;      // of the register, in hexadecimal; empty: ask the TPM, or only the log
  bool json = false;
};

// manifest.N in the directory; none if there is no such directory. Of one that cannot be read, stderr says
// so.
Result<std::vector<Bytes>> read_manifests(const OptionParser& app, const std::string& folder);

void add_explain_options(OptionParser& app, ExplainOptions& options);
// Prints, and gives the exit status: 0 equal, 1 differs.
int explain_pcr(const OptionParser& app, ExplainOptions& options);

}  // namespace diglim
