// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/scan/cache.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sqlite3.h>
#include <unistd.h>

#include <atomic>
#include <ctime>
#include <set>

#include "lib/base/owned.h"
#include "lib/base/text.h"
#include "tools/tool.h"

namespace diglim::scan {
namespace {

using StatementPtr = Owned<sqlite3_stmt, sqlite3_finalize>;

constexpr int kBusy_ms = 1000;
// A later layout makes the table anew: what is in there can be read again.
constexpr int kLayout = 1;
constexpr int64_t kSettled_ns = 2'000'000'000;

constexpr char kCreate[] =
    "CREATE TABLE IF NOT EXISTS files(device INTEGER, inode INTEGER, algo INTEGER, changed INTEGER, size "
    "INTEGER, "
    "kind INTEGER, digest BLOB, PRIMARY KEY(device, inode, algo)) WITHOUT ROWID";

StatementPtr prepare(sqlite3* db, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) != SQLITE_OK) return nullptr;
  return StatementPtr(statement);
}

}  // namespace

int64_t Cache::now_ns() {
  timespec now = {};
  (void)clock_gettime(CLOCK_REALTIME, &now);  // cannot fail with this clock
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

bool Cache::is_settled(const struct stat& info, int64_t now) {
  return changed_ns(info) <= now - kSettled_ns;
}

bool Cache::tells_changes(uint32_t type) {
  return type != SQUASHFS_MAGIC && type != EROFS_SUPER_MAGIC_V1 && type != ISOFS_SUPER_MAGIC;
}

void Cache::Close::operator()(sqlite3* db) const {
  (void)sqlite3_close(db);
}

void Cache::complain(const std::string& what) {
  complaint_ = fmt::format("the cache {} is of no use ({}), so every file is read; to begin a new one: rm {}",
                           escape(path_), what, shell_word(path_));
}

bool Cache::run(const char* sql) {
  if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return true;
  complain(sqlite3_errmsg(db_.get()));
  return false;
}

bool Cache::load() {
  StatementPtr version = prepare(db_.get(), "PRAGMA user_version");
  if (!version || sqlite3_step(version.get()) != SQLITE_ROW) {
    complain(sqlite3_errmsg(db_.get()));
    return false;
  }
  const int layout = sqlite3_column_int(version.get(), 0);
  version.reset();  // an unfinished one locks the tables
  if (layout != kLayout) {
    if (!run("BEGIN IMMEDIATE") || !run("DROP TABLE IF EXISTS files") || !run(kCreate) ||
        !run(fmt::format("PRAGMA user_version = {}", kLayout).c_str()) || !run("COMMIT"))
      return false;
  }
  const StatementPtr all =
      prepare(db_.get(), "SELECT device, inode, changed, size, kind, digest FROM files WHERE algo = ?");
  if (!all) {
    complain(sqlite3_errmsg(db_.get()));
    return false;
  }
  (void)sqlite3_bind_int(all.get(), 1, static_cast<int>(algo_));
  int status = SQLITE_ROW;
  while ((status = sqlite3_step(all.get())) == SQLITE_ROW) {
    CacheRow row;
    const CacheKey key = {static_cast<uint64_t>(sqlite3_column_int64(all.get(), 0)),
                          static_cast<uint64_t>(sqlite3_column_int64(all.get(), 1))};
    row.changed_ns = sqlite3_column_int64(all.get(), 2);
    row.size = static_cast<uint64_t>(sqlite3_column_int64(all.get(), 3));
    const int kind = sqlite3_column_int(all.get(), 4);
    const int bytes = sqlite3_column_bytes(all.get(), 5);
    if (bytes > 0)
      row.digest.assign(static_cast<const char*>(sqlite3_column_blob(all.get(), 5)),
                        static_cast<size_t>(bytes));
    // Somebody else's rows are no reason to misbehave.
    if (kind < 0 || kind > static_cast<int>(Kind::kOther)) continue;
    row.kind = static_cast<Kind>(kind);
    if (row.kind != Kind::kNone && row.digest.size() != hash_size(algo_)) continue;
    rows_[key] = {std::move(row)};
  }
  if (status == SQLITE_DONE) return true;
  complain(sqlite3_errmsg(db_.get()));
  return false;
}

Cache Cache::open(const std::string& path, HashAlgo algo) {
  Cache cache(path, algo);
  if (path.empty()) return cache;
  sqlite3* db = nullptr;
  const int status = sqlite3_open_v2(
      path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, nullptr);
  cache.db_.reset(db);
  if (status != SQLITE_OK) {
    cache.complain(db != nullptr ? sqlite3_errmsg(db) : "no memory");
    cache.db_.reset();
    return cache;
  }
  (void)sqlite3_busy_timeout(db, kBusy_ms);
  // It can be made again, so it need not survive a power cut.
  if (!cache.run("PRAGMA synchronous = OFF") || !cache.load()) {
    cache.rows_.clear();
    cache.db_.reset();
  }
  return cache;
}

const CacheRow* Cache::find(const struct stat& info) const {
  const auto found = rows_.find(key_of(info));
  if (found == rows_.end()) return nullptr;
  const Entry& entry = found->second;
  if (entry.row.changed_ns != changed_ns(info) || entry.row.size != static_cast<uint64_t>(info.st_size))
    return nullptr;
  std::atomic_ref<bool>(entry.used).store(true, std::memory_order_relaxed);
  return &entry.row;
}

void Cache::store(const std::vector<std::pair<struct stat, CacheRow>>& rows, bool whole) {
  if (!db_) return;
  if (!run("BEGIN IMMEDIATE")) return;
  bool good = true;
  if (whole) {
    const StatementPtr gone =
        prepare(db_.get(), "DELETE FROM files WHERE device = ? AND inode = ? AND algo = ?");
    std::set<uint64_t> devices;
    for (const auto& [info, row] : rows) devices.insert(info.st_dev);
    for (const auto& [key, entry] : rows_) {
      if (entry.used) devices.insert(key.device);
    }
    for (const auto& [key, entry] : rows_) {
      if (entry.used || !devices.contains(key.device)) continue;
      good = good && gone &&
             sqlite3_bind_int64(gone.get(), 1, static_cast<int64_t>(key.device)) == SQLITE_OK &&
             sqlite3_bind_int64(gone.get(), 2, static_cast<int64_t>(key.inode)) == SQLITE_OK &&
             sqlite3_bind_int(gone.get(), 3, static_cast<int>(algo_)) == SQLITE_OK &&
             sqlite3_step(gone.get()) == SQLITE_DONE && sqlite3_reset(gone.get()) == SQLITE_OK;
    }
  }
  const StatementPtr put = prepare(
      db_.get(),
      "INSERT OR REPLACE INTO files(device, inode, algo, changed, size, kind, digest) VALUES(?,?,?,?,?,?,?)");
  for (const auto& [info, row] : rows) {
    good = good && put && sqlite3_bind_int64(put.get(), 1, static_cast<int64_t>(info.st_dev)) == SQLITE_OK &&
           sqlite3_bind_int64(put.get(), 2, static_cast<int64_t>(info.st_ino)) == SQLITE_OK &&
           sqlite3_bind_int(put.get(), 3, static_cast<int>(algo_)) == SQLITE_OK &&
           sqlite3_bind_int64(put.get(), 4, row.changed_ns) == SQLITE_OK &&
           sqlite3_bind_int64(put.get(), 5, static_cast<int64_t>(row.size)) == SQLITE_OK &&
           sqlite3_bind_int(put.get(), 6, static_cast<int>(row.kind)) == SQLITE_OK &&
           sqlite3_bind_blob(put.get(), 7, row.digest.data(), static_cast<int>(row.digest.size()),
                             SQLITE_STATIC) == SQLITE_OK &&
           sqlite3_step(put.get()) == SQLITE_DONE && sqlite3_reset(put.get()) == SQLITE_OK;
  }
  if (!good) complain(sqlite3_errmsg(db_.get()));
  if (!good || !run("COMMIT")) {
    (void)sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);  // closing would do the same
    return;
  }
  if (access(path_.c_str(), F_OK) != 0) complain("it was removed meanwhile");
}

}  // namespace diglim::scan
