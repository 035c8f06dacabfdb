// SPDX-License-Identifier: Apache-2.0
// /var/lib/diglim/transaction: which lists a transaction may have touched. It is there before the first
// change and goes with the last, so a journal that a new transaction finds, or the next boot, means that one
// was cut short.
//
// Text, one item a line: "diglim transaction 1", "dbpath FOLDER", then "new NAME" or "old NAME" for each
// list.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "lib/base/folder.h"

namespace diglim {

struct Journal {
  std::string dbpath;  // of the rpm database, below the root; empty: unknown
  // Names of files in /etc/digest_lists: of packages that were to be installed, and that were to go.
  std::set<std::string> incoming;
  std::set<std::string> outgoing;
};

constexpr std::string_view kStateFolder = "var/lib/diglim";
constexpr char kJournalName[] = "transaction";

// nullopt: no transaction was cut short. kCorrupt for anything but the above; it names the line.
Result<std::optional<Journal>> read_journal(const Folder& state);
Result<void> write_journal(const Folder& state, const Journal& journal);
Result<void> remove_journal(const Folder& state);

}  // namespace diglim
