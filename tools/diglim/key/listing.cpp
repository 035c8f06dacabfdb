// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/key/listing.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "lib/base/json.h"
#include "lib/base/paths.h"
#include "policy/boot_trust.h"
#include "tools/diglim/key/changes.h"
#include "tools/diglim/key/grants.h"
#include "tools/run_command.h"
#include "tools/tool.h"

namespace diglim::key {
namespace {

// A key, and where it was found.
struct Row {
  KeyInfo info;
  std::string origin;  // a path, "rpm gpg-pubkey-...", "repository NAME"
  enum class Kind { kTrusted, kOther, kTakenBack, kGranted } kind = Kind::kOther;
  std::optional<bool> in_force = {};  // now; nobody knows of another system, or where DIGLIM is not active
  std::string granted_by = {};        // so it is in force for this boot only by that
};

std::string day(uint64_t seconds) {
  if (seconds == 0) return "never";
  const auto when = static_cast<time_t>(seconds);
  tm parts = {};
  char text[16] = "?";
  if (gmtime_r(&when, &parts) != nullptr) (void)strftime(text, sizeof(text), "%Y-%m-%d", &parts);
  return text;
}

struct InForce {
  std::vector<std::string> keys;  // as `diglim-loader status` prints them: "openpgp ID OWNER", ...
  std::vector<GrantedKey> granted;
};
std::optional<InForce> keys_in_force(const Places& places) {
  if (!places.root.empty() || geteuid() != 0) return std::nullopt;
  const auto status = run_command({kInstalledLoader, "status", "--json"}, Errors::kHide);
  if (!status || status->status != 0) return std::nullopt;
  const auto json = nlohmann::json::parse(status->output, nullptr, false);
  if (!json.is_object() || !json.contains("keys") || !json["keys"].is_array()) return std::nullopt;
  InForce found;
  for (const auto& key : json["keys"]) {
    if (key.is_string()) found.keys.push_back(key.get<std::string>());
  }
  found.granted = granted_of_status(status->output);
  return found;
}

bool is_in_force(const KeyInfo& info, const std::vector<std::string>& keys) {
  return std::ranges::any_of(keys, [&](const std::string& line) {
    if (line.starts_with("x509 " + info.who + " serial ")) return true;
    return std::ranges::any_of(info.ids,
                               [&](const std::string& id) { return line.starts_with("openpgp " + id); });
  });
}

Result<std::vector<Row>> find_rows(const Places& places, std::vector<std::string>& left_out) {
  std::vector<Row> rows;
  TRY_ASSIGN(const Config config, read_config_file(places.root));
  TRY_ASSIGN(const TrustStore trust, read_keys(places.root, config));
  left_out = trust.left_out();
  const auto row_of = [&](const KeyInfo& info) {
    return std::ranges::find_if(rows,
                                [&](const Row& row) { return row.info.fingerprint == info.fingerprint; });
  };
  TRY_ASSIGN(const auto trusted, trusted_files(places));
  for (const KeyFile& file : trusted) {
    for (const KeyInfo& info : file.keys) {
      if (row_of(info) == rows.end()) rows.push_back({info, file.origin, Row::Kind::kTrusted});
    }
  }
  // A key is what all its copies say together.
  for (const openpgp::Certificate& certificate : trust.certificates()) {
    const KeyInfo info = info_of(certificate);
    if (const auto row = row_of(info); row != rows.end()) row->info = info;
  }
  // A statement whose key has no file counts until the next boot, and comes back after it.
  for (const KeyFile& file : grant_files(places)) {
    for (const KeyInfo& info : file.keys) {
      if (row_of(info) == rows.end()) rows.push_back({info, file.origin, Row::Kind::kGranted});
    }
  }
  if (const auto now = keys_in_force(places)) {
    for (Row& row : rows) row.in_force = is_in_force(row.info, now->keys);
    for (const GrantedKey& one : now->granted) {
      const auto is_it = [&](const Row& row) {
        return row.info.kind + ":" + row.info.fingerprint == one.fingerprint;
      };
      const auto row = std::ranges::find_if(rows, is_it);
      if (row != rows.end()) row->granted_by = one.signer;
    }
  }
  TRY_ASSIGN(const auto others, keys_of_others(places));
  for (const std::string& line : others.unread) complain("diglim key", line);
  for (const KeyFile& file : others.files) {
    for (const KeyInfo& info : file.keys) {
      const auto row = row_of(info);
      if (row == rows.end()) {
        rows.push_back({info, file.origin, Row::Kind::kOther});
      } else if (row->kind == Row::Kind::kTrusted && row->info.unusable.empty() && !info.unusable.empty()) {
        rows.push_back({info, file.origin, Row::Kind::kTakenBack});
      }
    }
  }
  return rows;
}

void print_json(const std::vector<Row>& rows, const std::vector<std::string>& left_out) {
  JsonWriter json;
  json.begin_object().key("keys").begin_array();
  for (const Row& row : rows) {
    json.begin_object().key("trusted").value(row.kind == Row::Kind::kTrusted);
    json.key("kind").value(row.info.kind);
    json.key("fingerprint").value(row.info.fingerprint).key("who").value(row.info.who);
    json.key("created").value(row.info.created).key("expires").value(row.info.expires);
    if (!row.info.unusable.empty()) json.key("unusable").value(row.info.unusable);
    if (row.in_force) json.key("in_force").value(*row.in_force);
    if (!row.granted_by.empty()) json.key("granted_by").value(row.granted_by);
    json.key("uses").begin_array();
    for (const Use& use : row.info.uses)
      json.begin_object()
          .key("signs")
          .value(use.what)
          .key("with")
          .value(use.with)
          .key("until")
          .value(use.until)
          .end_object();
    json.end_array();
    json.key("origin").value(row.origin).end_object();
  }
  json.end_array().key("left_out").begin_array();
  for (const std::string& file : left_out) json.value(file);
  fmt::print("{}\n", json.end_array().end_object().text());
}

// Those of a kind, under a title, each with what to do.
void print_rows(const std::vector<Row>& rows, Row::Kind kind, const char* title, const char* next) {
  bool first = true;
  for (const Row& row : rows) {
    if (row.kind != kind) continue;
    if (first) fmt::print("{}", title);
    first = false;
    print_key(row.info, row.origin);
    if (!row.granted_by.empty())
      fmt::print("  granted by {}: in force until the next boot by that\n", row.granted_by);
    if (row.in_force == false && row.info.unusable.empty())
      fmt::print("  not in force before the next boot\n");
    if (*next != 0)
      fmt::print("  {}: diglim key add {}\n", next,
                 kind == Row::Kind::kGranted ? shell_word(row.origin) : row.info.fingerprint);
  }
}

}  // namespace

void print_key(const KeyInfo& info, const std::string& origin) {
  fmt::print("{} {}\n  {}\n  of {}, expires {}, from {}\n", info.kind, info.fingerprint, info.who,
             day(info.created), day(info.expires), origin);
  for (const Use& use : info.uses) {
    fmt::print("  signs {}, with {}{}\n", use.what, use.with,
               use.until == 0 ? "" : ", what it signed before " + day(use.until));
  }
  if (!info.unusable.empty()) fmt::print("  does not count: {}\n", info.unusable);
}

int list_keys(const Places& places, bool json) {
  std::vector<std::string> left_out;
  const auto rows = find_rows(places, left_out);
  if (!rows) {
    complain("diglim key", rows.error().message);
    return kExitEnvironment;
  }
  if (json) {
    print_json(*rows, left_out);
    return kExitOk;
  }
  fmt::print("trusted (what is no longer here is in force until the next boot: diglim-loader status):\n");
  print_rows(*rows, Row::Kind::kTrusted, "", "");
  for (const std::string& file : left_out) fmt::print("left out: {}/{}\n", kKeysFolder, file);
  print_rows(*rows, Row::Kind::kGranted, "\ngranted by a statement alone, so not from the boot on:\n",
             "to trust it");
  print_rows(*rows, Row::Kind::kTakenBack, "\ntrusted, but others have a copy that no longer counts:\n",
             "to take that over");
  print_rows(*rows, Row::Kind::kOther, "\nnot trusted, so what they signed is denied:\n", "to trust it");
  return kExitOk;
}

}  // namespace diglim::key
