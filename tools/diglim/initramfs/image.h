// SPDX-License-Identifier: Apache-2.0
// Which file a kernel boots its initramfs from. Boot loaders and kernel-install put it in different places.
#pragma once

#include <optional>
#include <string>

#include "lib/base/result.h"

namespace diglim::initramfs {

// Of the kernel `release` (uname -r) on the system in `root`, without a slash at its end; "" is the running
// one. In this order: the unified kernel image that systemd-stub says this boot came from; the initrd of the
// boot loader's entries for that kernel; the places where distributions put it. The path begins with `root`.
// Nothing: there is none. kIo: it is not where it should be, or there are several, so that nobody knows which
// one is booted.
Result<std::optional<std::string>> find_image(const std::string& root, const std::string& release);

}  // namespace diglim::initramfs
