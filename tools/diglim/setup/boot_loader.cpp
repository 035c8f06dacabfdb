// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string.h>  // strverscmp

#include <algorithm>
#include <array>
#include <sstream>

#include "lib/base/text.h"
#include "policy/command_line.h"
#include "tools/diglim/setup/plan.h"

namespace diglim::setup {
namespace {

constexpr std::array<const char*, 3> kEntryFolders = {"/boot/loader/entries", "/efi/loader/entries",
                                                      "/boot/efi/loader/entries"};
constexpr const char* kKernelCommandLine = "/etc/kernel/cmdline";
constexpr const char* kGrubDefault = "/etc/default/grub";
// grub-mkconfig executes what lies in /etc/grub.d, and may do so while DIGLIM enforces: a file that setup
// wrote itself would be on no list, and no menu would be made any more. So the script is packaged, this a
// link to it.
constexpr const char* kPermissiveLink = "/etc/grub.d/42_diglim";
constexpr const char* kPermissiveScript = "/usr/libexec/diglim/grub-permissive";
constexpr std::string_view kPermissive = "diglim.mode=permissive";
constexpr std::string_view kOwnEntry = "-0-diglim-permissive.conf";
// What GRUB adds to an entry's line (BOOT_IMAGE=) or systemd-boot (initrd=); and grub-mkconfig, with
// GRUB_CMDLINE_LINUX_DEFAULT, to GRUB_CMDLINE_LINUX.
constexpr size_t kAddedToEntry = 150;
constexpr size_t kAddedToDefault = 400;

bool is_entry(const std::string& name) {
  return name.ends_with(".conf") && !name.starts_with('.') && !name.ends_with(kOwnEntry);
}

std::string entry_folder(const RecordedHost& host) {
  for (const char* folder : kEntryFolders) {
    if (std::ranges::any_of(host.view().names(folder), is_entry)) return folder;
  }
  return {};
}

std::vector<std::string> entries_of(const RecordedHost& host, const std::string& folder) {
  std::vector<std::string> names = host.view().names(folder);
  std::erase_if(names, [](const std::string& name) { return !is_entry(name); });
  return names;
}

// The newest kernel's, never the rescue one's.
std::string newest_entry(const std::vector<std::string>& names) {
  std::string newest;
  for (const std::string& name : names) {
    if (name.find("-0-rescue") != std::string::npos) continue;
    if (newest.empty() || strverscmp(name.c_str(), newest.c_str()) > 0) newest = name;
  }
  return newest.empty() ? names.back() : newest;
}

// "MACHINEID-0-...": boot loaders sort entries by version, and 0 is the last; so is the rescue entry's.
std::string permissive_name(const std::string& name) {
  const size_t dash = name.find('-');
  return name.substr(0, dash == std::string::npos ? name.size() - 5 : dash) + std::string(kOwnEntry);
}

Result<void> add_edit(const RecordedHost& host, const std::string& path, Format format,
                      const char* format_name, const Words& words, Step& step) {
  TRY_ASSIGN(const auto text, host.read(path));
  if (!text) return {};
  // An earlier run may have added words that are no longer wanted.
  const std::string clean = remove_from_file(*text, format, host.record().words);
  step.files.push_back({path, add_to_file(clean, format, words), 0644, false, format_name});
  return {};
}

// What an edit left in a file has to be a line by which the kernel starts DIGLIM.
Result<void> check_edit(const Step& step, const std::string& path, const Words& words) {
  const auto change = std::ranges::find(step.files, path, &FileChange::path);
  if (change == step.files.end()) return {};
  const bool grub = change->format == "grub";
  const std::string line = grub ? grub_line_of(change->content) : std::string(trim(change->content));
  const auto checked = check_line(line, words, grub ? kAddedToDefault : kAddedToEntry);
  if (!checked) return with_context(path, checked.error());
  return {};
}

// As GRUB reads it: with what the variable is.
std::string expanded(const RecordedHost& host, std::string options) {
  constexpr std::string_view kVariable = "$kernelopts";
  const size_t at = options.find(kVariable);
  if (at == std::string::npos) return options;
  std::istringstream lines(host.view().text(grub_environment(host)).value_or(""));
  std::string value;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("kernelopts=")) value = line.substr(line.find('=') + 1);
  }
  return options.replace(at, kVariable.size(), value);
}

// An entry's line as it will be. grubby adds words at the end, so behind "--", where they are not the
// kernel's.
Result<void> check_entry(const RecordedHost& host, const std::string& path, const Words& words, bool grubby) {
  const std::string options = options_of(host.view().text(path).value_or(""));
  const std::string now = expanded(host, options);
  const auto has_dashes = [](std::string_view line) {
    return std::ranges::count(kernel_words(line), "--") > 0;
  };
  if (grubby && has_dashes(now))
    return invalid(fmt::format(
        "{}: the command line of {} has \"--\", and grubby would put DIGLIM's words behind it, where "
        "the kernel does not look: take \"--\" and what follows out of it, or remove grubby: entries "
        "are then changed without",
        has_dashes(options) ? escape(path) : grub_environment(host), escape(path)));
  const auto checked = check_line(
      grubby ? with_words(now, words) : expanded(host, with_words(options, words)), words, kAddedToEntry);
  if (!checked) return with_context(escape(path), checked.error());
  return {};
}

Result<void> add_permissive_entry(const RecordedHost& host, const std::string& folder,
                                  const std::vector<std::string>& names, const Words& words, Step& step) {
  const std::string name = newest_entry(names);
  TRY_ASSIGN(const auto text, host.read(folder + "/" + name));
  if (!text) return {};
  // Made from the entry as it is without our words, so that a second run makes the same.
  const std::string clean = remove_from_file(*text, Format::kBlsEntry, host.record().words);
  step.files.push_back({folder + "/" + permissive_name(name), permissive_entry(clean, words, kPermissive),
                        0644, false, "bls"});
  return {};
}

// Where kernel-install takes the command line of a new kernel from. Without that file it is the running
// kernel's, which has our words only after the reboot: a kernel installed before would boot without DIGLIM.
Result<void> add_for_new_kernels(const RecordedHost& host, const std::string& folder,
                                 const std::vector<std::string>& names, const Words& words, Step& step) {
  if (host.view().exists(kKernelCommandLine)) {
    TRY(add_edit(host, kKernelCommandLine, Format::kPlain, "plain", words, step));
    return check_edit(step, kKernelCommandLine, words);
  }
  TRY_ASSIGN(const auto text, host.read(folder + "/" + newest_entry(names)));
  const std::string options = options_of(text.value_or(""));
  if (options.empty()) return {};
  step.files.push_back({kKernelCommandLine,
                        with_words(without_words(options, host.record().words), words) + "\n", 0644, false,
                        "plain"});
  return check_edit(step, kKernelCommandLine, words);
}

Result<Step> plan_entries(const RecordedHost& host, const std::string& folder, const Words& words,
                          bool grubby) {
  Step step{"command_line", "", {}, {}};
  const auto names = entries_of(host, folder);
  for (const std::string& name : names) TRY(check_entry(host, folder + "/" + name, words, grubby));
  TRY(add_permissive_entry(host, folder, names, words, step));
  Command command{
      {"grubby", "--update-kernel=ALL", "--args", fmt::format("{}", fmt::join(words, " "))}, {}, {}};
  Words stale = host.record().words;
  std::erase_if(stale, [&](const std::string& word) { return std::ranges::count(words, word) > 0; });
  if (!stale.empty()) {
    command.words.emplace_back("--remove-args");
    command.words.push_back(fmt::format("{}", fmt::join(stale, " ")));
  }
  const std::string newest = folder + "/" + newest_entry(names);
  const bool by_variable =
      options_of(host.view().text(newest).value_or("")).find("$kernelopts") != std::string::npos;
  command.must_write = {
      by_variable ? grub_environment(host) : newest, words[0],
      "do what it should have done by hand, or remove it: entries are then changed without"};
  for (const std::string& name : names) {
    if (grubby) {
      command.changes.emplace_back(folder + "/" + name, "bls");
    } else {
      TRY(add_edit(host, folder + "/" + name, Format::kBlsEntry, "bls", words, step));
    }
  }
  TRY(add_for_new_kernels(host, folder, names, words, step));
  TRY(add_edit(host, kGrubDefault, Format::kGrubDefault, "grub", words, step));
  TRY(check_edit(step, kGrubDefault, words));
  if (grubby) step.commands.push_back(std::move(command));
  step.what = fmt::format(
      "add to the command line of {} boot entries in {}, and a permissive entry at the end of the menu",
      names.size(), folder);
  return step;
}

Result<Step> plan_grub(const RecordedHost& host, const Words& words) {
  Step step{"command_line", "", {}, {}};
  TRY(add_edit(host, kGrubDefault, Format::kGrubDefault, "grub", words, step));
  TRY(check_edit(step, kGrubDefault, words));
  if (!host.view().exists(kPermissiveScript))
    return not_found(fmt::format("{} is not there: install the package diglim anew", kPermissiveScript));
  step.files.push_back({kPermissiveLink, kPermissiveScript, 0777, true, ""});
  Command command;
  const char* config = host.view().exists("/boot/grub2") ? "/boot/grub2/grub.cfg" : "/boot/grub/grub.cfg";
  if (host.has_program("update-grub")) {
    command.words = {"update-grub"};
  } else if (host.has_program("grub2-mkconfig")) {
    command.words = {"grub2-mkconfig", "-o", config};
  } else if (host.has_program("grub-mkconfig")) {
    command.words = {"grub-mkconfig", "-o", config};
  } else {
    return not_found(std::string(kGrubDefault) + " is there, but neither update-grub nor grub-mkconfig");
  }
  command.changes.emplace_back(config, "");
  command.must_write = {
      config, words[0],
      "something else, perhaps in /etc/default/grub.d, sets GRUB_CMDLINE_LINUX anew; put the "
      "words there, or remove it"};
  step.commands.push_back(std::move(command));
  step.what =
      fmt::format("add to GRUB_CMDLINE_LINUX in {}, and a permissive entry to the menu", kGrubDefault);
  return step;
}

}  // namespace

std::string grub_environment(const RecordedHost& host) {
  for (const char* path : {"/boot/grub2/grubenv", "/boot/grub/grubenv"}) {
    if (host.view().text(path)) return path;
  }
  return {};
}

Result<std::string> newest_options(const RecordedHost& host) {
  const std::string folder = entry_folder(host);
  if (folder.empty()) return std::string();
  TRY_ASSIGN(const auto text, host.read(folder + "/" + newest_entry(entries_of(host, folder))));
  return options_of(text.value_or(""));
}

Result<Step> plan_boot_loader(const RecordedHost& host, const Words& words) {
  const std::string folder = entry_folder(host);
  if (!folder.empty()) return plan_entries(host, folder, words, host.has_program("grubby"));
  if (host.view().exists(kGrubDefault)) return plan_grub(host, words);
  return not_found(
      fmt::format("no boot loader found (no entries in {}, no {}); with --no-boot-loader the rest is done, "
                  "and you see to it that the "
                  "kernel command line gets: {}",
                  kEntryFolders[0], kGrubDefault, fmt::join(words, " ")));
}

}  // namespace diglim::setup
