// SPDX-License-Identifier: Apache-2.0
// `diglim` without a verb. See diglim(1).
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "lib/base/exit_status.h"
#include "lib/base/paths.h"
#include "tools/diglim/allow/store.h"
#include "tools/diglim/allow/when.h"
#include "tools/diglim/explain/log.h"
#include "tools/diglim/setup/clean.h"
#include "tools/diglim/setup/recorded_host.h"
#include "tools/diglim/state/summary.h"
#include "tools/diglim/verbs.h"
#include "tools/run_command.h"

namespace diglim {
namespace {

std::optional<std::string> status() {
  for (const char* loader : {kBootLoader, kInstalledLoader}) {
    if (access(loader, X_OK) != 0) continue;
    const auto done = run_command({loader, "status", "--json"}, Errors::kHide);
    if (done && done->status == kExitOk) return done->output;
  }
  return std::nullopt;
}

void add_exceptions(state::Facts& facts) {
  const auto store = allow::Store::open("", false);
  const auto contents = store ? store->read() : Result<allow::Store::Contents>(store.error());
  if (!contents) return;  // there are none
  facts.exceptions = contents->exceptions.size() + contents->damaged.size();
  for (const allow::Exception& one : contents->exceptions) {
    const uint64_t end = one.end.until;
    if (end > 0 && (facts.next_end == 0 || end < facts.next_end)) facts.next_end = end;
  }
}

}  // namespace

int run_state() {
  state::Facts facts;
  facts.is_root = geteuid() == 0;
  if (facts.is_root) facts.status = status();
  facts.is_set_up = access(setup::kRecordPath, F_OK) == 0;
  add_exceptions(facts);
  if (const auto watch = setup::load_watch(setup::kWatchPath); !watch)
    facts.watch = watch.error().message;
  else if (*watch)
    facts.watch = setup::describe(**watch, allow::read_clock().boot_id);
  const explain::Log log = explain::read_log("", 1);
  if (!log.denials.empty()) {
    const auto& last = log.denials.back();
    facts.last_denied = name_of(last.denial);
    facts.last_denied_at = last.time_us / 1'000'000;
  }
  const state::Summary summary = state::summarize(facts);
  for (const std::string& line : summary.lines) fmt::print("{}\n", line);
  fmt::print("to do       {}\n", summary.next);
  return summary.good ? kExitOk : kExitEnvironment;
}

}  // namespace diglim
