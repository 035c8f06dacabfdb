// SPDX-License-Identifier: Apache-2.0
// What earlier scans read, so that the next one takes seconds: digests by inode, change time and size, in an
// SQLite file. It is an aid only: whatever is wrong with it, it says so once, and the scan reads everything.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/crypto/hash.h"
#include "tools/diglim/scan/kind.h"

struct sqlite3;

namespace diglim::scan {

struct CacheKey {
  uint64_t device = 0;
  uint64_t inode = 0;
  bool operator==(const CacheKey&) const = default;
};

struct CacheRow {
  int64_t changed_ns = 0;  // st_ctim
  uint64_t size = 0;
  Kind kind = Kind::kNone;
  std::string digest;  // raw; empty if the kind is kNone
};

class Cache {
 public:
  // Reads all rows of this algorithm. `path` empty: there is none. Root owns the directory of root's cache;
  // who may write it can make a scan say what he likes, and no more.
  static Cache open(const std::string& path, HashAlgo algo);
  Cache(Cache&&) noexcept = default;

  // Nothing if the file is not the same any more. Thread-safe, also beside itself.
  const CacheRow* find(const struct stat& info) const;

  // Is it known what the file's change time stands for, if the file is read from `now` on? If it changed
  // within the last seconds before, that could be two contents.
  static bool is_settled(const struct stat& info, int64_t now);
  // Not of an image that is only read (squashfs, erofs, iso9660): it was made with its times and numbers, and
  // the next image on that device may have the same. `type`: f_type of statfs(2).
  static bool tells_changes(uint32_t type);

  // Stores what is new. With `whole` what was not asked for by find() goes, of each file system of which
  // there are other files: those files are gone.
  void store(const std::vector<std::pair<struct stat, CacheRow>>& rows, bool whole);

  // What went wrong, and what to do: one line, or empty.
  const std::string& complaint() const { return complaint_; }

  static CacheKey key_of(const struct stat& info) { return {info.st_dev, info.st_ino}; }
  static int64_t changed_ns(const struct stat& info) {
    return int64_t{info.st_ctim.tv_sec} * 1'000'000'000 + info.st_ctim.tv_nsec;
  }
  static int64_t now_ns();

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  struct Hash {
    size_t operator()(const CacheKey& key) const { return key.inode * 0x9e3779b97f4a7c15u ^ key.device; }
  };
  struct Entry {
    CacheRow row;
    mutable bool used = false;  // set by many threads, each to the same
  };

  Cache(std::string path, HashAlgo algo) : path_(std::move(path)), algo_(algo) {}
  void complain(const std::string& what);
  bool run(const char* sql);
  bool load();

  std::string path_;
  HashAlgo algo_;
  std::unique_ptr<sqlite3, Close> db_;
  std::unordered_map<CacheKey, Entry, Hash> rows_;
  std::string complaint_;
};

}  // namespace diglim::scan
