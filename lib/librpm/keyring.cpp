// SPDX-License-Identifier: Apache-2.0
#include "lib/librpm/keyring.h"

#include <fcntl.h>
#include <rpm/header.h>
#include <rpm/rpmdb.h>
#include <rpm/rpmlib.h>
#include <rpm/rpmmacro.h>
#include <rpm/rpmts.h>

#include <memory>

#include "lib/base/text.h"

namespace diglim {
namespace {

struct FreeTs {
  void operator()(rpmts ts) const { rpmtsFree(ts); }
};
struct FreeIterator {
  void operator()(rpmdbMatchIterator iterator) const { rpmdbFreeIterator(iterator); }
};

std::string text_of(Header header, rpmTagVal tag) {
  const char* text = headerGetString(header, tag);
  return text != nullptr ? text : "";
}

}  // namespace

Result<std::vector<RpmKey>> read_rpm_keys(const std::string& database) {
  const Error unreadable = corrupt(0, "the rpm database in " + escape(database) + " cannot be read");
  if (rpmReadConfigFiles(nullptr, nullptr) != 0) return unreadable;
  std::string quoted;  // macros expand '%'
  for (char c : database) quoted += c == '%' ? std::string("%%") : std::string(1, c);
  (void)rpmPushMacro(nullptr, "_dbpath", nullptr, quoted.c_str(), RMIL_CMDLINE);  // fails for bad names only
  const std::unique_ptr<std::remove_pointer_t<rpmts>, FreeTs> ts(rpmtsCreate());
  (void)rpmtsSetVSFlags(ts.get(), RPMVSF_NOHDRCHK | RPMVSF_MASK_NODIGESTS | RPMVSF_MASK_NOSIGNATURES);
  if (rpmtsOpenDB(ts.get(), O_RDONLY) != 0) return unreadable;
  const std::unique_ptr<std::remove_pointer_t<rpmdbMatchIterator>, FreeIterator> packages(
      rpmtsInitIterator(ts.get(), RPMDBI_NAME, "gpg-pubkey", 0));
  std::vector<RpmKey> keys;
  while (Header header = packages ? rpmdbNextIterator(packages.get()) : nullptr) {
    keys.push_back({"gpg-pubkey-" + text_of(header, RPMTAG_VERSION) + "-" + text_of(header, RPMTAG_RELEASE),
                    text_of(header, RPMTAG_DESCRIPTION)});
  }
  return keys;
}

}  // namespace diglim
