// SPDX-License-Identifier: Apache-2.0
// One policy for many machines: what holds for all, and for some the differences. FORMAT.md describes it.
#pragma once

#include <map>
#include <string>

#include "lib/attest/policy.h"

namespace diglim {

class FleetPolicy {
 public:
  FleetPolicy(VerifierPolicy base) : base_(std::move(base)) {}  // NOLINT: one policy is one for all

  const VerifierPolicy& base() const { return base_; }
  // The base for a machine without differences.
  const VerifierPolicy& of(const std::string& machine) const;
  bool has_machines() const { return !machines_.empty(); }

 private:
  friend Result<FleetPolicy> read_fleet_policy(std::string_view json);

  VerifierPolicy base_;
  std::map<std::string, VerifierPolicy> machines_;  // share `accepted` with the base where they do not differ
};

// Errors as read_policy(); one in the differences of a machine names the machine.
Result<FleetPolicy> read_fleet_policy(std::string_view json);

// The text of `fleet_json` with what `policy` has and the base lacks as the differences of this machine;
// those that it had before go. Lists are added to the base's, every other key takes the base's place; what
// `policy` leaves open stays as in the base. Ends with a line feed. Errors as read_fleet_policy().
Result<std::string> write_machine(std::string_view fleet_json, const std::string& machine,
                                  const VerifierPolicy& policy);

}  // namespace diglim
