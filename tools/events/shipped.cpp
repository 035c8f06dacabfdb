// SPDX-License-Identifier: Apache-2.0
#include "tools/events/shipped.h"

#include <sys/stat.h>

#include <algorithm>
#include <functional>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/cms/appended_signature.h"
#include "lib/digest_list/digest_list.h"
#include "lib/digest_list/rpm_list.h"
#include "lib/events/event_line.h"
#include "lib/rpm/files.h"
#include "policy/boot_trust.h"

namespace diglim::events {
namespace {

constexpr size_t kMaxFound = 1024;

uint64_t stamp_of(const std::string& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0 ? file_stamp(info) : 0;
}

uint64_t path_hash(std::string_view path) {
  return std::hash<std::string_view>()(path);
}

}  // namespace

std::vector<uint64_t> ShippedFiles::paths_of(const std::string& name) {
  std::vector<uint64_t> paths;
  const auto file = read_digest_list_file(folder_ + "/" + name);
  const auto parts = file ? split_appended_signature(*file) : Result<AppendedSignature>(file.error());
  if (!parts) return paths;
  // Of a list that is damaged nothing is said.
  (void)rpm::for_each_file(parts->content, [&](std::string_view path, std::string_view /*digest*/) {
    paths.push_back(path_hash(links_.resolve(std::string(path))));
  });
  return paths;
}

bool ShippedFiles::update() {
  const uint64_t stamp = stamp_of(folder_);
  if (stamp == folder_stamp_) return false;
  folder_stamp_ = stamp;
  std::map<std::string, List> lists;
  const auto names = list_folder(folder_);
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    if (!name.starts_with(kRpmListPrefix)) continue;
    List list{name, stamp_of(folder_ + "/" + name), {}};
    const auto known = lists_.find(name);
    if (known != lists_.end() && known->second.stamp == list.stamp)
      list.paths = std::move(known->second.paths);
    else
      list.paths = paths_of(name);
    lists.emplace(name, std::move(list));
  }
  lists_ = std::move(lists);
  found_.clear();
  by_path_.clear();
  for (const auto& [name, list] : lists_) {
    for (const uint64_t path : list.paths) by_path_.emplace_back(path, &list);
  }
  std::ranges::sort(by_path_);
  return true;
}

std::optional<Shipped> ShippedFiles::look(const List& list, const std::string& path,
                                          std::string_view digest) {
  const auto file = read_digest_list_file(folder_ + "/" + list.name);
  const auto parts = file ? split_appended_signature(*file) : Result<AppendedSignature>(file.error());
  if (!parts) return std::nullopt;
  std::optional<std::string> shipped;
  (void)rpm::for_each_file(parts->content, [&](std::string_view one, std::string_view its) {
    if (links_.resolve(std::string(one)) == path) shipped = its;
  });
  if (!shipped) return std::nullopt;
  Shipped found{list.name.substr(kRpmListPrefix.size()), ""};
  const size_t colon = digest.find(':');
  if (colon == std::string_view::npos) return found;
  const auto kind = digest_kind_in_rpm_list(*file);
  if (!kind) return found;
  if (*kind != "with " + std::string(digest.substr(0, colon)) + " digests only")
    found.how = *kind;
  else
    found.how = digest.substr(colon + 1) == *shipped ? "with this content" : "with other content";
  return found;
}

std::optional<Shipped> ShippedFiles::find_anew(const std::string& path, std::string_view digest) {
  std::optional<Shipped> best;
  const uint64_t wanted = path_hash(path);
  for (auto at = std::ranges::lower_bound(by_path_, wanted, {}, &std::pair<uint64_t, const List*>::first);
       at != by_path_.end() && at->first == wanted; ++at) {
    auto found = look(*at->second, path, digest);
    // Two packages may ship one path: the one of this content says more.
    if (found && (!best || found->how == "with this content")) best = std::move(found);
  }
  return best;
}

std::optional<Shipped> ShippedFiles::find_known(const std::string& path, std::string_view digest) {
  const std::string key = path + '\0' + std::string(digest);
  if (const auto known = found_.find(key); known != found_.end()) return known->second;
  if (found_.size() >= kMaxFound) found_.clear();
  return found_[key] = find_anew(path, digest);
}

std::optional<Shipped> ShippedFiles::find(const std::string& path, std::string_view digest, int64_t now_s) {
  if (looked_s_ != now_s) (void)update();
  looked_s_ = now_s;
  auto found = find_known(path, digest);
  // A package of this second.
  if (!found && update()) found = find_known(path, digest);
  return found;
}

void say_who_ships(Event& event, const diglim_event& raw, ShippedFiles& files, int64_t now_s) {
  const auto path = unescape(event_path(raw));
  if (!path || !path->starts_with('/')) return;
  const auto shipped = files.find(*path, event_digest(raw), now_s);
  if (!shipped) return;
  event.fields.push_back({"package", escape(shipped->package), false});
  event.line += "; shipped by " + escape(shipped->package);
  if (shipped->how.empty()) return;
  event.fields.push_back({"shipped", shipped->how, false});
  event.line += " " + shipped->how;
}

}  // namespace diglim::events
