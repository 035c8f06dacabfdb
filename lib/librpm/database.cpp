// SPDX-License-Identifier: Apache-2.0
#include "lib/librpm/database.h"

#include <fcntl.h>
#include <rpm/rpmlib.h>
#include <rpm/rpmlog.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "lib/base/text.h"

namespace diglim {
namespace {

namespace fs = std::filesystem;

// The first error that librpm logs: its functions return little more than "failed".
int keep_first_error(rpmlogRec record, rpmlogCallbackData data) {
  auto& message = *static_cast<std::string*>(data);
  if (rpmlogRecPriority(record) <= RPMLOG_ERR && message.empty()) {
    message = escape(trim(rpmlogRecMessage(record)));
  }
  return 0;
}

// The databases of rpm's backends.
constexpr char kSqlite[] = "rpmdb.sqlite";
constexpr char kNdb[] = "Packages.db";
constexpr char kBerkeley[] = "Packages";

class Log {
 public:
  Log() {
    rpmSetVerbosity(RPMLOG_ERR);
    (void)rpmlogSetCallback(keep_first_error, &message_);  // returns the one before
  }
  ~Log() { (void)rpmlogSetCallback(nullptr, nullptr); }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  const std::string& message() const { return message_; }

 private:
  std::string message_;
};

// A copy of a database that cannot be opened where it is; gone with the object.
class TemporaryCopy {
 public:
  static Result<TemporaryCopy> create(const std::string& database) {
    std::error_code error;
    std::string name = (fs::temp_directory_path(error) / "rpm_gen.XXXXXX").string();
    if (error || mkdtemp(name.data()) == nullptr)
      return from_errno("create directory " + escape(name), errno);
    TemporaryCopy copy;
    copy.folder_ = name;
    for (int attempt = 0; attempt < 3; ++attempt) {
      const auto before = state_of(database);
      TRY(copy.copy_files(database));
      if (state_of(database) == before) return copy;
    }
    return Error{ErrorCode::kIo, 0,
                 "the database in " + escape(database) + " changes while it is copied; try again"};
  }
  TemporaryCopy(TemporaryCopy&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}
  TemporaryCopy& operator=(TemporaryCopy&&) = delete;
  ~TemporaryCopy() {
    std::error_code ignored;  // a left-over in /tmp; nothing depends on it
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }
  const std::string& folder() const { return folder_; }

 private:
  TemporaryCopy() = default;

  static bool is_wanted(const fs::directory_entry& entry) {
    std::error_code error;
    // The index of the WAL (-shm) is made anew; hidden files are rpm's locks.
    const std::string name = entry.path().filename().string();
    return entry.is_regular_file(error) && !name.starts_with(".") && !name.ends_with("-shm");
  }

  static std::vector<std::pair<uintmax_t, fs::file_time_type>> state_of(const std::string& database) {
    std::vector<std::pair<uintmax_t, fs::file_time_type>> state;
    for (const char* name : {kSqlite, "rpmdb.sqlite-wal", kNdb, kBerkeley}) {
      std::error_code error;
      const fs::path path = fs::path(database) / name;
      state.emplace_back(fs::file_size(path, error), fs::last_write_time(path, error));
    }
    return state;
  }

  Result<void> copy_files(const std::string& database) {
    std::error_code error;
    for (auto entry = fs::directory_iterator(database, error); !error && entry != fs::directory_iterator();
         entry.increment(error)) {
      if (!is_wanted(*entry)) continue;
      fs::copy_file(entry->path(), fs::path(folder_) / entry->path().filename(),
                    fs::copy_options::overwrite_existing, error);
      if (error) break;
    }
    if (error) return from_errno("copy " + escape(database), error.value());
    return {};
  }

  std::string folder_;
};

bool has_file(const fs::path& folder, const char* name) {
  std::error_code error;
  return fs::is_regular_file(folder / name, error);
}

bool holds_database(const fs::path& folder) {
  return has_file(folder, kSqlite) || has_file(folder, kNdb) || has_file(folder, kBerkeley);
}

size_t count_packages(rpmts ts) {
  const RpmIndexIteratorPtr index(rpmdbIndexIteratorInit(rpmtsGetRdb(ts), RPMDBI_NAME));
  const void* key = nullptr;
  size_t key_size = 0;
  size_t count = 0;
  while (index && rpmdbIndexIteratorNext(index.get(), &key, &key_size) == 0) {
    if (as_text({static_cast<const uint8_t*>(key), key_size}) == "gpg-pubkey") continue;
    count += rpmdbIndexIteratorNumPkgs(index.get());
  }
  return count;
}

Error database_error(const std::string& database, const Log& log) {
  const std::string reason = log.message().empty() ? "cannot be read" : log.message();
  return {ErrorCode::kCorrupt, 0, "rpm database in " + escape(database) + ": " + reason};
}

}  // namespace

Result<std::string> find_rpm_database(const std::string& root, const std::string& dbpath) {
  std::error_code error;
  if (!dbpath.empty() || root.empty()) {
    std::string folder = dbpath;
    if (folder.empty()) {
      const Log log;
      if (rpmReadConfigFiles(nullptr, nullptr) != 0)
        return not_found("rpm cannot read its configuration: " + log.message());
      folder = configured_dbpath();
    }
    if (!holds_database(folder)) {
      return not_found("no rpm database in " + escape(folder) +
                       "; name one with -r ROOT or --dbpath DIRECTORY");
    }
    return fs::absolute(folder, error).string();
  }
  const fs::path real_root = fs::canonical(root, error);
  if (error) return from_errno(escape(root), error.value());
  for (const char* below : {"usr/lib/sysimage/rpm", "var/lib/rpm"}) {
    const fs::path real = fs::canonical(real_root / below, error);
    if (error) continue;
    const fs::path relative = real.lexically_relative(real_root);
    if (relative.empty() || *relative.begin() == "..") {
      return untrusted(escape((real_root / below).string()) + " is a link that leads out of " + escape(root));
    }
    if (holds_database(real)) return real.string();
  }
  return not_found("no rpm database under " + escape(root) + " (in usr/lib/sysimage/rpm or var/lib/rpm)");
}

Result<void> for_each_package(
    const std::string& database,
    const std::function<Result<void>(const InstalledPackage&, size_t total)>& on_package,
    PackageParts parts) {
  // librpm makes an SQLite database where it finds none that it can read: never in a tree of somebody else.
  const bool is_sqlite = has_file(database, kSqlite);
  std::optional<TemporaryCopy> copy;
  if (!is_sqlite || access(database.c_str(), W_OK) != 0) {
    TRY_ASSIGN(TemporaryCopy made, TemporaryCopy::create(database));
    copy.emplace(std::move(made));
  }
  const Log log;
  if (rpmReadConfigFiles(nullptr, nullptr) != 0) return database_error(database, log);
  set_dbpath(copy ? copy->folder() : database);
  const RpmTsPtr ts(rpmtsCreate());
  (void)rpmtsSetVSFlags(ts.get(), kUnverified);
  if (rpmtsOpenDB(ts.get(), O_RDONLY) != 0) return database_error(database, log);
  const size_t total = count_packages(ts.get());
  if (!is_sqlite && has_file(copy->folder(), kSqlite)) {
    return unsupported("rpm database in " + escape(database) +
                       ": this system's librpm cannot read its format (" +
                       (has_file(database, kNdb) ? "ndb" : "Berkeley DB") +
                       "); run this in that system, or convert it there: rpmdb --rebuilddb");
  }
  const RpmIteratorPtr packages(rpmtsInitIterator(ts.get(), RPMDBI_PACKAGES, nullptr, 0));
  while (Header header = packages ? rpmdbNextIterator(packages.get()) : nullptr) {
    InstalledPackage package = read_header(header);
    if (package.name == "gpg-pubkey") continue;
    if (parts == PackageParts::kFiles) package.files = read_files(header);
    TRY(on_package(package, total));
  }
  // The iterator ends alike at the end and at a damaged page; a list too few would go unnoticed.
  if (!log.message().empty()) return database_error(database, log);
  return {};
}

Result<RpmLock> RpmLock::take(const std::string& database) {
  const Log log;
  if (rpmReadConfigFiles(nullptr, nullptr) != 0) return database_error(database, log);
  set_dbpath(database);
  RpmTsPtr ts(rpmtsCreate());
  RpmTxnPtr lock(rpmtxnBegin(ts.get(), RPMTXN_WRITE));
  if (!lock) return database_error(database, log);
  return RpmLock(std::move(ts), std::move(lock));
}

}  // namespace diglim
