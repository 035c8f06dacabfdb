// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/used_nonces.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "lib/base/text.h"

namespace diglim {
namespace {

constexpr size_t kUsualDigits = 64;  // of `diglim attest nonce`

Result<Fd> open_used(const std::string& path) {
  return open_file(path, O_RDWR | O_CREAT | O_APPEND, 0600);
}

}  // namespace

Result<UsedNonces> UsedNonces::open(const std::string& path) {
  TRY_ASSIGN(Fd file, open_used(path));
  return UsedNonces(path, std::move(file));
}

void UsedNonces::take(std::string_view line) {
  const auto insert = [this](std::string_view digits) {
    if (const auto bytes = from_hex(digits)) used_.emplace(as_text(*bytes));
  };
  insert(line);
  // A verifier that was killed, or found the disk full, left half a line, and an older one wrote the next
  // behind it.
  if (line.size() > kUsualDigits) insert(line.substr(line.size() - kUsualDigits));
}

// Whoever begins a new file moves this one away, or empties it. What others remember from then on is in the
// one that the path names.
Result<void> UsedNonces::lock() {
  for (;;) {
    if (flock(file_.get(), LOCK_EX) != 0) return from_errno("lock " + escape(path_), errno);
    struct stat own = {}, named = {};
    if (fstat(file_.get(), &own) != 0) return from_errno("stat " + escape(path_), errno);
    const bool same =
        stat(path_.c_str(), &named) == 0 && own.st_dev == named.st_dev && own.st_ino == named.st_ino;
    if (same && static_cast<uint64_t>(own.st_size) >= read_bytes_) return {};
    read_bytes_ = 0;
    last_line_.clear();
    if (same) return {};
    TRY_ASSIGN(file_, open_used(path_));
  }
}

// What others appended since.
Result<void> UsedNonces::read_new() {
  if (lseek(file_.get(), static_cast<off_t>(read_bytes_), SEEK_SET) < 0)
    return from_errno("seek in " + escape(path_), errno);
  Bytes more;
  TRY(read_up_to(file_, path_, kMaxUsedNoncesBytes + 1 - read_bytes_, more));
  read_bytes_ += more.size();
  std::string_view text = as_text(more);
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    last_line_ += text.substr(0, end);
    take(last_line_);
    last_line_.clear();
    text.remove_prefix(end + 1);
  }
  last_line_ += text;
  return {};
}

Result<std::vector<bool>> UsedNonces::use(const std::vector<Use>& uses) {
  const auto unlock = [](const Fd* file) { (void)flock(file->get(), LOCK_UN); };  // closing would do it, too
  const std::unique_ptr<const Fd, decltype(unlock)> guard(&file_, unlock);
  TRY(lock());
  TRY(read_new());
  std::vector<bool> fresh;
  std::string lines = last_line_.empty() ? "" : "\n";
  const size_t nothing = lines.size();
  std::vector<std::string> added;
  for (const Use& one : uses) {
    std::string bytes(as_text(one.nonce));
    if (one.remember) {
      fresh.push_back(used_.insert(bytes).second);
      if (!fresh.back()) continue;
      lines += to_hex(one.nonce) + "\n";
      added.push_back(std::move(bytes));
    } else {
      fresh.push_back(!used_.contains(bytes));
    }
  }
  if (lines.size() == nothing) return fresh;
  const auto forget = [&](Error error) {
    for (const std::string& bytes : added) used_.erase(bytes);
    return error;
  };
  if (read_bytes_ + lines.size() > kMaxUsedNoncesBytes)
    return forget(unsupported(escape(path_) +
                              " is full (64 MiB): begin a new file when the challenges in it have expired"));
  if (auto written = write_bytes(file_, path_, as_bytes(lines)); !written) return forget(written.error());
  if (fsync(file_.get()) != 0) return forget(from_errno("fsync " + escape(path_), errno));
  read_bytes_ += lines.size();
  last_line_.clear();
  return fresh;
}

}  // namespace diglim
