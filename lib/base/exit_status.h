// SPDX-License-Identifier: Apache-2.0
// Exit statuses of all programs of DIGLIM: what is at fault.
#pragma once

namespace diglim {

constexpr int kExitOk = 0;
constexpr int kExitRejected = 1;     // the input: it cannot be read, nobody trusted signed it, it differs
constexpr int kExitUsage = 2;        // the command line
constexpr int kExitEnvironment = 3;  // the system: a full disk, a kernel that refuses, DIGLIM not active

}  // namespace diglim
