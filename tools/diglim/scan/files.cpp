// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/scan/files.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tools/diglim/mount_rules.h"
#include "tools/file_digests.h"

namespace diglim::scan {
namespace {

struct Candidate {
  std::string path;
  struct stat info = {};
};

bool shows_kernel(const std::string& real) {
  struct statfs info = {};
  return statfs(real.c_str(), &info) == 0 && (info.f_type == PROC_SUPER_MAGIC || info.f_type == SYSFS_MAGIC ||
                                              info.f_type == CGROUP2_SUPER_MAGIC);
}

class Walk {
 public:
  Walk(const Host& host, const std::vector<Mount>& mounts, const FindOptions& options, Found& found,
       const std::function<void(size_t, size_t, std::string_view)>& progress)
      : host_(host), skip_(options.skip.begin(), options.skip.end()), found_(found), progress_(progress) {
    for (const Mount& mount : mounts) mounts_[mount.point] = mount;  // the later one is on top
  }

  // Directories wait in a list, not on the stack: how deep they nest is not ours to say.
  void add_folder(const std::string& top) {
    std::vector<std::string> waiting;
    if (!is_barred(mount_of(top), true)) waiting.push_back(top == "/" ? "" : top);
    while (!waiting.empty()) {
      const std::string folder = std::move(waiting.back());
      waiting.pop_back();
      if (skip_.contains(folder) || was_seen(folder)) continue;
      const auto names = list_folder(host_.path(folder) + "/");
      if (!names) {
        if (names.error().code != ErrorCode::kNotFound) found_.unreadable.push_back(names.error().message);
        continue;
      }
      progress_(candidates_.size(), 0, folder);
      for (const std::string& name : *names) add_entry(folder + "/" + name, waiting);
    }
  }

  std::vector<Candidate> take() { return std::move(candidates_); }

 private:
  void add_entry(std::string path, std::vector<std::string>& waiting) {
    // Before anything asks the file system: one whose server is gone does not answer.
    const auto mount = mounts_.find(path);
    if (skip_.contains(path) || (mount != mounts_.end() && is_barred(&mount->second, false))) return;
    struct stat info = {};
    if (lstat(host_.path(path).c_str(), &info) != 0) return;  // gone meanwhile
    if (S_ISDIR(info.st_mode))
      waiting.push_back(std::move(path));
    else if (S_ISREG(info.st_mode) && info.st_size > 0)
      candidates_.push_back({std::move(path), info});
  }

  const Mount* mount_of(std::string folder) const {
    while (true) {
      const auto mount = mounts_.find(folder.empty() ? "/" : folder);
      if (mount != mounts_.end()) return &mount->second;
      if (folder.size() <= 1) return nullptr;
      folder.resize(folder.rfind('/'));
    }
  }

  bool is_barred(const Mount* mount, bool is_top) {
    if (mount == nullptr) return false;
    if (is_of_kernel(*mount)) return true;
    const std::string why = refusal(*mount);
    if (why.empty()) return false;
    const auto same = [&](const RefusedMount& other) { return other.point == mount->point; };
    if (std::ranges::none_of(found_.refused, same)) found_.refused.push_back({mount->point, why});
    return !is_top;
  }

  // What is mounted twice is read once; and a loop of bind mounts ends.
  bool was_seen(const std::string& folder) {
    const std::string real = host_.path(folder) + "/";
    struct stat info = {};
    return lstat(real.c_str(), &info) != 0 || !seen_.insert({info.st_dev, info.st_ino}).second ||
           (mounts_.empty() && shows_kernel(real));
  }

  const Host& host_;
  const std::set<std::string> skip_;
  Found& found_;
  const std::function<void(size_t, size_t, std::string_view)>& progress_;
  std::map<std::string, Mount> mounts_;
  std::set<std::pair<dev_t, ino_t>> seen_;
  std::vector<Candidate> candidates_;
};

struct Examined {
  CacheRow row;
  std::string error;
  bool is_cached = false;
  bool is_kept = false;  // in the cache, from now on
  bool is_gone = false;
};

// One open for both: what it is, and its digest.
Result<CacheRow> read_row(const std::string& real, const Candidate& candidate, HashAlgo algo,
                          struct stat& info) {
  TRY_ASSIGN(const Fd fd, open_file(real, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY));
  if (fstat(fd.get(), &info) != 0) return from_errno("stat " + escape(real), errno);
  CacheRow row;
  row.changed_ns = Cache::changed_ns(info);
  row.size = static_cast<uint64_t>(info.st_size);
  if (!S_ISREG(info.st_mode)) return row;
  uint8_t head[kHeadBytes];
  const ssize_t got = pread(fd.get(), head, sizeof(head), 0);
  if (got < 0) return from_errno("read " + escape(real), errno);
  row.kind = kind_of(candidate.path, info.st_mode, ByteView(head).first(static_cast<size_t>(got)));
  if (row.kind == Kind::kNone) return row;
  if (row.size > kMaxKnownBytes) return row;  // one without blocks takes no room, and hours to read
  TRY_ASSIGN(const Bytes digest, digest_open_file(fd, real, algo));
  row.digest = as_text(digest);
  return row;
}

// Names matter, too, and the cache does not have them: another root, a second link.
bool fits_name(const CacheRow& row, const Candidate& candidate) {
  const bool by_name = kind_of(candidate.path, 0, as_bytes("x")) != Kind::kNone;
  if (row.kind == Kind::kModule || row.kind == Kind::kFirmware) return by_name;
  return !by_name;
}

Examined examine(const Host& host, Candidate& candidate, HashAlgo algo, const Cache* cache) {
  Examined result;
  const CacheRow* known = cache != nullptr ? cache->find(candidate.info) : nullptr;
  if (known != nullptr && fits_name(*known, candidate)) {
    result.row = *known;
    result.is_cached = true;
    return result;
  }
  const int64_t begin = Cache::now_ns();
  auto row = read_row(host.path(candidate.path), candidate, algo, candidate.info);
  if (row) {
    const bool is_whole = row->kind == Kind::kNone || !row->digest.empty();
    result.is_kept = cache != nullptr && is_whole && Cache::is_settled(candidate.info, begin);
    result.row = *std::move(row);
  } else if (row.error().code == ErrorCode::kNotFound) {
    result.is_gone = true;
  } else {
    result.error = row.error().message;
    // Without its content only its mode and its name tell.
    if (counts_without_content(candidate.path, candidate.info.st_mode)) result.row.kind = Kind::kOther;
  }
  return result;
}

// Of each file system with a candidate: can the cache tell when a file of it changed?
std::map<dev_t, bool> find_told(const Host& host, const std::vector<Candidate>& candidates) {
  std::map<dev_t, bool> told;
  for (const Candidate& candidate : candidates) {
    const auto [at, is_new] = told.emplace(candidate.info.st_dev, false);
    struct statfs info = {};
    if (is_new && statfs(host.path(candidate.path).c_str(), &info) == 0)
      at->second = Cache::tells_changes(static_cast<uint32_t>(info.f_type));
  }
  return told;
}

unsigned thread_count(unsigned wanted) {
  return wanted > 0 ? wanted : std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

Found find_files(const Host& host, const std::vector<Mount>& mounts, const FindOptions& options,
                 HashAlgo algo, Cache& cache,
                 const std::function<void(size_t, size_t, std::string_view)>& progress) {
  Found found;
  Walk walk(host, mounts, options, found, progress);
  // Another root may lie in a file system of which it is a part.
  const bool whole = host.is_live() && options.below.empty() && options.skip.empty();
  if (options.below.empty()) walk.add_folder("/");
  for (const std::string& folder : options.below) walk.add_folder(folder);
  std::vector<Candidate> candidates = walk.take();
  std::ranges::sort(candidates, {}, &Candidate::path);
  const auto told = find_told(host, candidates);

  std::vector<Examined> examined(candidates.size());
  std::atomic<size_t> next = 0;
  std::atomic<size_t> done = 0;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < thread_count(options.threads); ++i) {
    threads.emplace_back([&] {
      for (size_t at; (at = next.fetch_add(1)) < candidates.size(); ++done)
        examined[at] =
            examine(host, candidates[at], algo, told.at(candidates[at].info.st_dev) ? &cache : nullptr);
    });
  }
  const auto say = [&] {
    const size_t at = std::min(next.load(), candidates.size() - 1);
    progress(done, candidates.size(), candidates[at].path);
  };
  if (!candidates.empty()) say();  // once at least, however fast they are
  while (done < candidates.size()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(done + 1000 < candidates.size() ? 50 : 2));
    say();
  }
  for (std::thread& thread : threads) thread.join();

  std::vector<std::pair<struct stat, CacheRow>> fresh;
  for (size_t i = 0; i < candidates.size(); ++i) {
    Examined& one = examined[i];
    if (one.is_gone) continue;
    if (one.is_kept) fresh.emplace_back(candidates[i].info, one.row);
    if (one.row.kind == Kind::kNone) continue;
    found.from_cache += one.is_cached ? 1 : 0;
    found.hashed_bytes += one.is_cached || one.row.digest.empty() ? 0 : one.row.size;
    found.files.push_back(
        {std::move(candidates[i].path), one.row.kind, std::move(one.row.digest), std::move(one.error)});
  }
  cache.store(fresh, whole);
  return found;
}

}  // namespace diglim::scan
