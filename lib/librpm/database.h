// SPDX-License-Identifier: Apache-2.0
// The packages of an rpm database, read through librpm.
#pragma once

#include <functional>
#include <string>

#include "lib/librpm/header_reader.h"
#include "lib/librpm/librpm.h"

namespace diglim {

// Where the database is. `root` and `dbpath` may be empty. `dbpath` is taken as it is. Under `root` it is
// looked for in usr/lib/sysimage/rpm and var/lib/rpm; a link that leads out of `root` is refused, since it
// would give another system's packages. With neither it is what the rpm configuration says (on Debian
// ~/.rpmdb). Errors: kNotFound (no database there; librpm would make one), kUntrusted (link), kIo.
Result<std::string> find_rpm_database(const std::string& root, const std::string& dbpath);

// Calls `on_package` for each package but gpg-pubkey, which are keys, with the number of packages in all (for
// a progress line); its first error ends it. Nothing is verified, and the database is opened read-only.
// SQLite still wants to create rpmdb.sqlite-shm and -wal beside it, as with `rpm -q`; if the directory cannot
// be written, a temporary copy is read. Errors: kCorrupt or kIo, with librpm's own words. REQUIRES: one call
// a process, since librpm's settings are global.
// `parts`: also the files, which takes a few times as long.
enum class PackageParts { kList, kFiles };
Result<void> for_each_package(
    const std::string& database,
    const std::function<Result<void>(const InstalledPackage&, size_t total)>& on_package,
    PackageParts parts = PackageParts::kList);

// As long as it lives, no rpm transaction begins on this database; creating it waits for one under way.
// Signals are held back meanwhile. kIo: rpm's lock cannot be taken.
class RpmLock {
 public:
  static Result<RpmLock> take(const std::string& database);

 private:
  RpmLock(RpmTsPtr ts, RpmTxnPtr lock) : ts_(std::move(ts)), lock_(std::move(lock)) {}

  // In this order: the lock is of the set.
  RpmTsPtr ts_;
  RpmTxnPtr lock_;
};

}  // namespace diglim
