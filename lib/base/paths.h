// SPDX-License-Identifier: Apache-2.0
// Where DIGLIM's own files are, for programs that look for each other. What is configured is in
// policy/config.h.
#pragma once

namespace diglim {

constexpr char kRunFolder[] = "/run/diglim";          // of this boot: a tmpfs
constexpr char kBootLoader[] = "/run/diglim/loader";  // the one that booted, which every other one executes
constexpr char kInstalledLoader[] = "/usr/sbin/diglim-loader";               // of the package
constexpr char kRemakeInitramfs[] = "/usr/libexec/diglim/remake-initramfs";  // the same
constexpr char kMakeUki[] = "/usr/libexec/diglim/make-uki";                  // the same
constexpr char kDracutConfig[] = "/etc/dracut.conf.d/90-diglim.conf";        // made by `diglim setup`

// How the names of the lists begin that `diglim allow` makes in /etc/digest_lists.
constexpr char kExceptionPrefix[] = "0-file_list-compact-allow-";

}  // namespace diglim
