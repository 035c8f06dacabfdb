// SPDX-License-Identifier: Apache-2.0
// The verb `monitor`: for a time what is unknown runs, and is logged. The kernel's programs compare the time
// themselves, so nothing has to live for it to end.
#include <syslog.h>

#include <charconv>
#include <cstdio>
#include <string>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/digest_list/digest_list.h"
#include "lib/monitor/statement.h"
#include "loader/kernel/lease.h"
#include "loader/kernel/maps.h"
#include "loader/log.h"
#include "loader/options.h"
#include "loader/update.h"
#include "loader/verbs.h"

namespace diglim {
namespace {

constexpr char kHelp[] =
    "Usage: diglim-loader monitor --statement FILE | --for SECONDS --reason TEXT | --end\n\n"
    "Begins monitor mode: until its end what is unknown is not denied but logged (\"would deny\"). Modules,\n"
    "firmware, kexec and DIGLIM itself stay guarded. It is measured, and ends by itself. People use\n"
    "diglim-monitor(1).\n\n"
    "  --statement FILE  a trusted key's statement, which says how long and why\n"
    "  --for SECONDS     without a statement: where loader.conf has monitor = root, and no lockdown\n"
    "  --reason TEXT     why\n"
    "  --end             end it now; nothing is needed for that\n"
    "  -h, --help        show this\n\n"
    "Exit status: 0 done, 1 it is not allowed, 2 usage, 3 DIGLIM is not active or the kernel refused.\n";

constexpr uint64_t kSecond_ns = 1'000'000'000;
constexpr size_t kMostStatement = 64 << 10;

struct Wish {
  std::string statement;
  uint64_t seconds = 0;
  std::string reason;
};

// What it may be, and by whom. Everything that this goes by root cannot forge: the time is the kernel's own,
// the boot's id was read before root could show another, number and keys are in frozen maps.
Result<ManifestMonitor> allow(const Wish& wish, const Bytes& statement_file, const KernelState& state,
                              const Generation& generation, const TrustStore& trust, uint64_t now_ns) {
  if (state.monitor == DIGLIM_MONITOR_OFF)
    return untrusted("loader.conf of this boot has no monitor = signed (or root), so nobody may");
  // With SELinux the manifest of the boot comes later, and would not say so.
  if (state.measures && !state.measuring)
    return unsupported("measuring has not begun (no policy of SELinux yet), so it would not be measured");
  if (wish.statement.empty()) {
    if (state.monitor != DIGLIM_MONITOR_ROOT)
      return untrusted("root may not alone: a statement of a trusted key is needed (diglim monitor request)");
    TRY(check_monitor_seconds(wish.seconds));
    TRY(check_monitor_reason(wish.reason));
    return ManifestMonitor{wish.seconds, "", wish.reason};
  }
  TRY_ASSIGN(const SignedMonitorStatement found, verify_monitor_statement(statement_file, trust));
  const MonitorStatement& statement = found.statement;
  if (statement.boot != state.boot_id) return untrusted("the statement is for another boot, or machine");
  const uint32_t number = generation.monitor().count + 1;
  if (statement.number != number) {
    return untrusted("the statement is for monitor mode number " + std::to_string(statement.number) +
                     " of this boot, and the next one is number " + std::to_string(number));
  }
  if (now_ns / kSecond_ns >= statement.before) return untrusted("the time in which it could begin is over");
  return ManifestMonitor{statement.seconds, found.signer, statement.reason};
}

Result<bool> begin(const Wish& wish, const Bytes& statement_file, const KernelState& state,
                   Generation& generation, const TrustStore& trust, ManifestMonitor& monitor, int& status) {
  TRY_ASSIGN(const Lease kernel, Lease::open());
  TRY_ASSIGN(const Lease::Holder now, kernel.ask());
  status = kExitRejected;
  TRY_ASSIGN(monitor, allow(wish, statement_file, state, generation, trust, now.boot_ns));
  status = kExitEnvironment;
  TRY(generation.begin_monitor(now.boot_ns + monitor.seconds * kSecond_ns, monitor.reason));
  const int error =
      log_line(LOG_WARNING, "monitor mode begins: for " + std::to_string(monitor.seconds) +
                                " s what is unknown runs, because: " + monitor.reason + "; allowed by " +
                                (monitor.signer.empty() ? "root" : escape(monitor.signer, 512)));
  if (error != 0) return from_errno("say so in the kernel log", error);
  return true;
}

bool end(Generation& generation) {
  if (generation.monitor().until_ns == 0) return false;
  generation.end_monitor();
  return true;
}

// The exit status, if the command line makes no sense.
int read_wish(const CommandLine& line, Wish& wish, bool& ends) {
  bool has_time = false;
  for (const auto& [name, value] : line.options) {
    if (name == "end") ends = true;
    if (name == "statement") wish.statement = value;
    if (name == "reason") wish.reason = value;
    if (name != "for") continue;
    has_time = true;
    const auto [rest, error] = std::from_chars(value.data(), value.data() + value.size(), wish.seconds);
    if (error != std::errc() || rest != value.data() + value.size())
      return usage_error("monitor", "--for wants a number of seconds");
  }
  const bool by_root = has_time && !wish.reason.empty();
  const bool says_both = has_time || !wish.reason.empty();
  const int ways = (ends ? 1 : 0) + (wish.statement.empty() ? 0 : 1) + (says_both ? 1 : 0);
  if (ways == 1 && (!says_both || by_root)) return kExitOk;
  return usage_error("monitor", "--statement FILE, or --for SECONDS --reason TEXT, or --end");
}

int fail(const Error& error, bool begun, int status) {
  if (begun) log_line(LOG_WARNING, "monitor mode did not begin: " + error.message);
  (void)fprintf(stderr, "diglim-loader monitor: %s; nothing was changed\n", error.message.c_str());
  return status;
}

}  // namespace

int run_monitor(int argc, char** argv) {
  const CommandLine line = parse_command_line(
      argc, argv, {kHelp, nullptr, {{"statement", true}, {"for", true}, {"reason", true}, {"end", false}}});
  if (line.exit >= 0) return line.exit;
  Wish wish;
  bool ends = false;
  if (const int status = read_wish(line, wish, ends); status != kExitOk) return status;
  Bytes statement_file;
  if (!wish.statement.empty()) {
    auto file = read_file(wish.statement, kMostStatement);
    if (!file) return fail(file.error(), false, kExitRejected);
    statement_file = *std::move(file);
  }
  const auto state = read_state();
  if (!state) return fail(state.error(), false, kExitEnvironment);
  if (!ends && state->mode != DIGLIM_MODE_ENFORCE)
    return fail(unsupported("this mode denies nothing that monitor mode would let run"), false,
                kExitRejected);
  ManifestMonitor monitor;
  bool begun = false;
  int status = kExitEnvironment;  // of an error that comes next
  const auto result = update_generation(
      [&](Generation& generation, const TrustStore& trust) -> Result<bool> {
        if (ends) return end(generation);
        TRY_ASSIGN(begun, begin(wish, statement_file, *state, generation, trust, monitor, status));
        return begun;
      },
      &monitor);
  if (!result) return fail(result.error(), begun, status);
  if (!ends) {
    printf("monitor mode for %llu seconds: what is unknown runs, and is logged\n",
           static_cast<unsigned long long>(monitor.seconds));
  } else if (result->changed) {
    log_line(LOG_WARNING, "monitor mode was ended: what is unknown is denied again");
    printf("monitor mode is over\n");
  } else {
    printf("there was no monitor mode\n");
  }
  return kExitOk;
}

}  // namespace diglim
