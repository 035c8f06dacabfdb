// SPDX-License-Identifier: Apache-2.0
// What the admin decided: /etc/diglim/loader.conf in the initramfs, and the kernel command line, which wins.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bpf/abi.h"
#include "lib/crypto/signature_policy.h"
#include "lib/manifest/manifest.h"
#include "policy/ima_policy.h"

namespace diglim {

// What becomes of the unknown: it is denied; nothing is denied; it is measured, and denied only where it
// cannot be. The manifest has the same names (mode_name(), mode_from_name()).
using Mode = ManifestMode;

// As the programs in the kernel number it.
constexpr diglim_mode kernel_mode(Mode mode) {
  return static_cast<diglim_mode>(mode);
}
static_assert(kernel_mode(Mode::kEnforce) == DIGLIM_MODE_ENFORCE &&
              kernel_mode(Mode::kPermissive) == DIGLIM_MODE_PERMISSIVE &&
              kernel_mode(Mode::kMeasure) == DIGLIM_MODE_MEASURE);

// Where the loader looks, in the initramfs.
constexpr char kConfigFile[] = "/etc/diglim/loader.conf";
constexpr char kKeysFolder[] = "/etc/diglim/keys";
constexpr char kListsFolder[] = "/etc/digest_lists";
constexpr char kRevokedFolder[] = "/etc/diglim/revoked";  // deny lists
constexpr char kGrantedFolder[] = "/etc/diglim/granted";  // keys that count at once; not in the initramfs

struct Config {
  Mode mode = Mode::kEnforce;
  bool measure = false;                           // see measures()
  int pcr = 10;                                   // the register into which IMA measures
  PolicyLabels labels = PolicyLabels::kAppArmor;  // which of the two this host runs
  diglim_monitor monitor = DIGLIM_MONITOR_OFF;    // who may begin monitor mode
  bool log_allowed = false;  // the first execution of each content is an event (bpf/allowed.bpf.h)
  SignaturePolicy signatures;
  std::string init;  // the real init; empty: /init, else /sbin/init
  std::vector<std::string>
      unknown_words;  // of the kernel command line: "diglim." and something that nobody reads

  // Does IMA measure what is unknown?
  bool measures() const { return measure || mode == Mode::kMeasure; }
  // The labels that can steer it. Under SELinux measuring begins late: where nothing is denied the unknown
  // could be used before, so there it is everything that is measured, from the beginning.
  PolicyLabels steering_labels() const {
    return labels == PolicyLabels::kSelinux && mode == Mode::kPermissive ? PolicyLabels::kNone : labels;
  }
};

// Lines "key = value", "#" starts a comment:
//   mode = enforce | permissive | measure
//   measure = off | on
//   pcr = 8 .. 15
//   labels = apparmor | selinux
//   monitor = off | signed | root
//   allow-signature-hash = sha1        (may be repeated: sha1, md5, rmd160)
//   log-allowed = off | first
//   init = /path
// kInvalid with the line number for anything else: a setting that silently does nothing is worse than a
// failed boot.
Result<Config> parse_config(std::string_view text);

// The kernel command line: diglim.mode=, diglim.measure=, diglim.pcr=, diglim.labels=, diglim.init=, with the
// same values, before its "--" (policy/command_line.h); and after it "-p", which makes the mode permissive
// whatever else is said. Other words before "--" that begin with "diglim." are kept in unknown_words; the
// rest is not ours. kInvalid for the first bad value; all others count nevertheless.
Result<void> apply_command_line(std::string_view text, Config& config);

}  // namespace diglim
