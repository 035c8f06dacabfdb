// SPDX-License-Identifier: Apache-2.0
// Processes of the loader that stay.
#pragma once

namespace diglim {

// Makes the caller one: by this name, which begins with "@" and has at most 15 bytes, in a session of its
// own, deaf to signals, spared by the OOM killer, and with no standard streams. What of it fails, fails
// silently: a process that lacks it still works.
void become_daemon(const char* name);

}  // namespace diglim
