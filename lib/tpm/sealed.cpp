// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/sealed.h"

#include <nlohmann/json.hpp>

#include "lib/base/base64.h"
#include "lib/tcg/pcr.h"

namespace diglim {
namespace {

using nlohmann::json;

constexpr char kSealedKey[] = "diglim-sealed";
constexpr char kAuthorizationKey[] = "diglim-authorization";

Result<json> parse(std::string_view text, const char* kind) {
  json object = json::parse(text, nullptr, false);
  if (object.is_discarded() || !object.is_object() || !object.contains(kind))
    return corrupt(0, std::string("not a '") + kind + "' file");
  if (object[kind] != 1) return unsupported(std::string("'") + kind + "' of another version than 1");
  return object;
}

Result<std::string> text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string())
    return corrupt(0, std::string("'") + key + "' must be text");
  return found->get<std::string>();
}

Result<Bytes> bytes_of(const json& object, const char* key) {
  TRY_ASSIGN(const std::string text, text_of(object, key));
  return from_base64(text);
}

json registers(const PcrSelection& selection, const std::map<unsigned, Bytes>& values) {
  json list = json::array();
  for (const unsigned pcr : selection.pcrs) {
    json one = {{"pcr", pcr}};
    if (const auto value = values.find(pcr); value != values.end()) one["value"] = to_hex(value->second);
    list.push_back(std::move(one));
  }
  return list;
}

Result<void> read_registers(const json& object, bool need_values, PcrSelection& selection,
                            std::map<unsigned, Bytes>& values) {
  TRY_ASSIGN(const std::string bank, text_of(object, "bank"));
  TRY_ASSIGN(selection.bank, pcr_bank_from_name(bank));
  const auto list = object.find("pcrs");
  if (list == object.end() || !list->is_array() || list->empty()) return corrupt(0, "'pcrs' must be a list");
  for (const json& one : *list) {
    const auto number = one.is_object() ? one.find("pcr") : one.end();
    if (!one.is_object() || number == one.end() || !number->is_number_unsigned() ||
        number->get<uint64_t>() >= kPcrCount)
      return corrupt(0, "'pcrs' must name PCRs 0 to 23");
    const unsigned pcr = number->get<unsigned>();
    if (!selection.pcrs.empty() && selection.pcrs.back() >= pcr) return corrupt(0, "'pcrs' out of order");
    selection.pcrs.push_back(pcr);
    if (!need_values) continue;
    TRY_ASSIGN(const std::string hex, text_of(one, "value"));
    TRY_ASSIGN(values[pcr], from_hex(hex));
    if (values[pcr].size() != hash_size(selection.bank))
      return corrupt(0, "a value of another size than the bank's");
  }
  return {};
}

Result<std::optional<CounterLimit>> read_limit(const json& object) {
  const auto found = object.find("counter");
  if (found == object.end()) return std::optional<CounterLimit>();
  if (!found->is_object()) return corrupt(0, "'counter' must have 'index' and 'at_most'");
  CounterLimit limit;
  TRY_ASSIGN(const std::string index, text_of(*found, "index"));
  TRY_ASSIGN(limit.index, counter_index_from_text(index));
  const auto at_most = found->find("at_most");
  if (at_most == found->end() || !at_most->is_number_unsigned())
    return corrupt(0, "'at_most' must be a number");
  limit.at_most = at_most->get<uint64_t>();
  return std::optional<CounterLimit>(limit);
}

}  // namespace

std::string write_sealed(const SealedObject& object) {
  const bool by_key = !object.policy.authorize_key.empty();
  json out = {{kSealedKey, 1},
              {"bank", hash_name(object.policy.selection.bank)},
              {"pcrs", registers(object.policy.selection,
                                 by_key ? std::map<unsigned, Bytes>() : object.policy.values)},
              {"public", to_base64(object.public_part)},
              {"private", to_base64(object.private_part)}};
  if (by_key) out["authorize_key"] = object.policy.authorize_key;
  return out.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<SealedObject> read_sealed(std::string_view text) {
  TRY_ASSIGN(const json object, parse(text, kSealedKey));
  SealedObject sealed;
  if (object.contains("authorize_key")) {
    TRY_ASSIGN(sealed.policy.authorize_key, text_of(object, "authorize_key"));
    if (sealed.policy.authorize_key.empty()) return corrupt(0, "'authorize_key' is empty");
  }
  TRY(read_registers(object, sealed.policy.authorize_key.empty(), sealed.policy.selection,
                     sealed.policy.values));
  TRY_ASSIGN(sealed.public_part, bytes_of(object, "public"));
  TRY_ASSIGN(sealed.private_part, bytes_of(object, "private"));
  return sealed;
}

std::string write_authorization(const Authorization& authorization) {
  json out = {{kAuthorizationKey, 1},
              {"bank", hash_name(authorization.selection.bank)},
              {"pcrs", registers(authorization.selection, authorization.values)},
              {"signature", to_base64(authorization.signature)}};
  if (authorization.limit)
    out["counter"] = {{"index", counter_index_text(authorization.limit->index)},
                      {"at_most", authorization.limit->at_most}};
  return out.dump(2) + "\n";
}

Result<Authorization> read_authorization(std::string_view text) {
  TRY_ASSIGN(const json object, parse(text, kAuthorizationKey));
  Authorization authorization;
  TRY(read_registers(object, true, authorization.selection, authorization.values));
  TRY_ASSIGN(authorization.limit, read_limit(object));
  TRY_ASSIGN(authorization.signature, bytes_of(object, "signature"));
  return authorization;
}

}  // namespace diglim
