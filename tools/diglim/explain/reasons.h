// SPDX-License-Identifier: Apache-2.0
// Inside tools/diglim/explain: the words for each reason of the kernel and each cause of a file's.
#pragma once

#include <string_view>

#include "bpf/abi.h"
#include "tools/diglim/known/cause.h"

namespace diglim::explain {

// "{path}", "{copy}" (path.new), "{name}" (last component), "{package}", "{key}" and "{pid}" stand for the
// case's own. In `meaning`, as in `command`, they are words of a command.
struct Words {
  std::string_view id;
  std::string_view what;
  std::string_view command;  // empty: none would change it
  std::string_view meaning;
};

// Null for an unknown reason. Of DIGLIM_REASON_UNKNOWN the words are those of the cause.
const Words* reason_explanation(diglim_reason reason);
// Of DIGLIM_REASON_HASH with kKilledWhileHashed.
const Words& killed_explanation();
const Words& cause_explanation(known::Cause cause);

}  // namespace diglim::explain
