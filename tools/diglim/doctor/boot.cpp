// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "lib/base/file.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "tools/diglim/doctor/active.h"
#include "tools/diglim/doctor/checks.h"
#include "tools/diglim/initramfs/unpacked.h"
#include "tools/file_digests.h"
#include "tools/run_command.h"

namespace diglim::doctor {
namespace {

constexpr std::string_view kPermissiveEntry = "-0-diglim-permissive.conf";

void active(const Host& host, Findings& findings) {
  if (geteuid() != 0) {
    findings.push_back({"boot.active",
                        Level::kUnknown,
                        "only root may ask whether DIGLIM is active",
                        "run this as root",
                        {}});
    return;
  }
  const std::string loader(host.exists(kBootLoader) ? kBootLoader : kInstalledLoader);
  const auto answer = run_command({loader, "status", "--json"}, Errors::kHide);
  const auto status = answer && answer->status == 0 ? std::optional(answer->output) : std::nullopt;
  findings.push_back(active_by_status(status));
  if (auto log = log_by_status(status)) findings.push_back(*std::move(log));
}

Finding command_line(const Host& host) {
  const auto rdinit = host.parameter("rdinit");
  if (rdinit && rdinit->ends_with("/diglim-loader")) {
    return {"boot.command_line",
            Level::kOk,
            "the kernel command line starts DIGLIM (rdinit=" + escape(*rdinit) + ")",
            "",
            {}};
  }
  return {"boot.command_line",
          Level::kWarn,
          "the kernel command line does not start DIGLIM",
          fmt::format("diglim setup install (it adds rdinit={})", kInstalledLoader),
          {}};
}

Finding loader(const Host& host) {
  if (!host.exists(kInstalledLoader)) {
    return {"boot.loader",
            Level::kFail,
            fmt::format("{} is not there", kInstalledLoader),
            "install the package diglim",
            {}};
  }
  if (!host.is_live() || !host.exists(kBootLoader)) {
    return {"boot.loader", Level::kOk, fmt::format("{} is installed", kInstalledLoader), "", {}};
  }
  const auto installed = digest_file(std::string(kInstalledLoader), HashAlgo::kSha256);
  const auto booted = digest_file(std::string(kBootLoader), HashAlgo::kSha256);
  if (!installed || !booted) {
    return {"boot.loader",
            Level::kUnknown,
            "cannot compare the loader that booted with the installed one",
            "run this as root",
            {}};
  }
  if (*installed == *booted) {
    return {"boot.loader", Level::kOk, "the loader that booted is the installed one", "", {}};
  }
  return {"boot.loader",
          Level::kWarn,
          "the loader was updated since this boot; the old one is still in force",
          "reboot when it suits",
          {}};
}

// The permissive entry that setup made belongs to one kernel, which an update may have removed: found out
// when it is needed, that is too late.
void way_back(const Host& host, Findings& findings) {
  for (const std::string base : {"/boot", "/efi", "/boot/efi"}) {
    for (const std::string& name : host.names(base + "/loader/entries")) {
      if (!name.ends_with(kPermissiveEntry)) continue;
      std::istringstream lines(host.text(base + "/loader/entries/" + name).value_or(""));
      std::string key, kernel;
      for (std::string line; std::getline(lines, line) && key != "linux";)
        std::istringstream(line) >> key >> kernel;
      if (host.exists(base + kernel) || host.exists(kernel)) continue;
      findings.push_back({"boot.way_back",
                          Level::kWarn,
                          fmt::format("the boot entry \"DIGLIM permissive\" names a kernel that is gone: {}",
                                      escape(kernel)),
                          "diglim setup install, which makes it anew for the newest kernel",
                          {}});
    }
  }
}

std::map<std::string, Bytes> configuration_of(const std::string& root) {
  std::map<std::string, Bytes> files;
  const auto add = [&](const std::string& path) {
    if (auto digest = digest_file(root + path, HashAlgo::kSha256)) files[path] = std::move(*digest);
  };
  add(kInstalledLoader);
  add(kConfigFile);
  for (const std::string folder : {kKeysFolder, kRevokedFolder}) {
    const auto names = list_folder(root + folder);
    for (const std::string& name : names ? *names : std::vector<std::string>()) {
      if (!name.starts_with('.')) add(folder + "/" + name);  // as the dracut module takes them
    }
  }
  return files;
}

// The next boot's loader, keys and configuration are the initramfs's.
Finding initramfs(const Host& host) {
  const char* const id = "boot.initramfs";
  const std::string release = host.release();
  const std::string next = kRemakeInitramfs;
  const auto unpacked = UnpackedInitramfs::of_kernel(release);
  if (!unpacked) {
    // What else fails says itself what to do.
    const bool made_anew_helps =
        unpacked.error().code == ErrorCode::kCorrupt || unpacked.error().code == ErrorCode::kNotFound;
    return {id, Level::kUnknown, unpacked.error().message, made_anew_helps ? next : "", {}};
  }
  const auto theirs = configuration_of(unpacked->root());
  const auto ours = configuration_of("");
  if (!theirs.contains(kInstalledLoader)) {
    return {id,
            Level::kFail,
            "the initramfs of kernel " + escape(release) + " does not hold the loader",
            next,
            {}};
  }
  Finding finding{id, Level::kWarn, "", next, {}};
  for (const auto& [path, digest] : ours) {
    const auto found = theirs.find(path);
    if (found == theirs.end() || found->second != digest) add_item(finding, escape(path));
  }
  for (const auto& [path, digest] : theirs) {
    if (!ours.contains(path)) add_item(finding, escape(path));
  }
  if (finding.count == 0) {
    return {
        id,
        Level::kOk,
        "the initramfs of kernel " + escape(release) + " has this loader, these keys and this configuration",
        "",
        {}};
  }
  finding.what =
      fmt::format("the initramfs of kernel {} differs in {} files, and a boot of it goes by what it has",
                  escape(release), finding.count);
  return finding;
}

bool mentions(const Host& host, const std::string& path, std::string_view word) {
  return host.text(path).value_or("").find(word) != std::string::npos;
}

}  // namespace

void check_boot(const Host& host, Findings& findings) {
  findings.push_back(loader(host));
  way_back(host, findings);
  if (!host.is_live()) return;
  // Before it is set up there is nothing to compare.
  if (geteuid() == 0 && host.exists(kDracutConfig)) findings.push_back(initramfs(host));
  findings.push_back(command_line(host));
  active(host, findings);
}

void check_plugin(const Host& host, Findings& findings) {
  const auto present = [&](std::string_view folder) {
    return host.exists(std::string(folder) + "/diglim.so");
  };
  const bool plugin = present("/usr/lib64/rpm-plugins") || present("/usr/lib/rpm-plugins") ||
                      present("/usr/lib/x86_64-linux-gnu/rpm-plugins");
  bool macro = false;
  for (const std::string folder : {"/usr/lib/rpm/macros.d", "/etc/rpm"}) {
    for (const std::string& name : host.names(folder)) {
      macro = macro ||
              (name.starts_with("macros") && mentions(host, folder + "/" + name, "%__transaction_diglim"));
    }
  }
  if (host.exists("/var/lib/diglim/transaction")) {
    findings.push_back({"rpm.transaction",
                        Level::kWarn,
                        "an rpm transaction was cut short, or is under way",
                        "if none is under way: diglim repair",
                        {}});
  }
  if (plugin && macro) {
    findings.push_back(
        {"rpm.plugin", Level::kOk, "rpm's plugin keeps the kernel in step with packages", "", {}});
    return;
  }
  findings.push_back({"rpm.plugin",
                      Level::kWarn,
                      plugin ? "rpm's plugin is installed, but no macro makes rpm load it"
                             : "rpm's plugin is not installed: what rpm installs from now on is denied",
                      plugin ? "diglim setup install (it writes /etc/rpm/macros.transaction_diglim)"
                             : "install the package diglim-rpm-plugin",
                      {}});
}

}  // namespace diglim::doctor
