// SPDX-License-Identifier: Apache-2.0
#include "policy/ima_policy.h"

namespace diglim {
namespace {

// What a file is used for (Documentation/ABI/testing/ima_policy).
constexpr std::string_view kUses[] = {"BPRM_CHECK mask=MAY_EXEC", "MMAP_CHECK mask=MAY_EXEC", "MODULE_CHECK",
                                      "FIRMWARE_CHECK"};
// Measured also when it is known: it is another system. Each rule costs every open of a file, since the
// kernel asks there, too, and looks at all of them.
constexpr std::string_view kOtherSystems[] = {"KEXEC_KERNEL_CHECK", "KEXEC_INITRAMFS_CHECK"};

// The loader maps its manifests executable, and nobody else can map what is unknown. They lie in /run, a
// tmpfs. A rule about opening files would have IMA look at each open of everybody.
constexpr std::string_view kManifests = "MMAP_CHECK mask=MAY_EXEC fsmagic=0x01021994";

}  // namespace

std::string ima_policy(PolicyLabels labels, int pcr) {
  const std::string label =
      labels == PolicyLabels::kSelinux ? " subj_role=" DIGLIM_NEVER_ROLE : " subj_role=" DIGLIM_NEVER;
  const std::string end = " pcr=" + std::to_string(pcr) + "\n";
  std::string text;
  if (labels != PolicyLabels::kNone) {
    for (const std::string_view use : kUses) text.append("dont_measure func=").append(use) += label + "\n";
    text.append("measure func=").append(kManifests) += label + " template=ima-ng" + end;
  }
  for (const std::string_view use : kUses)
    text.append("measure func=").append(use) += " template=ima-sig" + end;
  for (const std::string_view use : kOtherSystems)
    text.append("measure func=").append(use) += " template=ima-sig" + end;
  return text;
}

}  // namespace diglim
