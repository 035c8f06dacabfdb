// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/setup/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "lib/base/file.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "lib/librpm/database.h"
#include "lib/librpm/keyring.h"
#include "lib/trust/trust_store.h"
#include "policy/config.h"
#include "tools/diglim/setup/uki.h"

namespace diglim::setup {
namespace {

constexpr std::string_view kUnits = "/usr/lib/systemd/system/";
constexpr std::string_view kRepairUnit = "diglim-repair.service";
constexpr std::string_view kShutdownUnit = "diglim-shutdown.service";
constexpr std::string_view kStateTimer = "diglim-state.timer";
constexpr std::string_view kWatchUnit = "diglim-watch.timer";
constexpr const char* kMacroFile = "/etc/rpm/macros.transaction_diglim";
constexpr size_t kMaxKeyBytes = 1u << 20;
constexpr uint64_t kGrowth = 12u << 20;  // of one initramfs, bytes; 7 MB were seen, uncompressed

Result<void> add_key_file(const std::string& path, std::vector<FileChange>& keys) {
  const auto content = read_file(path, kMaxKeyBytes);
  if (!content) return with_context(escape(path), content.error());
  if (auto key = TrustStore::check_file(*content); !key) return with_context(escape(path), key.error());
  keys.push_back({std::string(kKeysFolder) + "/" + path.substr(path.rfind('/') + 1),
                  std::string(as_text(*content)), 0644, false, ""});
  return {};
}

// A file that is named has to be a key. Directories are filled by others, and what is none in them is left
// out.
Result<void> add_keys(const std::string& path, std::vector<FileChange>& keys,
                      std::vector<std::string>& left_out) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) return from_errno("--keys " + escape(path), errno);
  if (!S_ISDIR(info.st_mode)) return add_key_file(path, keys);
  TRY_ASSIGN(const auto names, list_folder(path));
  for (const std::string& name : names) {
    const std::string file = path + "/" + name;
    if (name.starts_with('.') || stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (auto added = add_key_file(file, keys); !added) left_out.push_back(added.error().message);
  }
  return {};
}

Result<void> add_rpm_keys(const RecordedHost& host, const Options& options, std::vector<FileChange>& keys) {
  TRY_ASSIGN(const std::string database,
             find_rpm_database(host.view().is_live() ? "" : host.view().path("/"), options.dbpath));
  TRY_ASSIGN(const auto found, read_rpm_keys(database));
  for (const RpmKey& key : found) {
    if (key.name.find('/') != std::string::npos) continue;
    keys.push_back({std::string(kKeysFolder) + "/" + key.name + ".asc",
                    key.armor + (key.armor.ends_with('\n') ? "" : "\n"), 0644, false, ""});
  }
  return {};
}

Result<Step> plan_keys(const RecordedHost& host, const Options& options) {
  Step step{"keys", "", {}, {}};
  std::vector<std::string> left_out;
  for (const std::string& path : options.keys) TRY(add_keys(path, step.files, left_out));
  if (options.rpm_keys) TRY(add_rpm_keys(host, options, step.files));
  const size_t present = host.view().names(kKeysFolder).size();
  if (step.files.empty() && present == 0) {
    return not_found(
        "no key is trusted, so nothing would be known: --rpm-keys takes those in rpm's keyring, --keys "
        "DIRECTORY others "
        "(/etc/pki/rpm-gpg holds the distribution's)");
  }
  step.what = fmt::format("trust {} keys, besides {} that are in {} already", step.files.size(), present,
                          kKeysFolder);
  if (!left_out.empty()) step.what += fmt::format("; left out: {}", fmt::join(left_out, "; "));
  return step;
}

// When dracut cannot write the new initramfs it has truncated and removed the old one, so a full /boot would
// leave a machine that does not boot at all.
Result<void> check_space(const RecordedHost& host, size_t kernels) {
  struct statvfs space = {};
  if (statvfs(host.view().path("/boot").c_str(), &space) != 0) return {};  // no /boot: it goes elsewhere
  const uint64_t left = static_cast<uint64_t>(space.f_bavail) * space.f_frsize;
  const uint64_t wanted = kGrowth * kernels;
  if (left >= wanted) return {};
  return Error{
      ErrorCode::kIo, 0,
      fmt::format("/boot has {} MiB left; the initramfs of {} kernels may grow by {}: remove kernels "
                  "that nobody needs",
                  left >> 20, kernels, wanted >> 20)};
}

Result<Step> plan_initramfs(const RecordedHost& host) {
  if (!host.has_program("dracut")) {
    return not_found(
        "dracut is not installed; --no-initramfs leaves the initramfs to you (it has to hold the loader, "
        "/etc/diglim and the lists of what is in it)");
  }
  if (!host.view().exists(kDracutModule)) {
    return not_found(fmt::format("{} is not there: install the package diglim-dracut", kDracutModule));
  }
  Step step{"initramfs", "", {}, {}};
  step.files.push_back(
      {kDracutConfig,
       "# Made by diglim setup. Stripping would change programs, and no list would know them.\n"
       "add_dracutmodules+=\" diglim \"\ndo_strip=\"no\"\n",
       0644, false, ""});
  for (const std::string& release : host.view().names("/usr/lib/modules")) {
    if (!host.view().exists("/usr/lib/modules/" + release + "/modules.dep")) continue;
    step.commands.push_back({{"dracut", "--force", "--kver", release}, {}, {}});
    // A machine whose command line names a loader that its initramfs does not hold does not boot. Where
    // /usr/sbin is a link it lies in /usr/bin.
    step.commands.push_back({{"lsinitrd", "--kver", release}, {}, "bin/diglim-loader"});
  }
  TRY(check_space(host, step.commands.size() / 2));
  step.what =
      fmt::format("rebuild the initramfs of {} kernels, with the loader, the keys and the lists in it",
                  step.commands.size() / 2);
  return step;
}

FileChange enabled(std::string_view target, std::string_view unit) {
  return FileChange{fmt::format("/etc/systemd/system/{}.wants/{}", target, unit),
                    fmt::format("{}{}", kUnits, unit), 0777, true, ""};
}

// Without the timer nobody would look, and the host stay permissive for ever.
Result<Step> plan_watch(const RecordedHost& host, unsigned days) {
  if (!host.view().exists(std::string(kUnits) + std::string(kWatchUnit)))
    return not_found(fmt::format("{}{} is not there: install the package diglim anew", kUnits, kWatchUnit));
  return Step{
      "watch",
      fmt::format("look each hour, and enforce after {} days without anything that would be denied", days),
      {enabled("timers.target", kWatchUnit)},
      {}};
}

void plan_units(const RecordedHost& host, std::vector<Step>& steps) {
  if (!host.view().exists(std::string(kUnits) + std::string(kRepairUnit))) return;
  Step step{"unit",
            "enable diglim-repair.service, which brings the lists in step at boot",
            {enabled("multi-user.target", kRepairUnit)},
            {}};
  if (host.view().exists(std::string(kUnits) + std::string(kShutdownUnit))) {
    step.what += ", and diglim-shutdown.service, which loads those of the initramfs for the way down";
    step.files.push_back(enabled("sysinit.target", kShutdownUnit));
  }
  if (host.view().exists(std::string(kUnits) + std::string(kStateTimer))) {
    step.what += ", and diglim-state.timer, which writes /run/diglim/state";
    step.files.push_back(enabled("timers.target", kStateTimer));
  }
  steps.push_back(std::move(step));
}

void plan_macro(const RecordedHost& host, std::vector<Step>& steps) {
  const std::string packaged = "/usr/lib/rpm/macros.d/macros.transaction_diglim";
  if (host.view().exists(packaged) ||
      (!host.view().exists("/usr/lib64/rpm-plugins/diglim.so") &&
       !host.view().exists("/usr/lib/x86_64-linux-gnu/rpm-plugins/diglim.so")))
    return;
  steps.push_back({"macro",
                   "let rpm load its plugin",
                   {{kMacroFile, "%__transaction_diglim %{__plugindir}/diglim.so\n", 0644, false, ""}},
                   {}});
}

}  // namespace

Result<Plan> make_plan(const RecordedHost& host, const Options& options) {
  if (!host.view().exists(kInstalledLoader))
    return not_found(fmt::format("{} is not there: install the package diglim", kInstalledLoader));
  Plan plan;
  plan.words = {fmt::format("rdinit={}", kInstalledLoader), "diglim.mode=" + options.mode};
  if (options.lockdown) plan.words.emplace_back("lockdown=integrity");
  TRY_ASSIGN(Step keys, plan_keys(host, options));
  plan.keys = keys.files;
  plan.steps.push_back(std::move(keys));
  plan.steps.push_back(
      {"lists", "write the digest lists of all installed packages to /etc/digest_lists", {}, {}});
  plan_macro(host, plan.steps);
  plan_units(host, plan.steps);
  if (options.enforce_when_clean > 0) {
    TRY_ASSIGN(Step watch, plan_watch(host, options.enforce_when_clean));
    plan.steps.push_back(std::move(watch));
  }
  if (options.uki) {
    TRY(plan_uki(host, options, plan));
    return plan;
  }
  if (host.view().exists(kUkiConfig))
    return unsupported(fmt::format(
        "this host boots signed images ({}): diglim setup install --uki changes them, diglim setup uninstall "
        "removes them",
        kUkiConfig));
  if (!options.no_initramfs) {
    TRY_ASSIGN(Step initramfs, plan_initramfs(host));
    plan.steps.push_back(std::move(initramfs));
  }
  if (!options.no_boot_loader) {
    TRY_ASSIGN(Step boot, plan_boot_loader(host, plan.words));
    plan.steps.push_back(std::move(boot));
  }
  return plan;
}

}  // namespace diglim::setup
