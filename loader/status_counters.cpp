// SPDX-License-Identifier: Apache-2.0
#include "loader/status_counters.h"

#include <iterator>

#include "loader/kernel/runs.h"

namespace diglim {
namespace {

// By enum diglim_kind.
constexpr const char* kKinds[] = {nullptr, "exec",        "mmap",        "mprotect",
                                  "write", "kernel_read", "kernel_load", "guard"};
static_assert(std::size(kKinds) == DIGLIM_KINDS && DIGLIM_KIND_GUARD == DIGLIM_KINDS - 1);

}  // namespace

void put_counters(JsonWriter& json, const diglim_counters& counters) {
  json.key("verdicts").begin_object();
  json.key("hashed").value(uint64_t{counters.hashed});
  json.key("hashed_bytes").value(uint64_t{counters.hashed_bytes});
  json.key("decided").begin_object();
  for (int kind = DIGLIM_KIND_EXEC; kind < DIGLIM_KINDS; ++kind) {
    const auto& decided = counters.decided[kind];
    json.key(kKinds[kind]).begin_object();
    json.key("known").value(uint64_t{decided[DIGLIM_OUTCOME_KNOWN]});
    json.key("denied").value(uint64_t{decided[DIGLIM_OUTCOME_DENIED]});
    json.key("passed").value(uint64_t{decided[DIGLIM_OUTCOME_PASSED]}).end_object();
  }
  json.end_object().end_object();
  if (!counts_runs()) return;
  json.key("programs").begin_array();
  for (const ProgramRuns& program : read_runs()) {
    json.begin_object().key("name").value(program.name);
    json.key("runs").value(program.runs).key("ns").value(program.ns).end_object();
  }
  json.end_array();
}

}  // namespace diglim
