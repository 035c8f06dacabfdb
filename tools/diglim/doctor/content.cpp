// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/doctor/checks.h"

namespace diglim::doctor {
namespace {

constexpr std::string_view kConfigFile = "/etc/diglim/loader.conf";

// What the loader will make of its configuration; the defaults if that is wrong.
Config read_config(const Host& host, Findings& findings) {
  const auto text = host.text(kConfigFile);
  if (!text) return {};
  auto config = parse_config(*text);
  if (config) return *std::move(config);
  findings.push_back({"config",
                      Level::kFail,
                      std::string(kConfigFile) + ": " + config.error().message,
                      "correct it: with such a file the machine does not boot",
                      {}});
  return {};
}

}  // namespace

void check_content(const Host& host, const ContentOptions& options, Findings& findings) {
  const Config config = read_config(host, findings);
  check_measurement(host, config, findings);
  const std::string keys = options.keys.empty() ? host.path("/etc/diglim/keys") : options.keys;
  const auto trust = TrustStore::from_folder(keys, config.signatures);
  check_keys(keys, trust, findings);
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
