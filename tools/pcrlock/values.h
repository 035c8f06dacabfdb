// SPDX-License-Identifier: Apache-2.0
// Registers with their values: those that systemd-pcrlock(8) predicts, or that its policy admits.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace diglim::pcrlock {

constexpr char kPolicy[] = "/var/lib/systemd/pcrlock.json";

using Values = std::map<unsigned, std::vector<std::string>>;  // hexadecimal

// Of a policy, which has them as pcrValues, or of what `predict` prints: of each bank, of which SHA-256's
// count. None: it is no such text.
Values read_values(const std::string& text);

bool is_zero(std::string_view hex);

// Does one of them say which initramfs boots, that of the kernel's stub (9) or that of systemd's (11)?
bool knows_initramfs(const Values& values);

}  // namespace diglim::pcrlock
