// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/allow/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "lib/base/text.h"
#include "lib/crypto/hash.h"
#include "policy/config.h"
#include "tools/tool.h"

namespace diglim::allow {
namespace {

constexpr std::string_view kRecordEnd = ".json";
constexpr size_t kMaxRecordBytes = 1u << 20;
constexpr size_t kMaxNameBytes = 80;
constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

Result<void> remove_file(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return from_errno("remove " + escape(path), errno);
  return {};
}

Result<void> sync_folder(const std::string& path) {
  TRY_ASSIGN(const Fd fd, open_file(path, O_RDONLY | O_DIRECTORY));
  if (fsync(fd.get()) != 0) return from_errno("sync " + escape(path), errno);
  return {};
}

}  // namespace

std::string to_record(const Exception& one) {
  const nlohmann::json json = {{"list", one.list},           {"paths", one.paths},
                               {"files", one.files},         {"sha256", one.digest},
                               {"signer", one.signer},       {"owner", one.owner},
                               {"reason", one.reason},       {"by", one.by},
                               {"made", one.made},           {"until", one.end.until},
                               {"boot_id", one.end.boot_id}, {"until_since_boot", one.end.since_boot}};
  // Texts are escaped, so all of it is UTF-8; whatever is not becomes U+FFFD rather than an exception.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<Exception> from_record(ByteView text) {
  const auto json = nlohmann::json::parse(as_text(text), nullptr, false);
  if (!json.is_object()) return corrupt(0, "a record that is no JSON object");
  try {
    Exception one;
    one.list = json.at("list").get<std::string>();
    one.paths = json.at("paths").get<std::vector<std::string>>();
    one.files = json.at("files").get<uint64_t>();
    one.digest = json.at("sha256").get<std::string>();
    one.signer = json.at("signer").get<std::string>();
    one.owner = json.at("owner").get<std::string>();
    one.reason = json.at("reason").get<std::string>();
    one.by = json.at("by").get<std::string>();
    one.made = json.at("made").get<uint64_t>();
    one.end = {json.at("until").get<uint64_t>(), json.at("boot_id").get<std::string>(),
               json.at("until_since_boot").get<uint64_t>()};
    return one;
  } catch (const nlohmann::json::exception&) {
    return corrupt(0, "a record without all of its fields");
  }
}

std::string list_name(const std::string& path, ByteView content) {
  std::string name = std::filesystem::path(path).lexically_normal().filename().string();
  for (char& c : name) {
    if (kPlain.find(c) == std::string_view::npos) c = '_';
  }
  if (name.size() > kMaxNameBytes) name.resize(kMaxNameBytes);
  if (name.empty()) name = "folder";
  const auto digest = hash(HashAlgo::kSha256, {content});
  return fmt::format("{}{}-{}", kListPrefix, name, digest ? to_hex(ByteView(*digest).first(4)) : "0");
}

Result<Store> Store::open(const std::string& root, bool write) {
  const std::string folder = root + kRecordFolder;
  if (write) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return from_errno("create directory " + escape(folder), error.value());
  }
  auto lock = open_file(folder, O_RDONLY | O_DIRECTORY);
  if (!lock && (write || lock.error().code != ErrorCode::kNotFound)) return lock.error();
  if (!lock) return Store(root, Fd());
  if (write && flock(lock->get(), LOCK_EX) != 0) return from_errno("lock " + escape(folder), errno);
  return Store(root, *std::move(lock));
}

Result<Store::Contents> Store::read() const {
  Contents contents;
  std::vector<std::string> names;
  if (lock_) {
    TRY_ASSIGN(names, list_open_folder(lock_, root_ + kRecordFolder));
  }
  for (const std::string& name : names) {
    if (name.starts_with('.') || !name.ends_with(kRecordEnd)) continue;
    const std::string list = name.substr(0, name.size() - kRecordEnd.size());
    const auto text = read_file(record_path(list), kMaxRecordBytes);
    auto exception = text ? from_record(*text) : Result<Exception>(text.error());
    // A record that names another list than its own would have that one removed.
    if (exception && exception->list == list)
      contents.exceptions.push_back(*std::move(exception));
    else
      contents.damaged.push_back(list);
  }
  const auto lists = list_folder(root_ + kListsFolder);
  for (const std::string& list : lists ? *lists : std::vector<std::string>()) {
    // In this order: another process that makes or removes one has its list there no longer than its record.
    if (list.starts_with(kListPrefix) && access(record_path(list).c_str(), F_OK) != 0 &&
        access(list_path(list).c_str(), F_OK) == 0)
      contents.damaged.push_back(list);
  }
  return contents;
}

Result<size_t> Store::count() const {
  TRY_ASSIGN(const auto names, list_open_folder(lock_, root_ + kRecordFolder));
  size_t count = 0;
  for (const std::string& name : names) count += !name.starts_with('.') && name.ends_with(kRecordEnd) ? 1 : 0;
  return count;
}

Result<void> Store::put(const Exception& exception, ByteView list) const {
  TRY(write_file_atomically(record_path(exception.list), as_bytes(to_record(exception)), 0644));
  return write_file_atomically(list_path(exception.list), list, 0644);
}

Result<void> Store::remove(const std::vector<std::string>& lists, const std::function<bool()>& follow) const {
  // One that cannot be removed keeps its record, and keeps no other in force.
  std::vector<std::string> gone;
  Result<void> outcome = {};
  for (const std::string& list : lists) {
    // Only what this verb made: a name is all that a damaged record leaves.
    const auto removed = list.starts_with(kListPrefix) ? remove_file(list_path(list)) : Result<void>();
    if (removed)
      gone.push_back(list);
    else
      outcome = removed;
  }
  TRY(sync_folder(root_ + kListsFolder));
  if (!follow()) return outcome;
  for (const std::string& list : gone) TRY(remove_file(record_path(list)));
  return outcome;
}

std::string Store::list_path(const std::string& list) const {
  return root_ + kListsFolder + "/" + list;
}

std::string Store::record_path(const std::string& list) const {
  return root_ + kRecordFolder + "/" + list + std::string(kRecordEnd);
}

}  // namespace diglim::allow
