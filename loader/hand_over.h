// SPDX-License-Identifier: Apache-2.0
// The loader that booted the machine stays the only one with rights until the next boot, whatever file a
// package upgrade puts in its place. It leaves a copy of itself in /run, and later ones hand their work over
// to it.
#pragma once

#include "lib/base/file.h"
#include "lib/base/paths.h"

namespace diglim {

// At boot: copies this program to kBootLoader. REQUIRES: /run is mounted, and stays mounted with the real
// root.
Result<void> keep_boot_loader();

// Executes the loader of this boot with the same arguments, or returns: this is that very file,
// DIGLIM is not active, or there is nothing to hand over to (why is said on stderr; the verb then fails on
// its own). It is kBootLoader or, where that is gone or may not be executed, the file from which the keeper
// runs. It executes only root-owned files that nobody else can write. The kernel decides whether such a file
// has rights.
void hand_over(char** argv);

}  // namespace diglim
