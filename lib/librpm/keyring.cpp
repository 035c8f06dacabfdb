// SPDX-License-Identifier: Apache-2.0
#include "lib/librpm/keyring.h"

#include <fcntl.h>
#include <rpm/rpmlib.h>

#include "lib/base/text.h"
#include "lib/librpm/librpm.h"

namespace diglim {
Result<std::vector<RpmKey>> read_rpm_keys(const std::string& database) {
  const Error unreadable = corrupt(0, "the rpm database in " + escape(database) + " cannot be read");
  if (rpmReadConfigFiles(nullptr, nullptr) != 0) return unreadable;
  set_dbpath(database);
  const RpmTsPtr ts(rpmtsCreate());
  (void)rpmtsSetVSFlags(ts.get(), kUnverified);
  if (rpmtsOpenDB(ts.get(), O_RDONLY) != 0) return unreadable;
  const RpmIteratorPtr packages(rpmtsInitIterator(ts.get(), RPMDBI_NAME, "gpg-pubkey", 0));
  std::vector<RpmKey> keys;
  while (Header header = packages ? rpmdbNextIterator(packages.get()) : nullptr) {
    keys.push_back(
        {"gpg-pubkey-" + header_text(header, RPMTAG_VERSION) + "-" + header_text(header, RPMTAG_RELEASE),
         header_text(header, RPMTAG_DESCRIPTION)});
  }
  return keys;
}

}  // namespace diglim
