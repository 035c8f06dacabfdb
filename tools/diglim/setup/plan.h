// SPDX-License-Identifier: Apache-2.0
// What `diglim setup install` is going to do, before it does any of it.
#pragma once

#include <string>
#include <vector>

#include "tools/diglim/setup/command_line.h"
#include "tools/diglim/setup/recorded_host.h"

namespace diglim::setup {

struct Options {
  std::string root = "/";
  std::string mode = "enforce";
  std::vector<std::string> keys;  // files, or directories of files
  bool rpm_keys = false;          // those in rpm's keyring too
  std::string dbpath;
  bool lockdown = false;
  bool no_initramfs = false;
  bool no_boot_loader = false;
  bool uki = false;         // signed unified kernel images
  std::string uki_key;      // PEM; empty: as before, or kDefaultKey (setup/uki.h)
  std::string uki_cert;     // the same
  std::string uki_cmdline;  // empty: what the host has
  std::string esp;          // where the EFI system partition is mounted; empty: found
  bool chroot = false;
  bool enforce_anyway = false;
  bool skip_scan = false;
  unsigned seconds = 300;           // 0: as skip_scan
  unsigned enforce_when_clean = 0;  // days; 0: never by itself
  std::string loader;               // of watch: a program in place of diglim-loader
  bool yes = false;
  bool dry_run = false;
  bool json = false;
};

struct Command {
  std::vector<std::string> words;
  std::vector<std::pair<std::string, std::string>> changes;  // files that it changes, with their format
  // Its output has to contain this; nothing: need not.
  std::string must_say;
  // A file that has to contain `text` afterwards; no path: none has to. `advice`: what to do if it does not.
  struct {
    std::string path, text, advice;
  } must_write = {};
};

struct Step {
  std::string id;    // "keys", "lists", ...
  std::string what;  // one line
  std::vector<FileChange> files;
  std::vector<Command> commands;
};

struct Plan {
  std::vector<Step> steps;  // in this order: the kernel command line comes last, so that whatever ends the
                            // installation before leaves a machine that boots as before
  Words words;              // for the kernel command line
  std::vector<FileChange> keys;  // all that will be in the directory of keys because of this plan
};

// Looks at the system and changes nothing. Errors: what the plan would need is not there (kNotFound,
// kUnsupported), with what to do about it.
Result<Plan> make_plan(const RecordedHost& host, const Options& options);

// GRUB's variables; empty if there are none. Distributions before Fedora 33 keep the command line of all
// entries in one of them, kernelopts, and there grubby writes it.
std::string grub_environment(const RecordedHost& host);

constexpr const char* kDracutModule = "/usr/lib/dracut/modules.d/90diglim";

// The command line of the newest kernel's boot entry; empty if there is none. Errors: kIo.
Result<std::string> newest_options(const RecordedHost& host);

// The last step: command line and boot menu, by what the system boots with.
Result<Step> plan_boot_loader(const RecordedHost& host, const Words& words);

}  // namespace diglim::setup
