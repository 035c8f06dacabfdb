// SPDX-License-Identifier: Apache-2.0
// A manifest from its text, for who verifies.
#pragma once

#include "lib/manifest/manifest.h"

namespace diglim {

// Strict: exactly what write_manifest() makes, so that write_manifest(*read_manifest(x)) == x. kCorrupt with
// the offset and line, kUnsupported for another version. No recursion, memory bounded by the input.
Result<Manifest> read_manifest(ByteView file);

}  // namespace diglim
