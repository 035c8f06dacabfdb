// SPDX-License-Identifier: Apache-2.0
#include "lib/installed/list_store.h"

#include <algorithm>
#include <set>

#include "lib/crypto/hash.h"
#include "lib/digest_list/digest_list.h"
#include "lib/digest_list/rpm_list.h"

namespace diglim {
namespace {

constexpr size_t kSuffixBytes = 8;

}  // namespace

Result<ListStore> ListStore::open(const std::string& root) {
  TRY_ASSIGN(Folder folder, Folder::open(root, kListFolder));
  return ListStore(std::move(folder));
}

bool ListStore::holds(const std::string& name, ByteView list) const {
  const auto content = folder_.read(name, list.size());
  return content && as_text(*content) == as_text(list);
}

Result<std::string> ListStore::name_of(const PackageList& list, const std::vector<std::string>& all) const {
  TRY_ASSIGN(const std::string name, rpm_list_name(list.nvra));
  if (holds(name, list.list)) return name;
  // To hash what hundreds of new packages bring would be a good part of what the plugin costs. Where the name
  // had to be changed or cut, names_for() does not find the other one.
  const bool taken = std::binary_search(all.begin(), all.end(), name);
  TRY_ASSIGN(const auto there, names_for(list.nvra, all));
  const std::string suffix = "-" + std::string(2 * kSuffixBytes, '0');
  TRY_ASSIGN(const std::string example, rpm_list_name(list.nvra + suffix));
  if (!taken && there.size() == 1 && example == name + suffix) return name;
  TRY_ASSIGN(const Bytes digest, hash(HashAlgo::kSha256, {list.list}));
  TRY_ASSIGN(const std::string own,
             rpm_list_name(list.nvra + "-" + to_hex(ByteView(digest).first(kSuffixBytes))));
  if (holds(own, list.list)) return own;
  return taken ? own : name;
}

Result<std::vector<std::string>> ListStore::names_for(const std::string& nvra,
                                                      const std::vector<std::string>& all) {
  TRY_ASSIGN(const std::string name, rpm_list_name(nvra));
  std::vector<std::string> found = {name};
  const std::string marked = name + "-";
  const size_t size = marked.size() + 2 * kSuffixBytes;
  for (auto at = std::lower_bound(all.begin(), all.end(), marked); at != all.end() && at->starts_with(marked);
       ++at) {
    if (at->size() == size && at->find_first_not_of("0123456789abcdef", marked.size()) == std::string::npos)
      found.push_back(*at);
  }
  return found;
}

ListStore::Written ListStore::write(const std::vector<PackageList>& lists) const {
  Written result;
  std::set<std::string> there;
  std::vector<PendingFile> pending;
  const auto all = names();
  if (!all) {
    result.failed.push_back(all.error());
    return result;
  }
  for (const PackageList& list : lists) {
    auto name = name_of(list, *all);
    if (!name) {
      result.failed.push_back(name.error());
      continue;
    }
    if (holds(*name, list.list)) {
      there.insert(*name);
      continue;
    }
    auto file = folder_.prepare(*name, list.list);
    if (file) {
      pending.push_back(std::move(*file));
    } else {
      result.failed.push_back(file.error());
    }
  }
  const auto synced = pending.empty() ? Result<void>() : folder_.sync(pending);
  for (const PendingFile& file : pending) {
    if (!synced) {
      folder_.discard(file);
    } else if (const auto done = folder_.commit(file)) {
      there.insert(file.name);
      ++result.changed;
    } else {
      result.failed.push_back(done.error());
    }
  }
  if (!synced) result.failed.push_back(synced.error());
  if (result.changed > 0) {
    if (const auto done = folder_.sync_entries(); !done) result.failed.push_back(done.error());
  }
  result.names.assign(there.begin(), there.end());
  return result;
}

Result<std::vector<std::string>> ListStore::stale(const std::vector<std::string>& names,
                                                  const std::vector<PackageList>& installed) const {
  std::set<std::string_view> wanted;
  for (const PackageList& list : installed) wanted.insert(as_text(list.list));
  std::vector<std::string> found;
  for (const std::string& name : names) {
    TRY_ASSIGN(const bool there, folder_.exists(name));
    if (!there) continue;
    TRY_ASSIGN(const Bytes content, folder_.read(name, kMaxListBytes));
    if (!wanted.contains(as_text(content))) found.push_back(name);
  }
  return found;
}

Result<void> ListStore::remove(const std::vector<std::string>& names) const {
  if (names.empty()) return {};
  for (const std::string& name : names) TRY(folder_.remove(name));
  return folder_.sync_entries();
}

Result<void> ListStore::remove_unfinished() const {
  TRY_ASSIGN(const auto all, folder_.list());
  for (const std::string& name : all) {
    if (name.starts_with("." + std::string(kRpmListPrefix)) && name.ends_with(".new"))
      TRY(folder_.remove(name));
  }
  return {};
}

Result<std::vector<std::string>> ListStore::names() const {
  TRY_ASSIGN(auto all, folder_.list());
  std::erase_if(all, [](const std::string& name) { return name.starts_with('.'); });
  return all;
}

}  // namespace diglim
