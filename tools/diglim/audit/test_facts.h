// SPDX-License-Identifier: Apache-2.0
// What a loader says, for tests.
#pragma once

#include "tools/diglim/audit/facts.h"

namespace diglim::audit {

inline Facts active_facts() {
  Facts facts;
  facts.version = "1.2.3";
  facts.kernel = "6.12.0";
  facts.clock = {1'800'000'000, "boot-1", 100};
  facts.booted_at = 1'799'999'900;
  facts.mode = "enforce";
  facts.status = nlohmann::json::parse(R"({
    "mode": "enforce", "measure": true, "measuring": true, "generation": 7, "loaded_at": 1799999950, "algorithm": "sha256",
    "digests": 20, "memory_bytes": 4096, "lists": [{"name": "a", "digests": 20, "signer": "k"}, {"name": "b", "digests": 0, "signer": "k"}],
    "keys": ["k"], "fingerprints": ["x509:aa"], "unusable_keys": [], "left_out_keys": ["README: not a key"],
    "events": {"denied": 9, "dropped": 1, "logged": 5, "not_logged": 2, "not_written": 1, "log_fault": "", "keeper_restarts": 0},
    "verdicts": {"hashed": 4, "hashed_bytes": 5000, "decided": {"exec": {"known": 10, "denied": 3, "passed": 0}}}
  })");
  return facts;
}

inline void add_exception(Facts& facts, const std::string& owner, uint64_t until) {
  allow::Exception one;
  one.list = "0-file_list-compact-allow-x-" + std::to_string(facts.exceptions.size());
  one.owner = owner;
  one.reason = "because";
  one.end.until = until;
  one.made = 1'799'000'000;
  facts.exceptions.push_back(one);
}

}  // namespace diglim::audit
