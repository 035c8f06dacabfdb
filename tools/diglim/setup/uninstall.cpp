// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/digest_list/rpm_list.h"
#include "policy/config.h"
#include "tools/diglim/setup/clean.h"
#include "tools/diglim/setup/setup.h"
#include "tools/diglim/setup/uki.h"

namespace diglim::setup {
namespace {

// Boot entries that came with kernels after the installation have our words too, by way of
// /etc/kernel/cmdline.
Result<void> free_new_entries(const RecordedHost& host, Report& report) {
  for (const std::string folder :
       {"/boot/loader/entries", "/efi/loader/entries", "/boot/efi/loader/entries"}) {
    for (const std::string& name : host.view().names(folder)) {
      if (!name.ends_with(".conf") || name.starts_with('.')) continue;
      const std::string path = folder + "/" + name;
      TRY_ASSIGN(const auto text, host.read(path));
      if (!text) continue;
      const std::string freed = remove_from_file(*text, Format::kBlsEntry, host.record().words);
      if (freed == *text) continue;
      TRY(host.replace(path, freed));
      report.done.push_back("freed the command line of " + escape(path));
    }
  }
  return {};
}

// kernel-install gives a new kernel the running one's command line where no file has another: with our words,
// and an initramfs without the loader, that kernel would not boot.
void warn_of_running_command_line(const RecordedHost& host, Report& report) {
  const auto loader = host.view().parameter("rdinit");
  if (!host.view().is_live() || !loader || !loader->ends_with("/diglim-loader")) return;
  if (!host.view().exists("/boot/loader/entries") || host.view().exists("/etc/kernel/cmdline")) return;
  report.to_do.emplace_back(
      "reboot before you install or update a kernel: it would get the command line of the running one");
}

Result<void> remove_lists(const RecordedHost& host, Report& report) {
  const Record& record = host.record();
  if (!record.lists) return {};
  const std::set<std::string> before(record.lists_before.begin(), record.lists_before.end());
  size_t removed = 0;
  for (const std::string& name : host.view().names(kListsFolder)) {
    const bool left_over = name.starts_with("." + std::string(kRpmListPrefix));
    if (!left_over && (!name.starts_with(kRpmListPrefix) || before.contains(name))) continue;
    const std::string path = host.view().path(std::string(kListsFolder) + "/" + name);
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return from_errno("remove " + escape(path), errno);
    ++removed;
  }
  report.done.push_back(fmt::format("removed {} digest lists from {}", removed, kListsFolder));
  return {};
}

Result<void> run_or_tell(const RecordedHost& host, const std::vector<std::string>& words, Report& report) {
  const std::string text = fmt::format("{}", fmt::join(words, " "));
  if (!host.runs_commands()) {
    report.to_do.push_back("run in that system: " + text);
    return {};
  }
  TRY_ASSIGN(const std::string ignored, host.run(words));
  report.done.push_back("ran " + text);
  return {};
}

// GRUB rewrites the file at each boot, so that what was there before cannot be put back as a whole.
Result<void> free_grub_environment(const RecordedHost& host, Report& report) {
  const std::string text = host.view().text(grub_environment(host)).value_or("");
  const Words& words = host.record().words;
  const bool has_ours = std::ranges::any_of(
      words, [&](const std::string& word) { return text.find(word) != std::string::npos; });
  if (!has_ours) return {};
  const std::string ours = fmt::format("{}", fmt::join(words, " "));
  if (host.has_program("grubby"))
    return run_or_tell(host, {"grubby", "--update-kernel=ALL", "--remove-args", ours}, report);
  report.to_do.push_back(
      fmt::format("take these out of kernelopts with grub2-editenv, or the machine will not boot: {}", ours));
  return {};
}

Result<void> rebuild_initramfs(const RecordedHost& host, Report& report) {
  if (!host.record().initramfs) return {};
  if (!host.has_program("dracut")) {
    report.to_do.emplace_back(
        "dracut is gone: make the initramfs of each kernel anew, it still holds the loader");
    return {};
  }
  for (const std::string& release : host.view().names("/usr/lib/modules")) {
    if (!host.view().exists("/usr/lib/modules/" + release + "/modules.dep")) continue;
    TRY(run_or_tell(host, {"dracut", "--force", "--kver", release}, report));
  }
  return {};
}

}  // namespace

Result<Report> undo(RecordedHost& host, const Options& options) {
  Report report;
  std::vector<RecordedFile> files = host.record().files;
  std::ranges::reverse(files);
  const UkiSettings uki = read_uki_settings(host);
  // Before the file that says where they are.
  TRY(remove_uki(host, uki, report));
  bool config_is_back = false;
  // In reverse: the command line first, then what it relies on.
  for (const RecordedFile& file : files) {
    TRY_ASSIGN(const bool same, host.put_back(file));
    if (same) {
      report.done.push_back("put back " + escape(file.path));
      config_is_back = config_is_back || file.path.ends_with("/grub.cfg");
    } else if (!file.path.ends_with("/grub.cfg")) {
      report.to_do.push_back(escape(file.path) + " was changed by somebody since; look at it");
    }
  }
  TRY(free_new_entries(host, report));
  TRY(free_grub_environment(host, report));
  if (!host.record().bootloader.empty() && !config_is_back) {
    TRY(run_or_tell(host, host.record().bootloader, report));
  }
  // Of diglim-watch, make-uki and diglim-pcrlock.
  for (const char* const made : {kWatchPath, kKnownImages, kPcrlockState}) {
    const std::string path = host.view().path(made);
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return from_errno("remove " + escape(path), errno);
  }
  if (host.view().exists("/var/lib/systemd/pcrlock.json"))
    report.to_do.emplace_back(
        "what is bound to systemd-pcrlock's policy does not open by itself from the next boot on: have its "
        "recovery key at hand, or bind it to something else; systemctl disable diglim-pcrlock.service");
  TRY(remove_lists(host, report));
  warn_of_running_command_line(host, report);
  if (!options.no_initramfs) TRY(rebuild_initramfs(host, report));
  TRY(host.forget());
  return report;
}

}  // namespace diglim::setup
