// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/setup/recorded_host.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/hash.h"
#include "tools/diglim/setup/command_line.h"
#include "tools/run_command.h"

namespace diglim::setup {
namespace {

constexpr size_t kMaxFile = 16u << 20;  // the largest is grub.cfg
constexpr size_t kTemporarySuffix = 7;  // ".XXXXXX" of write_file_atomically()

Result<std::string> sha256(std::string_view text) {
  TRY_ASSIGN(const Bytes digest, hash(HashAlgo::kSha256, {as_bytes(text)}));
  return to_hex(digest);
}

std::optional<Format> format_of(const std::string& name) {
  if (name == "bls") return Format::kBlsEntry;
  if (name == "plain") return Format::kPlain;
  if (name == "grub") return Format::kGrubDefault;
  return std::nullopt;
}

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

}  // namespace

Result<RecordedHost> RecordedHost::open(std::string root, bool chroot, bool change) {
  RecordedHost host(std::move(root), chroot);
  if (change) TRY(host.lock());
  TRY_ASSIGN(auto record, load_record(host.host_.path(kRecordPath)));
  host.has_record_ = record.has_value();
  if (record) host.record_ = *std::move(record);
  return host;
}

RecordedHost::~RecordedHost() {
  unlock();
}

// A file that only root can open, not a folder, so that nobody else can keep root waiting.
Result<void> RecordedHost::lock() {
  TRY(make_folder(folder_of(kLockPath)));
  const std::string path = host_.path(kLockPath);
  for (;;) {
    TRY_ASSIGN(Fd fd, open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
    if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return from_errno("lock " + escape(path), errno);
      return Error{ErrorCode::kIo, 0, "another diglim setup is at work; run this again when it has ended"};
    }
    struct stat held = {}, named = {};
    if (fstat(fd.get(), &held) == 0 && lstat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
        held.st_dev == named.st_dev) {
      lock_ = std::move(fd);
      return {};
    }
    // The one before removed it when it was done.
  }
}

void RecordedHost::unlock() {
  if (!lock_) return;
  (void)unlink(host_.path(kLockPath).c_str());  // one that stays locks nobody out
  lock_ = Fd();
}

Result<std::optional<std::string>> RecordedHost::read(const std::string& path) const {
  const std::string real = host_.path(path);
  struct stat info = {};
  if (lstat(real.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>();
    return from_errno("stat " + escape(real), errno);
  }
  if (S_ISLNK(info.st_mode)) {
    // To write would replace the link.
    return unsupported(escape(real) + " is a link; name the file itself, or change it by hand");
  }
  TRY_ASSIGN(const Bytes bytes, read_file(real, kMaxFile));
  return std::optional<std::string>(as_text(bytes));
}

Result<void> RecordedHost::make_folder(const std::string& path) {
  if (path.empty()) return {};
  struct stat info = {};
  if (stat(host_.path(path).c_str(), &info) == 0) {
    return S_ISDIR(info.st_mode) ? Result<void>()
                                 : Result<void>(invalid(escape(path) + " is not a directory"));
  }
  TRY(make_folder(folder_of(path)));
  record_.folders.push_back(path);
  // The record's own folder has to be there for the record to be written.
  const bool first = std::string_view(kRecordPath).starts_with(path + "/");
  if (!first) TRY(save());
  if (mkdir(host_.path(path).c_str(), 0755) != 0)
    return from_errno("create directory " + escape(path), errno);
  return {};
}

Result<void> RecordedHost::save() {
  TRY(make_folder(folder_of(kRecordPath)));
  has_record_ = true;
  return save_record(host_.path(kRecordPath), record_);
}

Result<void> RecordedHost::remember(const std::string& path, const std::string& format,
                                    std::optional<std::string_view> after) {
  if (record_.find(path) != nullptr) return {};  // what was there before the first change counts
  RecordedFile file;
  file.path = path;
  file.format = format;
  if (after) {
    TRY_ASSIGN(file.after_sha256, sha256(*after));
  }
  struct stat info = {};
  if (lstat(host_.path(path).c_str(), &info) == 0) {
    file.mode = info.st_mode & 07777;
    file.uid = info.st_uid;
    file.gid = info.st_gid;
    TRY_ASSIGN(const auto text, read(path));
    if (text) file.before = to_bytes(as_bytes(*text));
  }
  record_.files.push_back(std::move(file));
  return save();
}

Result<void> RecordedHost::remember_after(const std::string& path) {
  RecordedFile* file = record_.find(path);
  TRY_ASSIGN(const auto text, read(path));
  if (file == nullptr || !text) return {};
  TRY_ASSIGN(file->after_sha256, sha256(*text));
  return save();
}

Result<void> RecordedHost::write(const FileChange& change) {
  const std::string real = host_.path(change.path);
  TRY(make_folder(folder_of(change.path)));
  if (change.link) {
    struct stat info = {};
    if (lstat(real.c_str(), &info) == 0 && record_.find(change.path) == nullptr)
      return {};  // it was there before
    if (record_.find(change.path) == nullptr) {
      RecordedFile file;
      file.path = change.path;
      file.link = true;
      record_.files.push_back(file);
      TRY(save());
    }
    if (symlink(change.content.c_str(), real.c_str()) != 0 && errno != EEXIST)
      return from_errno("link " + escape(real), errno);
    return {};
  }
  TRY_ASSIGN(const auto present, read(change.path));
  if (present == change.content) return {};
  TRY(remember(change.path, change.format));
  RecordedFile& file = *record_.find(change.path);
  TRY_ASSIGN(file.after_sha256, sha256(change.content));
  TRY(save());
  TRY(write_file_atomically(real, as_bytes(change.content), file.before ? file.mode : change.mode));
  if ((file.uid != 0 || file.gid != 0) && chown(real.c_str(), file.uid, file.gid) != 0)
    return from_errno("chown " + escape(real), errno);
  return {};
}

Result<void> RecordedHost::replace(const std::string& path, std::string_view content) const {
  const std::string real = host_.path(path);
  struct stat info = {};
  if (lstat(real.c_str(), &info) != 0) return from_errno("stat " + escape(real), errno);
  TRY(write_file_atomically(real, as_bytes(content), info.st_mode & 07777));
  if ((info.st_uid != 0 || info.st_gid != 0) && chown(real.c_str(), info.st_uid, info.st_gid) != 0)
    return from_errno("chown " + escape(real), errno);
  return {};
}

Result<void> RecordedHost::remove(const std::string& path) {
  if (unlink(host_.path(path).c_str()) != 0 && errno != ENOENT)
    return from_errno("remove " + escape(path), errno);
  return {};
}

void RecordedHost::sweep(const std::string& path) const {
  const size_t name_at = path.rfind('/') + 1;
  const std::string folder = path.substr(0, name_at);
  const std::string prefix = "." + path.substr(name_at) + ".";
  for (const std::string& name : host_.names(folder)) {
    if (name.starts_with(prefix) && name.size() == prefix.size() - 1 + kTemporarySuffix)
      (void)unlink(host_.path(folder + name).c_str());  // a left-over; nothing depends on it
  }
}

Result<bool> RecordedHost::put_back(const RecordedFile& file) {
  sweep(file.path);
  const std::string real = host_.path(file.path);
  if (file.link) {
    TRY(remove(file.path));
    return true;
  }
  TRY_ASSIGN(const auto present, read(file.path));
  const bool was_there = file.before.has_value();
  if (!present)
    return !was_there;  // removed since, as with a kernel's boot entry: it is not ours to bring it back
  const std::string before = was_there ? std::string(as_text(*file.before)) : "";
  if (was_there && *present == before) return true;
  TRY_ASSIGN(const std::string digest, sha256(*present));
  if (digest == file.after_sha256) {
    if (!was_there) {
      TRY(remove(file.path));
      return true;
    }
    TRY(write_file_atomically(real, *file.before, file.mode));
    if ((file.uid != 0 || file.gid != 0) && chown(real.c_str(), file.uid, file.gid) != 0)
      return from_errno("chown " + escape(real), errno);
    return true;
  }
  const auto format = format_of(file.format);
  if (!format) return false;
  if (!was_there && *format == Format::kBlsEntry) {
    // The permissive entry, which a grubby that was cut short changed like all others.
    TRY(remove(file.path));
    return true;
  }
  std::string freed = remove_from_file(*present, *format, record_.words);
  // Nothing but blanks between words may differ then: grubby moves them.
  if (was_there && add_to_file(freed, *format, {}) == add_to_file(before, *format, {})) freed = before;
  if (freed != *present) TRY(replace(file.path, freed));
  return freed == before;
}

Result<void> RecordedHost::remove_folders() const {
  for (auto folder = record_.folders.rbegin(); folder != record_.folders.rend(); ++folder) {
    if (rmdir(host_.path(*folder).c_str()) != 0 && errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT)
      return from_errno("remove directory " + escape(*folder), errno);
  }
  return {};
}

Result<void> RecordedHost::forget() {
  sweep(kRecordPath);
  TRY(remove_folders());  // while the record still tells of them
  TRY(remove(kRecordPath));
  unlock();
  TRY(remove_folders());  // those of record and lock
  has_record_ = false;
  record_ = {};
  return {};
}

bool RecordedHost::has_program(const std::string& name) const {
  return std::ranges::any_of(std::initializer_list<std::string>{"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"},
                             [&](const std::string& folder) { return host_.exists(folder + name); });
}

Result<std::string> RecordedHost::run(const std::vector<std::string>& words) const {
  std::vector<std::string> all;
  if (!host_.is_live()) all = {"chroot", host_.path("/")};
  all.insert(all.end(), words.begin(), words.end());
  const auto result = run_command(all, Errors::kCapture);
  if (!result) return result.error();
  if (result->status == 0) return result->output;
  const std::string_view output = trim(result->output);
  constexpr size_t kShown = 600;
  return Error{
      ErrorCode::kIo, 0,
      fmt::format("{} failed with status {}: {}", words[0], result->status,
                  escape(output.substr(output.size() > kShown ? output.size() - kShown : 0), kShown))};
}

}  // namespace diglim::setup
