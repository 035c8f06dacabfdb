// SPDX-License-Identifier: Apache-2.0
// The system that setup changes: each change is recorded before it is made.
#pragma once

#include <string>
#include <vector>

#include "lib/base/file.h"
#include "tools/diglim/host.h"
#include "tools/diglim/setup/record.h"

namespace diglim::setup {

constexpr const char* kRecordPath = "/var/lib/diglim/setup.json";
constexpr const char* kLockPath = "/var/lib/diglim/setup.lock";

struct FileChange {
  std::string path;      // in the system
  std::string content;   // of a link: its target
  unsigned mode = 0644;  // of a new file; one that is there keeps its own
  bool link = false;
  std::string format;  // as in RecordedFile
};

class RecordedHost {
 public:
  // `chroot`: with a root, commands run in it; without, they run here. `change`: nobody else may change that
  // system through this class until the object is gone (else kIo); false: it is only looked at.
  static Result<RecordedHost> open(std::string root, bool chroot, bool change);
  RecordedHost(RecordedHost&& other) noexcept = default;
  RecordedHost& operator=(RecordedHost&&) = delete;
  ~RecordedHost();

  const Host& view() const { return host_; }  // which only looks
  Record& record() { return record_; }
  const Record& record() const { return record_; }
  bool has_record() const { return has_record_; }

  // The content of a file that may be changed; nothing if it is not there. A link is followed on the running
  // system only (on another one it might lead out of it: kUnsupported). Errors: kIo.
  Result<std::optional<std::string>> read(const std::string& path) const;

  Result<void> make_folder(const std::string& path);  // and those above it
  Result<void> write(const FileChange& change);
  // Another content for a file that is there and that no record is needed of; owner and mode stay.
  Result<void> replace(const std::string& path, std::string_view content) const;
  // Records a file that another program, or another part of this one, is about to change; to `after`, if that
  // is known.
  Result<void> remember(const std::string& path, const std::string& format,
                        std::optional<std::string_view> after = std::nullopt);
  // ... and has changed.
  Result<void> remember_after(const std::string& path);
  Result<void> save();
  // Puts one recorded file back. True: it is as it was; false: somebody changed it since, and it was left
  // alone (its command line, if it has one, was freed of our words).
  Result<bool> put_back(const RecordedFile& file);
  // Directories, and last the record itself.
  Result<void> forget();

  // False if there is no such program. Looks in PATH, below the root.
  bool has_program(const std::string& name) const;
  // Its output. kIo with the last lines of it if it fails. REQUIRES: runs_commands().
  Result<std::string> run(const std::vector<std::string>& words) const;
  bool runs_commands() const { return host_.is_live() || chroot_; }

 private:
  RecordedHost(std::string root, bool chroot) : host_(std::move(root)), chroot_(chroot) {}
  Result<void> lock();
  void unlock();
  Result<void> remove(const std::string& path);
  Result<void> remove_folders() const;        // those that are empty
  void sweep(const std::string& path) const;  // what write_file_atomically() left when it was killed

  Host host_;
  bool chroot_;
  Fd lock_;  // on kLockPath, which goes with it
  bool has_record_ = false;
  Record record_;
};

}  // namespace diglim::setup
