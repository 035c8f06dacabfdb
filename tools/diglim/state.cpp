// SPDX-License-Identifier: Apache-2.0
// `diglim` without a verb, and the verb `state`. See diglim(1), diglim-state(1).
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "lib/base/exit_status.h"
#include "lib/base/json.h"
#include "lib/base/paths.h"
#include "lib/events/reasons.h"
#include "tools/colour.h"
#include "tools/diglim/allow/store.h"
#include "tools/diglim/allow/when.h"
#include "tools/diglim/audit/state_file.h"
#include "tools/diglim/explain/log.h"
#include "tools/diglim/measure/options.h"
#include "tools/diglim/setup/clean.h"
#include "tools/diglim/setup/recorded_host.h"
#include "tools/diglim/state/summary.h"
#include "tools/diglim/verbs.h"
#include "tools/diglim/written.h"
#include "tools/run_command.h"
#include "tools/tool.h"

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

int run_state(bool as_json) {
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
  if (as_json) {
    JsonWriter json;
    json.begin_object().key("good").value(summary.good).key("active").value(facts.status.has_value());
    json.key("set_up").value(facts.is_set_up).key("exceptions").value(uint64_t{facts.exceptions});
    json.key("next_end").value(facts.next_end).key("last_denied").value(facts.last_denied);
    json.key("last_denied_at").value(facts.last_denied_at).key("lines").begin_array();
    for (const std::string& line : summary.lines) json.value(line);
    fmt::print("{}\n", json.end_array().key("next").value(summary.next).end_object().text());
    return summary.good ? kExitOk : kExitEnvironment;
  }
  for (const std::string& line : summary.lines) fmt::print("{}\n", line);
  fmt::print("{}\n", bold("to do       " + summary.next));
  return summary.good ? kExitOk : kExitEnvironment;
}

int run_state(int argc, char** argv) {
  audit::Source source;
  std::string output = "-";
  bool as_json = false;
  OptionParser app("Says how DIGLIM is, in lines \"key = value\" for programs that read files.", argv[0]);
  app.add_option("-o,--output", output, "file to write, at once or not at all (default: stdout)");
  app.add_option("--loader", source.loader, "program to run in place of diglim-loader");
  app.add_flag("--json", as_json, "the same as one JSON object");
  if (const auto status = app.parse(argc, argv)) return *status;
  audit::Facts facts = audit::read_facts(source);
  const explain::Log log = explain::read_log("", 1);
  if (!log.denials.empty()) {
    const auto& last = log.denials.back();
    facts.last = audit::LastDenial{last.time_us / 1'000'000, reason_text(last.denial.reason)};
  }
  const std::string text = as_json ? audit::state_json(facts) : audit::state_text(facts);
  if (const auto done = write_output(output, as_bytes(text), 0644); !done) {
    complain(argv[0], done.error().message);
    return kExitEnvironment;
  }
  return facts.is_active() ? kExitOk : kExitEnvironment;
}

}  // namespace diglim
