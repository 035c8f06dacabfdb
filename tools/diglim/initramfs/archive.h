// SPDX-License-Identifier: Apache-2.0
// Unpacks an initramfs as the kernel does (init/initramfs.c, Documentation/driver-api/early-userspace/
// buffer-format.rst): archives of cpio's format "newc" one after the other, with zeros between them, each
// compressed or not; what comes later replaces what came before. lsinitrd(1) and cpio(1) read the first one
// only, and write outside of the directory if a name or a link says so; the file may lie on a partition that
// nothing guards.
#pragma once

#include <string>

#include "lib/base/file.h"
#include "lib/base/result.h"

namespace diglim::initramfs {

// All of the file `image` below the directory `root`, which may have the parts of before. Names and links
// mean what they mean where `root` is the root. Devices are left out, and all that is written is the
// caller's. Decompressors (zstd, xz, gzip, bzip2, lz4, lzop) are run, with files without a name in the
// directory `work`. Errors, after which what is below `root` is of no use: kUnsupported: such a program is
// not installed. kCorrupt: it is cut, larger than 2 GiB, or in a form that the kernel would not read to its
// end or that no tool makes. kIo.
Result<void> unpack_image(const std::string& image, const std::string& root, const std::string& work);

// When all parts are there: makes each link below `root` one that leads within it for programs that know
// nothing of such a root. Links to nowhere go. kIo.
Result<void> settle_links(const std::string& root);

}  // namespace diglim::initramfs
