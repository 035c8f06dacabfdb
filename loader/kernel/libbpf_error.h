// SPDX-License-Identifier: Apache-2.0
// libbpf explains failures only on its log: its first warning since the last error becomes part of ours, and
// of the verifier's log the end, which says what it did not like.
#pragma once

#include <string_view>

#include "lib/base/error.h"

namespace diglim {

void catch_libbpf_warnings();
void forget_libbpf_warning();

// `error`: an errno, of either sign.
Error libbpf_error(std::string_view what, int error);

}  // namespace diglim
