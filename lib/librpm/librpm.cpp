// SPDX-License-Identifier: Apache-2.0
#include "lib/librpm/librpm.h"

#include <rpm/rpmmacro.h>

namespace diglim {

std::string header_text(Header header, rpmTagVal tag) {
  const char* text = headerGetString(header, tag);
  return text != nullptr ? text : "";
}

std::string configured_dbpath() {
  const MallocPtr<char> path(rpmExpand("%{_dbpath}", nullptr));
  return path ? path.get() : "";
}

void set_dbpath(const std::string& path) {
  std::string value;
  for (char c : path) value += c == '%' ? std::string("%%") : std::string(1, c);
  (void)rpmPushMacro(nullptr, "_dbpath", nullptr, value.c_str(), RMIL_CMDLINE);  // fails for bad names only
}

}  // namespace diglim
