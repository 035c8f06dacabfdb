// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/policy.h"

#include "lib/attest/policy_json.h"
#include "lib/base/text.h"

namespace diglim {
namespace {

using nlohmann::json;

constexpr char kVersionKey[] = "diglim-policy";
constexpr int kMaxDepth = 16;

Error wrong(const std::string& key, const std::string& wanted) {
  return invalid("policy: '" + escape(key, 64) + "' must be " + wanted);
}

Result<Bytes> read_hash(const json& value, const std::string& key, size_t size) {
  if (!value.is_string()) return wrong(key, "hexadecimal text");
  auto bytes = from_hex(value.get_ref<const std::string&>());
  if (!bytes || bytes->size() != size)
    return wrong(key, "of " + std::to_string(2 * size) + " hexadecimal digits each");
  return bytes;
}

Result<std::set<Bytes>> read_hashes(const json& value, const std::string& key, size_t size) {
  if (!value.is_array()) return wrong(key, "a list of hashes");
  std::set<Bytes> hashes;
  for (const json& item : value) {
    TRY_ASSIGN(Bytes digest, read_hash(item, key, size));
    hashes.insert(std::move(digest));
  }
  return hashes;
}

constexpr size_t kSha256 = 32;
// Where the loader measures: registers that nothing resets while the machine runs (policy/config.cpp).
constexpr unsigned kFirstPcr = 8;
constexpr unsigned kLastPcr = 15;

class Reader {
 public:
  explicit Reader(const json& object) : object_(object) {}

  // Null if absent.
  const json* find(const std::string& key) {
    known_.insert(key);
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }
  Result<const json*> need(const std::string& key) {
    const json* value = find(key);
    if (value == nullptr) return invalid("policy: '" + key + "' is missing; \"any\" switches that check off");
    return value;
  }
  Result<void> nothing_else() const {
    for (const auto& [key, value] : object_.items()) {
      if (!known_.contains(key)) return invalid("policy: unknown key '" + escape(key, 64) + "'");
    }
    return {};
  }

 private:
  const json& object_;
  std::set<std::string> known_;
};

bool says(const json& value, std::string_view word) {
  return value.is_string() && value.get_ref<const std::string&>() == word;
}

Result<void> read_hash_set(Reader& reader, const std::string& key, std::string_view any,
                           std::optional<std::set<Bytes>>& out) {
  TRY_ASSIGN(const json* value, reader.need(key));
  if (says(*value, any)) return {};
  TRY_ASSIGN(out, read_hashes(*value, key, kSha256));
  return {};
}

Result<void> read_programs(Reader& reader, VerifierPolicy& policy) {
  TRY_ASSIGN(const json* value, reader.need("programs"));
  if (says(*value, "any")) return {};
  if (!value->is_object()) return wrong("programs", "an object of names and lists of hashes");
  policy.programs.emplace();
  for (const auto& [name, hashes] : value->items()) {
    TRY_ASSIGN((*policy.programs)[name], read_hashes(hashes, "programs", kSha256));
  }
  return {};
}

Result<void> read_keys(Reader& reader, VerifierPolicy& policy) {
  TRY_ASSIGN(const json* value, reader.need("keys"));
  if (says(*value, "any")) return {};
  if (!value->is_array()) return wrong("keys", "a list of fingerprints");
  policy.keys.emplace();
  for (const json& item : *value) {
    if (!item.is_string()) return wrong("keys", "a list of fingerprints");
    policy.keys->insert(item.get<std::string>());
  }
  return {};
}

Result<void> read_modes(Reader& reader, VerifierPolicy& policy) {
  const json* value = reader.find("modes");
  if (value == nullptr) return {};
  if (!value->is_array() || value->empty()) return wrong("modes", "a list of modes");
  policy.modes.clear();
  for (const json& item : *value) {
    const auto mode = item.is_string() ? mode_from_name(item.get<std::string>()) : std::nullopt;
    if (!mode) return wrong("modes", "of enforce, permissive, measure");
    policy.modes.insert(*mode);
  }
  return {};
}

Result<void> read_registers(Reader& reader, VerifierPolicy& policy) {
  if (const json* value = reader.find("bank")) {
    if (!value->is_string()) return wrong("bank", "the name of a PCR bank");
    TRY_ASSIGN(policy.bank, pcr_bank_from_name(value->get<std::string>()));
  }
  if (const json* value = reader.find("pcr")) {
    if (!value->is_number_unsigned() || value->get<uint64_t>() < kFirstPcr ||
        value->get<uint64_t>() > kLastPcr)
      return wrong("pcr", "8 to 15");
    policy.pcr = value->get<unsigned>();
  }
  const size_t size = hash_size(policy.bank);
  if (const json* value = reader.find("boot_aggregates")) {
    TRY_ASSIGN(policy.boot_aggregates, read_hashes(*value, "boot_aggregates", size));
    if (policy.boot_aggregates.empty()) return wrong("boot_aggregates", "a list of at least one hash");
  }
  if (const json* value = reader.find("pcrs")) {
    if (!value->is_object()) return wrong("pcrs", "an object of numbers and lists of values");
    for (const auto& [number, values] : value->items()) {
      // One way to write each, as each name is there once: "07" would take the place of "7".
      const bool digits = !number.empty() && number.size() <= 2 &&
                          number.find_first_not_of("0123456789") == std::string::npos &&
                          (number.size() == 1 || number[0] != '0');
      const unsigned pcr = digits ? static_cast<unsigned>(std::stoul(number)) : kPcrCount;
      if (pcr >= kPcrCount) return wrong("pcrs", "of PCRs 0 to 23, each written one way: 7, not 07");
      TRY_ASSIGN(policy.pcrs[pcr], read_hashes(values, "pcrs", size));
    }
  }
  return {};
}

Result<void> read_rest(Reader& reader, VerifierPolicy& policy) {
  if (const json* value = reader.find("minimum_versions")) {
    if (!value->is_object()) return wrong("minimum_versions", "an object of packages and versions");
    for (const auto& [name, version] : value->items()) {
      if (!version.is_string() || version.get_ref<const std::string&>().empty())
        return wrong("minimum_versions", "an object of packages and versions");
      policy.accepted->minimum_versions[name] = version.get<std::string>();
    }
  }
  if (const json* value = reader.find("minimum_serials")) {
    if (!value->is_object()) return wrong("minimum_serials", "an object of deny lists and serial numbers");
    for (const auto& [name, serial] : value->items()) {
      if (!serial.is_number_unsigned() || serial.get<uint64_t>() == 0)
        return wrong("minimum_serials", "an object of deny lists and serial numbers");
      policy.minimum_serials[name] = serial.get<uint64_t>();
    }
  }
  if (const json* value = reader.find("weak_hashes")) {
    if (!value->is_array()) return wrong("weak_hashes", "a list of names");
    for (const json& item : *value) {
      const auto algo = item.is_string() ? hash_from_name(item.get_ref<const std::string&>()) : std::nullopt;
      if (!algo) return wrong("weak_hashes", "of md5, sha1, rmd160");
      policy.weak_hashes.insert(*algo);
    }
  }
  if (const json* value = reader.find("tolerated_files")) {
    if (!value->is_array()) return wrong("tolerated_files", "a list of hashes");
    for (const json& item : *value) {
      const auto digest =
          item.is_string() ? from_hex(item.get_ref<const std::string&>()) : Result<Bytes>(Bytes());
      if (!digest || digest->size() < 20) return wrong("tolerated_files", "a list of hashes");
      policy.tolerated_files.insert(*digest);
    }
  }
  return {};
}

json hex_list(const std::set<Bytes>& hashes) {
  json list = json::array();
  for (const Bytes& digest : hashes) list.push_back(to_hex(digest));
  return list;
}

json hex_list_or(const std::optional<std::set<Bytes>>& hashes, const char* any) {
  return hashes ? hex_list(*hashes) : json(any);
}

}  // namespace

Result<json> parse_policy(std::string_view text) {
  if (text.size() > kMaxPolicyBytes) return invalid("policy: more than 64 MiB");
  // What changes, copies and writes JSON calls itself for each level.
  bool too_deep = false;
  // Of two values the parser takes the last, and whoever reads the policy may see the first.
  std::optional<std::string> twice;
  std::vector<std::set<std::string>> open;  // names in the objects around
  const auto look = [&](int depth, json::parse_event_t event, json& parsed) {
    too_deep = too_deep || depth > kMaxDepth;
    if (too_deep || twice) return false;
    if (event == json::parse_event_t::object_start) open.emplace_back();
    if (event == json::parse_event_t::object_end) open.pop_back();
    if (event == json::parse_event_t::key) {
      const auto& name = parsed.get_ref<const std::string&>();
      if (!open.back().insert(name).second) twice = name;
    }
    return !twice;
  };
  json object = json::parse(text, look, false);
  if (too_deep) return invalid("policy: nested too deeply");
  // The parser would end there, and whoever reads the policy would not.
  if (text.find('\0') != std::string_view::npos) return corrupt(0, "policy: it has a zero byte");
  if (twice) return corrupt(0, "policy: '" + escape(*twice, 80) + "' is there twice");
  if (object.is_discarded() || !object.is_object()) return corrupt(0, "policy: not a JSON object");
  return object;
}

Result<VerifierPolicy> read_policy(std::string_view text) {
  TRY_ASSIGN(const json object, parse_policy(text));
  return read_policy_object(object);
}

Result<VerifierPolicy> read_policy_object(const json& object) {
  Reader reader(object);
  TRY_ASSIGN(const json* version, reader.need(kVersionKey));
  if (*version != 1) return unsupported("policy: '" + std::string(kVersionKey) + "' must be 1");
  VerifierPolicy policy;
  TRY(read_registers(reader, policy));
  TRY(read_modes(reader, policy));
  TRY(read_hash_set(reader, "loaders", "any", policy.loaders));
  TRY(read_hash_set(reader, "ima_policies", "any", policy.ima_policies));
  TRY(read_programs(reader, policy));
  TRY(read_keys(reader, policy));
  TRY(read_hash_set(reader, "lists", "signed", policy.accepted->lists));
  TRY(read_rest(reader, policy));
  TRY(reader.nothing_else());
  return policy;
}

std::string write_policy(const VerifierPolicy& policy) {
  json object = {{kVersionKey, 1}, {"pcr", policy.pcr}, {"bank", hash_name(policy.bank)}};
  for (const ManifestMode mode : policy.modes) object["modes"].push_back(mode_name(mode));
  object["loaders"] = hex_list_or(policy.loaders, "any");
  object["ima_policies"] = hex_list_or(policy.ima_policies, "any");
  object["programs"] = "any";
  if (policy.programs) {
    object["programs"] = json::object();
    for (const auto& [name, hashes] : *policy.programs) object["programs"][name] = hex_list(hashes);
  }
  object["keys"] = "any";
  if (policy.keys) object["keys"] = *policy.keys;
  object["lists"] = hex_list_or(policy.accepted->lists, "signed");
  if (!policy.accepted->minimum_versions.empty())
    object["minimum_versions"] = policy.accepted->minimum_versions;
  if (!policy.minimum_serials.empty()) object["minimum_serials"] = policy.minimum_serials;
  for (const HashAlgo algo : policy.weak_hashes) object["weak_hashes"].push_back(hash_name(algo));
  for (const auto& [pcr, values] : policy.pcrs) object["pcrs"][std::to_string(pcr)] = hex_list(values);
  if (!policy.boot_aggregates.empty()) object["boot_aggregates"] = hex_list(policy.boot_aggregates);
  if (!policy.tolerated_files.empty()) object["tolerated_files"] = hex_list(policy.tolerated_files);
  return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace diglim
