// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/key/outcome.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/json.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "lib/digest_list/rpm_list.h"
#include "tools/run_command.h"

namespace diglim::key {
namespace {

void put_key(JsonWriter& json, const KeyInfo& key) {
  json.key("kind").value(key.kind).key("fingerprint").value(key.fingerprint).key("who").value(key.who);
  if (!key.unusable.empty()) json.key("unusable").value(key.unusable);
}

}  // namespace

void Outcome::say_trusted(const KeyFile& file, const std::string& path) {
  for (const KeyInfo& info : file.keys) {
    trusted_.push_back({info, path});
    say(fmt::format("trusted: {} {} {}", info.kind, info.fingerprint, info.who));
    if (!info.unusable.empty()) say(fmt::format("  but it does not count: {}", info.unusable));
  }
}

void Outcome::say_revoked(const Joined& joined, const std::string& path) {
  revoked_.push_back({joined.fingerprint, path, joined.hard});
  say(fmt::format("revoked: openpgp {}{}", joined.fingerprint,
                  joined.hard ? ", and all that it ever signed" : ", for what it signs after that"));
}

void Outcome::say_removed(const std::string& path, const std::vector<KeyInfo>& keys) {
  removed_.push_back({path, keys});
  say("no longer trusted: " + escape(path));
}

void Outcome::say_granted(const std::string& path, const std::string& signer, bool now,
                          std::string_view when) {
  granted_.push_back({path, signer, now});
  say(fmt::format("granted by {}{}", signer, when));
}

void Outcome::say_taken_back(const std::string& path) {
  taken_back_.push_back(path);
  say("no longer granted: " + escape(path));
}

void Outcome::say_denied(const std::string& list) {
  denied_.push_back(list);
  say("no longer known: " + escape(list));
}

void Outcome::say_initramfs(Initramfs state) {
  switch (state) {
    case Initramfs::kMade:
      initramfs_ = "made";
      return say("It counts from the next boot on.");
    case Initramfs::kToBeMade:
      return say(fmt::format("It counts from the next boot on, once the initramfs is made anew: {}",
                             kRemakeInitramfs));
    case Initramfs::kFailed:
      initramfs_ = "failed";
  }
}

void Outcome::say(std::string_view line) {
  if (!json_) fmt::print("{}\n", line);
}

void Outcome::complain(const std::string& message) {
  complaints_.push_back(message);
  diglim::complain("diglim key", message);
}

int Outcome::fail(const std::string& message, int status) {
  complain(message);
  return status;
}

int Outcome::finish(int status) const {
  if (!json_) return status;
  JsonWriter json;
  const bool changed = !trusted_.empty() || !revoked_.empty() || !removed_.empty() || !taken_back_.empty();
  const bool is_now = std::ranges::any_of(granted_, [](const Granted& one) { return one.now; });
  json.begin_object().key("changed").value(changed);
  if (changed) {
    json.key("counts_from").value(is_now ? "now" : "next-boot").key("initramfs").value(initramfs_);
    if (initramfs_ != "made") json.key("command").value(kRemakeInitramfs);
  }
  json.key("trusted").begin_array();
  for (const Trusted& one : trusted_) {
    json.begin_object().key("file").value(one.path);
    put_key(json, one.key);
    json.end_object();
  }
  json.end_array().key("granted").begin_array();
  for (const Granted& one : granted_)
    json.begin_object()
        .key("file")
        .value(one.path)
        .key("signer")
        .value(one.signer)
        .key("in_force")
        .value(one.now)
        .end_object();
  json.end_array().key("taken_back").begin_array();
  for (const std::string& path : taken_back_) json.value(path);
  json.end_array().key("revoked").begin_array();
  for (const Revoked& one : revoked_)
    json.begin_object()
        .key("file")
        .value(one.path)
        .key("fingerprint")
        .value(one.fingerprint)
        .key("all_it_signed")
        .value(one.hard)
        .end_object();
  json.end_array().key("removed").begin_array();
  for (const Removed& one : removed_) {
    json.begin_object().key("file").value(one.path).key("keys").begin_array();
    for (const KeyInfo& key : one.keys) {
      json.begin_object();
      put_key(json, key);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().key("denied").begin_array();
  for (const std::string& list : denied_) {
    json.begin_object().key("list").value(list);
    if (list.starts_with(kRpmListPrefix)) json.key("package").value(list.substr(kRpmListPrefix.size()));
    json.end_object();
  }
  json.end_array().key("complaints").begin_array();
  for (const std::string& line : complaints_) json.value(line);
  fmt::print("{}\n", json.end_array().end_object().text());
  return status;
}

}  // namespace diglim::key
