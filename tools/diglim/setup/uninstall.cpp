// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/digest_list/rpm_list.h"
#include "policy/config.h"
#include "tools/diglim/setup/setup.h"

namespace diglim::setup {
namespace {

// Boot entries that came with kernels after the installation have our words too, by way of
// /etc/kernel/cmdline.
Result<void> free_new_entries(const System& system, Report& report) {
  for (const std::string folder :
       {"/boot/loader/entries", "/efi/loader/entries", "/boot/efi/loader/entries"}) {
    for (const std::string& name : system.host().names(folder)) {
      if (!name.ends_with(".conf") || name.starts_with('.')) continue;
      const std::string path = folder + "/" + name;
      TRY_ASSIGN(const auto text, system.read(path));
      if (!text) continue;
      const std::string freed = remove_from_file(*text, Format::kBlsEntry, system.record().words);
      if (freed == *text) continue;
      TRY(system.replace(path, freed));
      report.done.push_back("freed the command line of " + escape(path));
    }
  }
  return {};
}

// kernel-install gives a new kernel the running one's command line where no file has another: with our words,
// and an initramfs without the loader, that kernel would not boot.
void warn_of_running_command_line(const System& system, Report& report) {
  const auto loader = system.host().parameter("rdinit");
  if (!system.host().is_live() || !loader || !loader->ends_with("/diglim-loader")) return;
  if (!system.host().exists("/boot/loader/entries") || system.host().exists("/etc/kernel/cmdline")) return;
  report.to_do.emplace_back(
      "reboot before you install or update a kernel: it would get the command line of the running one");
}

Result<void> remove_lists(const System& system, Report& report) {
  const Record& record = system.record();
  if (!record.lists) return {};
  const std::set<std::string> before(record.lists_before.begin(), record.lists_before.end());
  size_t removed = 0;
  for (const std::string& name : system.host().names(kListsFolder)) {
    const bool left_over = name.starts_with("." + std::string(kRpmListPrefix));
    if (!left_over && (!name.starts_with(kRpmListPrefix) || before.contains(name))) continue;
    const std::string path = system.host().path(std::string(kListsFolder) + "/" + name);
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return from_errno("remove " + escape(path), errno);
    ++removed;
  }
  report.done.push_back(fmt::format("removed {} digest lists from {}", removed, kListsFolder));
  return {};
}

Result<void> run_or_tell(const System& system, const std::vector<std::string>& words, Report& report) {
  const std::string text = fmt::format("{}", fmt::join(words, " "));
  if (!system.runs_commands()) {
    report.to_do.push_back("run in that system: " + text);
    return {};
  }
  TRY_ASSIGN(const std::string ignored, system.run(words));
  report.done.push_back("ran " + text);
  return {};
}

// GRUB rewrites the file at each boot, so that what was there before cannot be put back as a whole.
Result<void> free_grub_environment(const System& system, Report& report) {
  const std::string text = system.host().text(grub_environment(system)).value_or("");
  const Words& words = system.record().words;
  const bool has_ours = std::ranges::any_of(
      words, [&](const std::string& word) { return text.find(word) != std::string::npos; });
  if (!has_ours) return {};
  const std::string ours = fmt::format("{}", fmt::join(words, " "));
  if (system.has_program("grubby"))
    return run_or_tell(system, {"grubby", "--update-kernel=ALL", "--remove-args", ours}, report);
  report.to_do.push_back(
      fmt::format("take these out of kernelopts with grub2-editenv, or the machine will not boot: {}", ours));
  return {};
}

Result<void> rebuild_initramfs(const System& system, Report& report) {
  if (!system.record().initramfs) return {};
  if (!system.has_program("dracut")) {
    report.to_do.emplace_back(
        "dracut is gone: make the initramfs of each kernel anew, it still holds the loader");
    return {};
  }
  for (const std::string& release : system.host().names("/usr/lib/modules")) {
    if (!system.host().exists("/usr/lib/modules/" + release + "/modules.dep")) continue;
    TRY(run_or_tell(system, {"dracut", "--force", "--kver", release}, report));
  }
  return {};
}

}  // namespace

Result<Report> undo(System& system, const Options& options) {
  Report report;
  std::vector<RecordedFile> files = system.record().files;
  std::ranges::reverse(files);
  bool config_is_back = false;
  // In reverse: the command line first, then what it relies on.
  for (const RecordedFile& file : files) {
    TRY_ASSIGN(const bool same, system.put_back(file));
    if (same) {
      report.done.push_back("put back " + escape(file.path));
      config_is_back = config_is_back || file.path.ends_with("/grub.cfg");
    } else if (!file.path.ends_with("/grub.cfg")) {
      report.to_do.push_back(escape(file.path) + " was changed by somebody since; look at it");
    }
  }
  TRY(free_new_entries(system, report));
  TRY(free_grub_environment(system, report));
  if (!system.record().bootloader.empty() && !config_is_back) {
    TRY(run_or_tell(system, system.record().bootloader, report));
  }
  TRY(remove_lists(system, report));
  warn_of_running_command_line(system, report);
  if (!options.no_initramfs) TRY(rebuild_initramfs(system, report));
  TRY(system.forget());
  return report;
}

}  // namespace diglim::setup
