// SPDX-License-Identifier: Apache-2.0
// The loader's side of IMA (decision D9): the policy that it writes, the manifests that it has measured.
#pragma once

#include <sys/types.h>

#include <string_view>

#include "lib/base/file.h"
#include "lib/manifest/update.h"
#include "policy/boot_trust.h"

namespace diglim {

// May an IMA policy have been in force before this process began, so that IMA collected digests of files?
// True when in doubt. REQUIRES: /proc and securityfs mounted.
bool ima_was_active();

// The file that takes an IMA policy. As long as it is open, nobody else can load one. kNotFound: the kernel
// takes no other.
Result<Fd> open_ima_policy();

// Makes `text` the IMA policy. If the kernel takes only one (Debian's does), nobody can load another until
// the next boot. It replaces the policy that ima_policy= on the kernel command line chose; rules that the
// kernel was built with stay. kIo: refused, and nothing has changed. REQUIRES: less than a page of text.
Result<void> write_ima_policy(std::string_view text);
Result<void> write_ima_policy(Fd policy, std::string_view text);

// The manifest of what was decided at boot and cannot change until the next, by this very loader. `policy`:
// the text that IMA is given.
Result<WrittenManifest> measured_manifest(const Config& config, std::string_view policy,
                                          const TrustStore& trust, const Generation& generation);

// Which file a manifest was written to. The inode number alone proves little: root can make file systems that
// begin with the same numbers.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;  // 0: any file
};

// Writes it to its path in /run/diglim, where nobody changes it from then on. kIo (EPERM): somebody had it
// open before that.
Result<FileId> write_manifest_file(const WrittenManifest& manifest);

// Has IMA measure it. If it was measured before, nothing changes. kNotFound: somebody removed the file.
// kInvalid: somebody replaced it by another manifest (it is not `file`). kIo (EPERM): somebody replaced it by
// a file that is no manifest, or the programs have no room to have it measured.
Result<void> measure_manifest(uint64_t number, const FileId& file);

// Writes the manifest of the boot and has IMA measure it, which its log must show.
Result<void> measure_boot_manifest(const WrittenManifest& manifest);

}  // namespace diglim
