// SPDX-License-Identifier: Apache-2.0
// When measuring begins (decision D9): at boot with AppArmor's labels; with SELinux's as soon as the host has
// loaded the policy that defines them, since IMA takes no rule with a label that does not exist
// (security/integrity/ima/ima_policy.c, ima_lsm_rule_init).
#pragma once

#include <string>

#include "lib/trust/trust_store.h"
#include "loader/kernel/programs.h"
#include "loader/measure.h"
#include "policy/config.h"

namespace diglim {

// Whose labels steer IMA. kNone, and the log says why: everything is measured.
PolicyLabels prepare_labels(const Config& config);

// REQUIRES: the programs are attached, and nothing else runs yet. If the policy came first, IMA would measure
// programs that the kernel happens to start meanwhile.
Result<void> start_measuring(const std::string& policy, PolicyLabels labels, const WrittenManifest& manifest);

// Forks a process that waits for SELinux's policy, starts measuring, and ends. Its manifest names the lists
// of that moment. Until then nobody else can load an IMA policy, and unknown files are denied, also in
// measure mode: no unknown file has run when the log begins. If the process is killed or SELinux's policy
// never comes, the register stays without a manifest, and every verifier sees that. REQUIRES: called by the
// loader of the boot; `role`, Programs::role_fd(), was taken before the programs were attached.
Result<void> start_measuring_with_selinux(const Config& config, const TrustStore& trust, Programs& programs,
                                          const Fd& role);

// If IMA cannot be steered: has it measure everything. False: that failed, too, and the log says why.
bool measure_everything(int pcr);

}  // namespace diglim
