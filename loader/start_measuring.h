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

// With the programs attached, and before anything else runs: a policy that came first would have IMA measure
// what the kernel happens to start meanwhile.
Result<void> start_measuring(const std::string& policy, PolicyLabels labels, const WrittenManifest& manifest);

// Forks a process that does it when SELinux's policy is loaded, and ends then. Its manifest names the lists
// of that moment. Until then nobody else can load an IMA policy, and what is unknown is denied, also where
// files are only measured: nothing unknown has run when the log begins. If it is killed or SELinux's policy
// never comes, the register stays without a manifest, which every verifier sees. REQUIRES: called by the
// loader of the boot, whose `roles` were opened before the programs were attached.
Result<void> start_measuring_with_selinux(const Config& config, const TrustStore& trust, Programs& programs,
                                          const Fd& role);

// What is left where IMA cannot be steered. False: not even that, and the log says why.
bool measure_everything(int pcr);

}  // namespace diglim
