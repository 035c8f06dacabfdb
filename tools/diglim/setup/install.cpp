// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/digest_list/rpm_list.h"
#include "lib/librpm/database.h"
#include "policy/config.h"
#include "tools/diglim/setup/clean.h"
#include "tools/diglim/setup/setup.h"
#include "tools/diglim/setup/uki.h"
#include "tools/list_folder.h"
#include "tools/progress.h"

namespace diglim::setup {
namespace {

// A list that is there with other bytes is kept in the record, so that uninstall can put it back.
Result<void> keep_other_list(RecordedHost& host, const std::string& nvra, ByteView list) {
  TRY_ASSIGN(const std::string name, rpm_list_name(nvra));
  const std::string path = std::string(kListsFolder) + "/" + name;
  TRY_ASSIGN(const auto present, host.read(path));
  if (!present || *present == as_text(list)) return {};
  return host.remember(path, "", as_text(list));
}

Result<std::string> write_lists(RecordedHost& host, const Options& options) {
  TRY(host.make_folder(kListsFolder));
  Record& record = host.record();
  if (!record.lists) {
    record.lists = true;
    for (const std::string& name : host.view().names(kListsFolder)) {
      if (name.starts_with(kRpmListPrefix)) record.lists_before.push_back(name);
    }
    TRY(host.save());
  }
  const std::set<std::string> before(record.lists_before.begin(), record.lists_before.end());
  TRY_ASSIGN(const std::string database,
             find_rpm_database(host.view().is_live() ? "" : host.view().path("/"), options.dbpath));
  ListFolder folder(host.view().path(kListsFolder));
  size_t without = 0;
  std::optional<Progress> bar;
  const auto read =
      for_each_package(database, [&](const InstalledPackage& package, size_t total) -> Result<void> {
        if (!bar) bar.emplace("digest lists", total, !options.json);
        bar->step(package.nvra);
        const auto list = make_rpm_list(package.region, package.packets);
        if (!list) {
          ++without;
          return {};
        }
        if (!before.empty()) TRY(keep_other_list(host, package.nvra, *list));
        return folder.write(package.nvra, *list);
      });
  if (!read) return read.error();
  bar.reset();
  std::string text = fmt::format("{} digest lists in {} ({} written)", folder.names().size(), kListsFolder,
                                 folder.written());
  if (without > 0)
    text += fmt::format("; {} packages are not signed and have none: diglim doctor names them", without);
  return text;
}

// What an earlier run wanted is over: this one says what holds.
Result<void> start_watch(const RecordedHost& host, const Options& options) {
  const std::string path = host.view().path(kWatchPath);
  if (options.enforce_when_clean > 0) {
    CleanWatch watch;
    watch.days = options.enforce_when_clean;
    watch.lockdown = options.lockdown;
    return save_watch(path, watch);
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return from_errno("remove " + path, errno);
  return {};
}

Result<void> run_step_command(RecordedHost& host, const Command& command, Report& report) {
  const std::string text = fmt::format("{}", fmt::join(command.words, " "));
  if (!host.runs_commands()) {
    if (command.must_say.empty()) report.to_do.push_back("run in that system: " + text);
    return {};
  }
  for (const auto& [path, format] : command.changes) TRY(host.remember(path, format));
  TRY_ASSIGN(const std::string output, host.run(command.words));
  for (const auto& [path, format] : command.changes) TRY(host.remember_after(path));
  if (output.find(command.must_say) == std::string::npos) {
    return not_found(
        fmt::format("{} does not show {}: this machine would not boot, so its command line was left alone",
                    text, command.must_say));
  }
  if (command.must_write.path.empty()) return {};
  const auto written = host.view().text(command.must_write.path);
  if (written.value_or("").find(command.must_write.text) != std::string::npos) return {};
  return not_found(fmt::format("{} left {} without {}: {}", text, command.must_write.path,
                               command.must_write.text, command.must_write.advice));
}

}  // namespace

Result<Report> carry_out(RecordedHost& host, const Plan& plan, const Options& options) {
  Report report;
  TRY(host.make_folder(kKeysFolder));
  for (const Step& step : plan.steps) {
    if (step.id == "command_line") {
      // All words that any run has put there, for uninstall.
      std::set<std::string> words(host.record().words.begin(), host.record().words.end());
      words.insert(plan.words.begin(), plan.words.end());
      words.insert("diglim.mode=permissive");
      host.record().words.assign(words.begin(), words.end());
    }
    if (step.id == "initramfs") host.record().initramfs = true;
    TRY(host.save());
    if (step.id == "lists") TRY(start_watch(host, options));
    for (const FileChange& change : step.files) TRY(host.write(change));
    if (step.id == "images") TRY(make_uki_folders(host));
    std::string done = step.what;
    if (step.id == "lists") {
      TRY_ASSIGN(done, write_lists(host, options));
    }
    for (const Command& command : step.commands) {
      if (step.id == "command_line" && command.words[0] != "grubby") host.record().bootloader = command.words;
      TRY(run_step_command(host, command, report));
    }
    // grubby changes every entry, so the permissive one too: that has to stay permissive.
    if (!step.commands.empty()) {
      for (const FileChange& change : step.files) TRY(host.write(change));
    }
    report.done.push_back(done);
    if (!options.json) fmt::print("done: {}\n", done);
    (void)std::fflush(stdout);  // long steps follow; an error shows when the rest is written
  }
  if (options.uki) tell_uki(host, report);
  return report;
}

}  // namespace diglim::setup
