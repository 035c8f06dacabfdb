// SPDX-License-Identifier: Apache-2.0
// The IMA policies that the loader writes at boot (decision D9). Loader and predictor share them: the text is
// part of what a verifier knows.
#pragma once

#include <string_view>

namespace diglim {

// Measures nothing. In place of a policy from the kernel command line: one that collects digests of known
// files would have the kernel answer with them later, though the file has changed since.
constexpr std::string_view kQuietPolicy = "dont_measure func=BPRM_CHECK\n";

}  // namespace diglim
