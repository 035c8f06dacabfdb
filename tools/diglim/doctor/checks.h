// SPDX-License-Identifier: Apache-2.0
// The checks of `diglim doctor`, by subject. No check leaves a change. Unreadable means kUnknown.
#pragma once

#include <chrono>
#include <string>
#include <unordered_set>
#include <vector>

#include "lib/crypto/hash.h"
#include "lib/trust/trust_store.h"
#include "policy/config.h"
#include "tools/diglim/doctor/finding.h"
#include "tools/diglim/host.h"

namespace diglim::doctor {

// Does the running kernel have what DIGLIM's programs need?
void check_kernel(const Host& host, Findings& findings);
// What root could do without lockdown, signed modules, Secure Boot.
void check_protection(const Host& host, Findings& findings);
// Mounted file systems from which nothing could run.
void check_file_systems(const Host& host, Findings& findings);
// Is DIGLIM active now, will it be after a reboot, and is it the loader that is installed?
void check_boot(const Host& host, Findings& findings);
// From the firmware to the loader: does somebody verify each step? After check_protection() and check_boot(),
// whose findings count, too.
void check_chain(const Host& host, Findings& findings);
// Has the policy of SELinux a module for the loader, and has the loader its label?
void check_selinux(const Host& host, Findings& findings);
// The rpm plugin, without which rpm and the kernel fall out of step.
void check_plugin(const Host& host, Findings& findings);

// Does the kernel itself refuse modules that no key of its own signed (policy/lockdown.h)?
bool enforces_module_signatures(const Host& host);

// The algorithm in which the kernel hashes (ima_hash); nothing if it is not known (then sha256 is likely).
std::optional<HashAlgo> kernel_hash(const Host& host);

// The digests of all lists that a trusted key signed: raw bytes, in one algorithm.
struct Known {
  HashAlgo algo = HashAlgo::kSha256;
  std::unordered_set<std::string> digests;
  size_t packages = 0;
};

// The trusted keys. `trust` is what `keys` (the directory, as the user knows it) holds; its error is the
// finding.
void check_keys(const std::string& keys, const Result<TrustStore>& trust, Findings& findings);
// What deny lists say, and those that do not count. `trust` follows them.
void check_revocations(const Host& host, const Config& config, TrustStore& trust, Findings& findings);
// Statements that grant keys: those that do not count, and keys that `trust` has not besides.
void check_grants(const Host& host, const TrustStore& trust, Findings& findings);
// Is each installed package signed by a trusted key, with digests in the kernel's algorithm? Is the list on
// the disk the same? Fills `known`, with the other lists in /etc/digest_lists too. `dbpath` may be empty.
void check_packages(const Host& host, const std::string& dbpath, const TrustStore& trust, bool progress,
                    Known& known, Findings& findings);
// Programs, libraries, modules and firmware below /usr, /opt and /etc that are not among `known` would be
// denied. Stops at the deadline, and says so.
void check_programs(const Host& host, const Known& known, std::chrono::steady_clock::time_point deadline,
                    bool progress, Findings& findings);

// Will what is measured be what was predicted?
void check_measurement(const Host& host, const Config& config, Findings& findings);

// What to do so that it counts at the next boot, whatever this host boots: an initramfs or a signed image.
std::string set_in_configuration(const std::string& setting);
// Does somebody else extend the register, before or after?
void check_register(const Host& host, const Config& config, Findings& findings);
// Does systemd-pcrlock's policy, if there is one, know the images of this host as they are?
void check_pcrlock(const Host& host, const Config& config, Findings& findings);

struct ContentOptions {
  std::string keys;        // directory of trusted keys; empty: the host's
  std::string keys_name;   // what the user knows it by; empty: the same
  std::string dbpath;      // directory of the rpm database; empty: as rpm is configured
  unsigned seconds = 300;  // for programs on disk; 0: do not look at them
  bool progress = false;
};
// Configuration, keys, packages and programs, in this order: each check uses the results of the one before.
void check_content(const Host& host, const ContentOptions& options, Findings& findings);

// All of the above, in the order of `diglim doctor`.
Findings check_all(const Host& host, const ContentOptions& options);

// Items beyond this many are counted, not kept.
constexpr size_t kMaxItems = 20;
void add_item(Finding& finding, std::string item);

}  // namespace diglim::doctor
