// SPDX-License-Identifier: Apache-2.0
#include "policy/boot_trust.h"
#include "tools/diglim/doctor/checks.h"

namespace diglim::doctor {
namespace {

// What the loader will make of its configuration; of what is wrong with it, what is right.
Config configuration(const Host& host, Findings& findings) {
  Config config;
  const auto read = read_config(host.path(""), host.command_line(), config);
  if (read) return config;
  const bool unreadable = read.error().code == ErrorCode::kIo;
  findings.push_back(
      {"config",
       unreadable ? Level::kUnknown : Level::kFail,
       read.error().message,
       unreadable ? "run this as root" : "correct it: with such a file or line the machine does not boot",
       {}});
  return config;
}

}  // namespace

void check_content(const Host& host, const ContentOptions& options, Findings& findings) {
  const Config config = configuration(host, findings);
  check_measurement(host, config, findings);
  check_register(host, config, findings);
  check_pcrlock(host, config, findings);
  const std::string keys = options.keys.empty() ? host.path(kKeysFolder) : options.keys;
  auto trust = TrustStore::from_folder(keys, config.signatures);
  if (trust) check_revocations(host, config, *trust, findings);
  if (trust) check_grants(host, *trust, findings);
  check_keys(options.keys_name.empty() ? keys : options.keys_name, trust, findings);
  if (!trust) return;
  if (trust->describe().empty()) {
    // Without this each package would be named as signed by nobody.
    findings.push_back({"packages",
                        Level::kUnknown,
                        "no package was looked at, since no key is trusted yet",
                        "diglim setup install --rpm-keys --dry-run looks, with the keys in rpm's keyring",
                        {}});
    return;
  }
  Known known;
  if (const auto algo = kernel_hash(host)) known.algo = *algo;
  check_packages(host, options.dbpath, *trust, options.progress, known, findings);
  // Without a single package there is nothing to compare with.
  if (options.seconds == 0 || known.packages == 0) return;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(options.seconds);
  check_programs(host, known, deadline, options.progress, findings);
}

}  // namespace diglim::doctor
