// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/explain/details.h"

#include <fmt/format.h>

#include <ctime>

#include "lib/base/text.h"
#include "tools/tool.h"

namespace diglim::explain {
namespace {

using known::Cause;

struct GuardRow {
  std::string_view what;
  Words words;
};

constexpr GuardRow kGuards[] = {
    {"open a BPF map of DIGLIM",
     {"protected", "Somebody opened DIGLIM's BPF maps. bpftool and monitoring agents do when they list all.",
      "ps -fp {pid}",
      "shows who it was, if it still runs; all other maps it gets, so nothing has to be done"}},
    {"open a BPF program of DIGLIM",
     {"protected",
      "Somebody opened DIGLIM's BPF programs. bpftool and monitoring agents do when they list all.",
      "ps -fp {pid}",
      "shows who it was, if it still runs; all other programs it gets, so nothing has to be done"}},
    {"load a BPF program that can overrule the kernel",
     {"protected",
      "A BPF program was to be loaded that can change the kernel's own answers (fmod_ret, error injection, "
      "some "
      "LSM programs), and so DIGLIM's.",
      "ps -fp {pid}",
      "shows who loads it, if it still runs; programs that only watch (kprobe, tracepoint, fentry) may be "
      "loaded"}},
    {"trace DIGLIM",
     {"protected",
      "A debugger was to be attached to DIGLIM's loader or keeper (gdb -p, lldb -p, strace -p); it printed "
      "\"Operation not permitted\".",
      "ps -fp {pid}",
      "shows who it was, if it still runs; all other processes can be traced. If a debugger cannot start a "
      "program of yours, that program was denied, and its own line in the log says why"}},
    {"signal the keeper",
     {"protected", "Somebody sent a signal to the keeper, which writes DIGLIM's log (kill, killall, pkill).",
      "ps -fp {pid}", "shows who it was, if it still runs; the keeper goes on, so nothing has to be done"}},
    {"reach the mounts of kdevtmpfs, which hold DIGLIM",
     {"protected",
      "lsof, lsns and fuser as root do that with each process, and get on without it. Anything else deserves "
      "a "
      "look.",
      "ps -fp {pid}", "shows who it was, if it still runs; after one of these tools nothing has to be done"}},
    {"limit the keeper",
     {"protected", "Somebody changed the limits of the keeper, which writes DIGLIM's log (prlimit).",
      "ps -fp {pid}",
      "shows who it was, if it still runs; leave the keeper out, no other process is concerned"}},
    {"switch off ftrace",
     {"protected", "Without ftrace no BPF LSM program runs, so kernel.ftrace_enabled stays 1.",
      "grep -rs ftrace_enabled /etc/sysctl.conf /etc/sysctl.d /usr/lib/sysctl.d",
      "finds the setting, if it is one; remove it"}},
    {"loader without rights: it is traced, filtered, shares its state or has breakpoints",
     {"protected",
      "diglim-loader was started by something that could steer it: a debugger, strace, or a service with a "
      "seccomp filter. So it may not reach what it manages.",
      "diglim-loader status", "started plainly, from a shell of root's, it has its rights"}},
    {"load an IMA policy",
     {"protected",
      "Somebody wrote an IMA policy. It could let IMA answer for DIGLIM, or measure other things.",
      "ps -fp {pid}",
      "shows who it was, if it still runs; rules of your own belong on the kernel's command line, before "
      "DIGLIM"}},
    {"change a manifest of what the loader trusts",
     {"protected", "Somebody wrote to a file in /run/diglim that is measured.", "ps -fp {pid}",
      "shows who it was, if it still runs; nothing allows it"}},
    {"exchange content that was checked for what lies on the disk",
     {"protected",
      "Somebody had the kernel forget checked pages (MADV_HWPOISON, hard_offline_page), as tests of memory "
      "errors "
      "do.",
      "ps -fp {pid}", "shows who it was, if it still runs; such tests cannot run while DIGLIM enforces"}},
};

std::string time_text(uint64_t seconds) {
  const auto when = static_cast<time_t>(seconds);
  tm parts = {};
  char text[32] = "?";
  if (localtime_r(&when, &parts) != nullptr) (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

void add_change(const Facts& facts, std::vector<std::string>& lines) {
  if (facts.elf && facts.elf->prelinked)
    lines.emplace_back(
        "It was prelinked: prelink(8) rewrites packaged files. Remove prelink; before that, `prelink -ua` "
        "puts all "
        "of them back.");
  else if (facts.elf && facts.elf->has_sections && !facts.elf->has_symbols && facts.size < facts.shipped_size)
    lines.push_back(
        fmt::format("It has no symbols and is {} bytes shorter than what was shipped, as after strip(1) or a "
                    "tool that calls it.",
                    facts.shipped_size - facts.size));
  if (!facts.tool.empty())
    lines.push_back(fmt::format(
        "Its first lines say that {} wrote it: whatever {} makes of it next has to be allowed again.",
        facts.tool, facts.tool));
  if (facts.written_at > 0)
    lines.push_back(fmt::format("It was last written at {}.", time_text(facts.written_at)));
}

}  // namespace

std::vector<std::string> details(const Denial* denial, const Facts& facts) {
  std::vector<std::string> lines;
  const Cause cause = facts.verdict.cause;
  if (cause == Cause::kChanged || cause == Cause::kConfigChanged) add_change(facts, lines);
  const std::string machine = facts.elf ? other_machine(*facts.elf, facts.machine) : "";
  if (!machine.empty())
    lines.push_back(fmt::format(
        "It is a program for {}, and this machine is {}: it runs by an emulator only, whatever is allowed. "
        "Without one the kernel says \"Exec format error\".",
        machine, facts.machine));
  if (facts.interpreter_missing)
    lines.push_back(fmt::format(
        "Its interpreter {} is not there, so it cannot start anyway: the kernel says \"No such file or "
        "directory\" of the file itself.",
        escape(facts.interpreter)));
  else if (facts.interpreter_cause != Cause::kNone)
    lines.push_back(
        fmt::format("Its interpreter {} would be denied, too; that is another question: diglim explain {}",
                    escape(facts.interpreter), shell_word(facts.interpreter)));
  if (denial != nullptr && denial->what == "mmap" && facts.path.find(".so") != std::string::npos)
    lines.push_back(fmt::format(
        "{} was let through and wanted this library; it said no more than \"cannot open shared object "
        "file\" or \"failed to map segment from shared object\".",
        escape(denial->command)));
  return lines;
}

const Words* guard_explanation(std::string_view what) {
  for (const GuardRow& row : kGuards) {
    if (row.what == what) return &row.words;
  }
  return nullptr;
}

}  // namespace diglim::explain
