// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tools/diglim/setup/clean.h"

namespace diglim::setup {

// What the kernel's messages in the journal of the system in `root` ("": this one) say since `cursor`; empty:
// from now on. By places in the journal, not by time: clocks are set.
JournalSince read_journal_since(const std::string& root, const std::string& cursor);

}  // namespace diglim::setup
