// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/fleet_policy.h"

#include "lib/attest/policy_json.h"
#include "lib/base/text.h"

namespace diglim {
namespace {

using nlohmann::json;

constexpr char kMachines[] = "machines";
constexpr char kLists[] = "lists";
constexpr char kMinimumVersions[] = "minimum_versions";

// What the many machines of one kind have in common is thousands of lists, which are read and copied once.
bool concerns_lists(const json& differences) {
  if (differences.is_object()) return differences.contains(kLists) || differences.contains(kMinimumVersions);
  for (const json& operation : differences) {
    if (!operation.is_object()) continue;
    for (const char* place : {"path", "from"}) {
      const auto found = operation.find(place);
      if (found == operation.end()) continue;
      const auto* where = found->get_ptr<const std::string*>();
      if (where != nullptr &&
          (where->empty() || where->starts_with("/lists") || where->starts_with("/minimum_versions")))
        return true;
    }
  }
  return false;
}

// RFC 7396 (an object) or RFC 6902 (an array).
Result<json> with_differences(json object, const json& differences) {
  if (differences.is_object()) {
    object.merge_patch(differences);
  } else if (differences.is_array()) {
    try {
      object = object.patch(differences);
    } catch (const json::exception& error) {
      return invalid(std::string("no such change is possible: ") + error.what());
    }
  } else {
    return invalid("an object (RFC 7396) or a list of operations (RFC 6902) is expected");
  }
  if (!object.is_object()) return invalid("what remains is no policy");
  return object;
}

}  // namespace

const VerifierPolicy& FleetPolicy::of(const std::string& machine) const {
  const auto found = machines_.find(machine);
  return found == machines_.end() ? base_ : found->second;
}

Result<FleetPolicy> read_fleet_policy(std::string_view text) {
  TRY_ASSIGN(json whole, parse_policy(text));
  json machines = json::object();
  if (const auto found = whole.find(kMachines); found != whole.end()) {
    machines = std::move(*found);
    whole.erase(found);
    if (!machines.is_object())
      return invalid("policy: 'machines' must be an object of names and differences");
  }
  TRY_ASSIGN(FleetPolicy fleet, read_policy_object(whole));
  json light = whole;
  light[kLists] = "signed";
  light.erase(kMinimumVersions);
  for (const auto& [name, differences] : machines.items()) {
    const bool own_lists = concerns_lists(differences);
    const std::string about = "policy: machine '" + escape(name, 64) + "'";
    const auto object = with_differences(own_lists ? whole : light, differences);
    if (!object) return with_context(about, object.error());
    auto policy = read_policy_object(*object);
    if (!policy) return with_context(about, policy.error());
    if (!own_lists) policy->accepted = fleet.base_.accepted;
    fleet.machines_.emplace(name, *std::move(policy));
  }
  return fleet;
}

Result<std::string> write_machine(std::string_view fleet_json, const std::string& machine,
                                  const VerifierPolicy& policy) {
  TRY(read_fleet_policy(fleet_json));  // so that what follows is what it should be
  TRY_ASSIGN(json fleet, parse_policy(fleet_json));
  const json own = json::parse(write_policy(policy));
  json differences = json::array();
  for (const auto& [key, value] : own.items()) {
    const auto base = fleet.find(key);
    if (base != fleet.end() && *base == value) continue;
    if (key != kLists || base == fleet.end() || !base->is_array() || !value.is_array()) {
      differences.push_back({{"op", "add"}, {"path", "/" + key}, {"value", value}});
      continue;
    }
    const std::set<json> known(base->begin(), base->end());
    for (const json& list : value) {
      if (!known.contains(list))
        differences.push_back({{"op", "add"}, {"path", "/lists/-"}, {"value", list}});
    }
  }
  fleet[kMachines][machine] = differences;
  std::string text = fleet.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
  TRY(read_fleet_policy(text));
  return text;
}

}  // namespace diglim
