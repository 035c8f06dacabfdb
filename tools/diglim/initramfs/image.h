// SPDX-License-Identifier: Apache-2.0
// Which files a kernel boots its initramfs from. Boot loaders and kernel-install put them in different
// places.
#pragma once

#include <string>
#include <vector>

#include "lib/base/result.h"

namespace diglim::initramfs {

// Of the kernel `release` (uname -r) on the system in `root`, without a slash at its end; "" is the running
// one. In this order: the unified kernel image that systemd-stub says this boot came from; what the boot
// loader's entries for that kernel name as initrd, all of it, in that order; the places where distributions
// put it. The paths begin with `root`. Empty: there is none. kIo: one is not where it should be, or entries
// or places do not agree, so that nobody knows what is booted.
Result<std::vector<std::string>> find_images(const std::string& root, const std::string& release);

// What systemd's stub adds to the unified kernel image at `image`, besides what is no program: the addons for
// it, and those for each image on its partition.
std::vector<std::string> addons_of(const std::string& image);

}  // namespace diglim::initramfs
