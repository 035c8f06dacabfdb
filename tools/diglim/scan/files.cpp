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
  Walk(const Host& host, const FindOptions& options, Found& found,
       const std::function<void(size_t, size_t, std::string_view)>& progress)
      : host_(host), skip_(options.skip.begin(), options.skip.end()), found_(found), progress_(progress) {
    for (Mount& mount : host.mounts()) mounts_[mount.point] = mount;  // the later one is on top
  }

  // Directories wait in a list, not on the stack: how deep they nest is not ours to say.
  void add_folder(const std::string& top) {
    std::vector<std::string> waiting = {top == "/" ? "" : top};
    while (!waiting.empty()) {
      const std::string folder = std::move(waiting.back());
      waiting.pop_back();
      if (is_left_out(folder)) continue;
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
    struct stat info = {};
    if (lstat(host_.path(path).c_str(), &info) != 0) return;  // gone meanwhile
    if (S_ISDIR(info.st_mode))
      waiting.push_back(std::move(path));
    else if (S_ISREG(info.st_mode) && info.st_size > 0)
      candidates_.push_back({std::move(path), info});
  }

  bool is_left_out(const std::string& folder) {
    if (skip_.contains(folder)) return true;
    struct stat info = {};
    // What is mounted twice is read once; and a loop of bind mounts ends.
    if (lstat(host_.path(folder).append("/").c_str(), &info) != 0 ||
        !seen_.insert({info.st_dev, info.st_ino}).second)
      return true;
    const auto mount = mounts_.find(folder.empty() ? "/" : folder);
    if (mount == mounts_.end()) return mounts_.empty() && shows_kernel(host_.path(folder) + "/");
    if (is_of_kernel(mount->second)) return true;
    const std::string why = refusal(mount->second);
    if (why.empty()) return false;
    found_.refused.push_back({mount->first, why});
    return !folder.empty();
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

Examined examine(const Host& host, Candidate& candidate, HashAlgo algo, const Cache& cache) {
  Examined result;
  if (const CacheRow* row = cache.find(candidate.info); row != nullptr && fits_name(*row, candidate)) {
    result.row = *row;
    result.is_cached = true;
    return result;
  }
  auto row = read_row(host.path(candidate.path), candidate, algo, candidate.info);
  if (row) {
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

unsigned thread_count(unsigned wanted) {
  return wanted > 0 ? wanted : std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

Found find_files(const Host& host, const FindOptions& options, HashAlgo algo, Cache& cache,
                 const std::function<void(size_t, size_t, std::string_view)>& progress) {
  Found found;
  Walk walk(host, options, found, progress);
  const bool whole = options.below.empty() && options.skip.empty();
  if (options.below.empty()) walk.add_folder("/");
  for (const std::string& folder : options.below) walk.add_folder(folder);
  std::vector<Candidate> candidates = walk.take();
  std::ranges::sort(candidates, {}, &Candidate::path);

  std::vector<Examined> examined(candidates.size());
  std::atomic<size_t> next = 0;
  std::atomic<size_t> done = 0;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < thread_count(options.threads); ++i) {
    threads.emplace_back([&] {
      for (size_t at; (at = next.fetch_add(1)) < candidates.size(); ++done)
        examined[at] = examine(host, candidates[at], algo, cache);
    });
  }
  while (done < candidates.size()) {
    const size_t at = std::min(next.load(), candidates.size() - 1);
    progress(done, candidates.size(), candidates[at].path);
    std::this_thread::sleep_for(std::chrono::milliseconds(done + 1000 < candidates.size() ? 50 : 2));
  }
  for (std::thread& thread : threads) thread.join();

  std::vector<std::pair<struct stat, CacheRow>> fresh;
  for (size_t i = 0; i < candidates.size(); ++i) {
    Examined& one = examined[i];
    if (one.is_gone) continue;
    if (!one.is_cached && one.error.empty()) fresh.emplace_back(candidates[i].info, one.row);
    if (one.row.kind == Kind::kNone) continue;
    found.from_cache += one.is_cached ? 1 : 0;
    found.hashed_bytes += one.is_cached || !one.error.empty() ? 0 : one.row.size;
    found.files.push_back(
        {std::move(candidates[i].path), one.row.kind, std::move(one.row.digest), std::move(one.error)});
  }
  cache.store(fresh, whole);
  return found;
}

}  // namespace diglim::scan
