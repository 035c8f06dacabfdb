// SPDX-License-Identifier: Apache-2.0
// The IMA policies that the loader writes at boot (decision D9). Loader and predictor share them: the
// manifest has the hash of the text.
#pragma once

#include <string>
#include <string_view>

#include "bpf/abi.h"

namespace diglim {

// Measures nothing. It replaces a policy from the kernel command line. Such a policy may collect digests of
// known files, and the kernel would answer with them after the files changed (decision D17).
constexpr std::string_view kQuietPolicy = "dont_measure func=BPRM_CHECK\n";

// Whose labels the rules can use, so that the BPF programs can answer for them (bpf/measure.bpf.h).
enum class PolicyLabels {
  kNone = DIGLIM_LABELS_NONE,  // every program, library, module, firmware and kexec image is measured, known
                               // or not; manifests are not
  kAppArmor = DIGLIM_LABELS_APPARMOR,  // only what the programs do not vouch for, and the loader's manifests
  kSelinux = DIGLIM_LABELS_SELINUX,    // the same; the kernel takes these rules only once a policy of SELinux
                                       // is loaded
};

// Measures into register `pcr`. The rule for manifests alone has the template ima-ng
// (lib/manifest/FORMAT.md).
std::string ima_policy(PolicyLabels labels, int pcr);

}  // namespace diglim
