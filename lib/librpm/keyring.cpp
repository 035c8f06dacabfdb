// SPDX-License-Identifier: Apache-2.0
#include "lib/librpm/keyring.h"

#include <fcntl.h>
#include <rpm/rpmds.h>
#include <rpm/rpmlib.h>

#include "lib/base/text.h"
#include "lib/librpm/librpm.h"

namespace diglim {
namespace {

Result<RpmTsPtr> open_database(const std::string& database) {
  const Error unreadable = corrupt(0, "the rpm database in " + escape(database) + " cannot be read");
  if (rpmReadConfigFiles(nullptr, nullptr) != 0) return unreadable;
  set_dbpath(database);
  RpmTsPtr ts(rpmtsCreate());
  (void)rpmtsSetVSFlags(ts.get(), kUnverified);
  if (rpmtsOpenDB(ts.get(), O_RDONLY) != 0) return unreadable;
  return ts;
}

}  // namespace

Result<std::vector<RpmKey>> read_rpm_keys(const std::string& database) {
  TRY_ASSIGN(const RpmTsPtr ts, open_database(database));
  const RpmIteratorPtr packages(rpmtsInitIterator(ts.get(), RPMDBI_NAME, "gpg-pubkey", 0));
  std::vector<RpmKey> keys;
  while (Header header = packages ? rpmdbNextIterator(packages.get()) : nullptr) {
    keys.push_back(
        {"gpg-pubkey-" + header_text(header, RPMTAG_VERSION) + "-" + header_text(header, RPMTAG_RELEASE),
         header_text(header, RPMTAG_DESCRIPTION)});
  }
  return keys;
}

Result<std::string> provided_version(const std::string& database, const std::string& name) {
  TRY_ASSIGN(const RpmTsPtr ts, open_database(database));
  const RpmIteratorPtr packages(rpmtsInitIterator(ts.get(), RPMDBI_PROVIDENAME, name.c_str(), 0));
  const Header header = packages ? rpmdbNextIterator(packages.get()) : nullptr;
  if (header == nullptr) return not_found("nobody provides " + escape(name));
  rpmds provides = rpmdsNew(header, RPMTAG_PROVIDENAME, 0);
  std::string version;
  while (rpmdsNext(provides) >= 0) {
    const char* evr = rpmdsEVR(provides);
    if (name == rpmdsN(provides) && evr != nullptr) version = evr;
  }
  (void)rpmdsFree(provides);
  return version.substr(0, version.find('-'));
}

}  // namespace diglim
