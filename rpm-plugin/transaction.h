// SPDX-License-Identifier: Apache-2.0
// What one rpm transaction means for the digest lists of one root: new ones are there and published before
// anything lands, old ones go when rpm has said what is installed now. Knows nothing of librpm.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rpm-plugin/journal.h"
#include "rpm-plugin/kernel_names.h"
#include "rpm-plugin/list_store.h"
#include "rpm-plugin/publisher.h"

namespace diglim {

// A package, and its list or why it has none (kUntrusted: it is not signed).
struct PackageHeader {
  std::string nvra;
  Result<Bytes> list;
};

struct TransactionSetup {
  std::string root = "/";
  std::string dbpath;  // below the root
  std::string loader;  // empty: see Publisher
  int budget_ms = 30'000;
};

// No call fails: rpm goes on whatever happens here. What goes wrong is told in warnings, and the journal
// stays, so that the next transaction or `diglim sync` puts it right.
class Transaction {
 public:
  using Warn = std::function<void(const std::string&)>;

  // Opens everything that will be needed: later calls may come from within a chroot. REQUIRES: outside of it.
  Transaction(TransactionSetup setup, Warn warn);

  // The one before was cut short, or could not do its work: begin() and finish() want all installed packages.
  bool wants_all() const { return wants_all_; }

  // Before anything changes. `incoming` will be installed, `outgoing` removed or replaced; `installed` are
  // all that are installed now if wants_all(), else empty. One publication.
  void begin(const std::vector<PackageHeader>& incoming, const std::vector<PackageHeader>& outgoing,
             const std::vector<PackageHeader>& installed);

  // A package that begin() was not told of, before its files land. May be called in the chroot.
  void add(const PackageHeader& incoming);

  // After all: `installed` are those now installed that begin() or add() could have touched (all if
  // wants_all()). Lists of others that were touched go, and are withdrawn.
  void finish(const std::vector<PackageHeader>& installed);

 private:
  std::vector<PackageList> with_list(const std::vector<PackageHeader>& packages) const;
  void warn_of_unusable(const std::vector<PackageHeader>& packages);
  void note(const std::vector<PackageList>& lists);
  void write_and_publish(const std::vector<PackageList>& lists, bool all_of_root);
  void withdraw(const std::vector<PackageList>& installed);
  void report(const LoaderResult& result, const char* what);
  void trouble(const std::string& message);  // warns once for each text, and keeps the journal
  bool is_active();

  TransactionSetup setup_;
  Warn warn_;
  std::map<std::string, bool> said_;
  std::unique_ptr<Publisher> publisher_;
  std::optional<ListStore> store_;
  std::optional<Folder> state_;
  std::optional<KernelNames> kernel_;
  Journal journal_;
  bool journal_written_ = false;
  bool wants_all_ = false;
  bool unreadable_ = false;
  bool complete_ = true;
};

}  // namespace diglim
