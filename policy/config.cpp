// SPDX-License-Identifier: Apache-2.0
#include "policy/config.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <system_error>

#include "lib/base/settings.h"
#include "lib/base/text.h"
#include "policy/command_line.h"

namespace diglim {
namespace {

constexpr int kFirstPcr = 8;
constexpr int kLastPcr = 15;

Result<void> set_mode(std::string_view value, Config& config) {
  const auto mode = mode_from_name(value);
  if (!mode)
    return invalid("mode is \"enforce\", \"permissive\" or \"measure\", not \"" + escape(value, 40) + "\"");
  config.mode = *mode;
  return {};
}

Result<void> set_measure(std::string_view value, Config& config) {
  if (value != "on" && value != "off")
    return invalid("measure is \"on\" or \"off\", not \"" + escape(value, 40) + "\"");
  config.measure = value == "on";
  return {};
}

// Those that an operating system may extend and that no reset but the machine's clears (TCG PC Client
// Platform Profile for TPM 2.0, section 4.6).
Result<void> set_pcr(std::string_view value, Config& config) {
  int number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number < kFirstPcr || number > kLastPcr)
    return invalid("pcr is a number from 8 to 15, not \"" + escape(value, 40) + "\"");
  config.pcr = number;
  return {};
}

Result<void> set_labels(std::string_view value, Config& config) {
  if (value != "apparmor" && value != "selinux")
    return invalid("labels is \"apparmor\" or \"selinux\", not \"" + escape(value, 40) + "\"");
  config.labels = value == "selinux" ? PolicyLabels::kSelinux : PolicyLabels::kAppArmor;
  return {};
}

Result<void> set_log_allowed(std::string_view value, Config& config) {
  if (value != "first" && value != "off")
    return invalid("log-allowed is \"first\" or \"off\", not \"" + escape(value, 40) + "\"");
  config.log_allowed = value == "first";
  return {};
}

Result<void> set_monitor(std::string_view value, Config& config) {
  if (value == "off")
    config.monitor = DIGLIM_MONITOR_OFF;
  else if (value == "signed")
    config.monitor = DIGLIM_MONITOR_SIGNED;
  else if (value == "root")
    config.monitor = DIGLIM_MONITOR_ROOT;
  else
    return invalid("monitor is \"off\", \"signed\" or \"root\", not \"" + escape(value, 40) + "\"");
  return {};
}

Result<void> set_init(std::string_view value, Config& config) {
  if (value.empty() || value[0] != '/') return invalid("init is an absolute path");
  config.init = value;
  return {};
}

Result<void> set(std::string_view key, std::string_view value, Config& config) {
  if (key == "mode") return set_mode(value, config);
  if (key == "measure") return set_measure(value, config);
  if (key == "pcr") return set_pcr(value, config);
  if (key == "labels") return set_labels(value, config);
  if (key == "log-allowed") return set_log_allowed(value, config);
  if (key == "monitor") return set_monitor(value, config);
  if (key == "init") return set_init(value, config);
  if (key == "allow-signature-hash") {
    const auto algo = hash_from_name(value);
    if (!algo) return invalid("unknown hash \"" + escape(value, 40) + "\" (md5, sha1 or rmd160)");
    config.signatures.allowed_weak_hashes.push_back(*algo);
    return {};
  }
  return invalid("unknown setting \"" + escape(key, 40) +
                 "\" (mode, measure, pcr, labels, log-allowed, monitor, init, allow-signature-hash)");
}

struct Word {
  std::string_view prefix;
  Result<void> (*set)(std::string_view value, Config& config);
};
constexpr Word kWords[] = {{"diglim.mode=", set_mode},
                           {"diglim.measure=", set_measure},
                           {"diglim.pcr=", set_pcr},
                           {"diglim.labels=", set_labels},
                           {"diglim.init=", set_init}};

}  // namespace

Result<Config> parse_config(std::string_view text) {
  Config config;
  TRY(read_settings(text,
                    [&](std::string_view key, std::string_view value) { return set(key, value, config); }));
  return config;
}

Result<void> apply_command_line(std::string_view text, Config& config) {
  Result<void> result;
  const KernelLine line = split_kernel_line(text);
  for (const std::string_view word : line.words) {
    const auto known = std::find_if(std::begin(kWords), std::end(kWords), [&](const Word& candidate) {
      return word.starts_with(candidate.prefix);
    });
    if (known == std::end(kWords)) {
      if (word.starts_with("diglim.")) config.unknown_words.emplace_back(word);
      continue;
    }
    const auto applied = known->set(word.substr(known->prefix.size()), config);
    if (!applied && result) result = with_context("kernel command line", applied.error());
  }
  // How the tools of 2022 were made permissive.
  if (std::find(line.arguments.begin(), line.arguments.end(), "-p") != line.arguments.end())
    config.mode = Mode::kPermissive;
  return result;
}

}  // namespace diglim
