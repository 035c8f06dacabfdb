// SPDX-License-Identifier: Apache-2.0
#include "policy/ima_policy.h"

#include <gtest/gtest.h>

namespace diglim {
namespace {

TEST(ImaPolicy, LeavesOutWhatTheProgramsVouchFor) {
  EXPECT_EQ(ima_policy(PolicyLabels::kAppArmor, 12),
            "dont_measure func=BPRM_CHECK mask=MAY_EXEC subj_role=diglim_never\n"
            "dont_measure func=MMAP_CHECK mask=MAY_EXEC subj_role=diglim_never\n"
            "dont_measure func=MODULE_CHECK subj_role=diglim_never\n"
            "dont_measure func=FIRMWARE_CHECK subj_role=diglim_never\n"
            "measure func=MMAP_CHECK mask=MAY_EXEC fsmagic=0x01021994 subj_role=diglim_never template=ima-ng "
            "pcr=12\n" +
                ima_policy(PolicyLabels::kNone, 12));
}

TEST(ImaPolicy, UnderSelinuxOnlyTheLabelDiffers) {
  std::string expected = ima_policy(PolicyLabels::kAppArmor, 10);
  constexpr std::string_view kProfile = "diglim_never";
  for (size_t at = 0; (at = expected.find(kProfile, at)) != std::string::npos;)
    expected.replace(at, kProfile.size(), "object_r");
  EXPECT_EQ(ima_policy(PolicyLabels::kSelinux, 10), expected);
}

TEST(ImaPolicy, WithoutLabelsEverythingIsMeasured) {
  EXPECT_EQ(ima_policy(PolicyLabels::kNone, 10),
            "measure func=BPRM_CHECK mask=MAY_EXEC template=ima-sig pcr=10\n"
            "measure func=MMAP_CHECK mask=MAY_EXEC template=ima-sig pcr=10\n"
            "measure func=MODULE_CHECK template=ima-sig pcr=10\n"
            "measure func=FIRMWARE_CHECK template=ima-sig pcr=10\n"
            "measure func=KEXEC_KERNEL_CHECK template=ima-sig pcr=10\n"
            "measure func=KEXEC_INITRAMFS_CHECK template=ima-sig pcr=10\n");
}

TEST(ImaPolicy, FitsIntoOneWriteOfThePolicyFile) {
  EXPECT_LT(ima_policy(PolicyLabels::kAppArmor, 15).size(), 4096u);
}

}  // namespace
}  // namespace diglim
