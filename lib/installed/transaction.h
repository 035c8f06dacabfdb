// SPDX-License-Identifier: Apache-2.0
// What one rpm transaction means for the digest lists of one root: new ones are there and published before
// anything lands, old ones go when rpm has said what is installed now. Knows nothing of librpm.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/installed/journal.h"
#include "lib/installed/list_store.h"
#include "lib/installed/publisher.h"

namespace diglim {

// A package, and its list or why it has none (kUntrusted: it is not signed).
struct PackageHeader {
  std::string nvra;
  Result<Bytes> list;
};

// Those of them that have a list. Moves them: thousands of headers need not be in memory twice.
std::vector<PackageList> with_list(std::vector<PackageHeader> packages);

// Which lists of packages a transaction answers for; each includes what stands before it.
enum class TransactionScope {
  kTouched,  // of packages that come or go
  kAll,      // of all installed packages, as if a transaction had been cut short
  kPrune,    // of any package: what is not installed goes, also if no journal names it
};

struct TransactionSetup {
  std::string root = "/";
  std::string dbpath;  // below the root
  std::string loader;  // empty: see Publisher
  int budget_ms = 30'000;
  TransactionScope scope = TransactionScope::kTouched;  // at least; a journal that is found makes it kAll
  std::function<std::string(const std::string& key_id)> name_of_key = {};  // ReportWords
};

struct TransactionCounts {
  size_t written = 0;
  size_t removed = 0;
  bool complete = true;  // false: a warning said what is not in step
  bool active = false;   // DIGLIM is in force, so that lists were published too
};

// No call fails: rpm goes on whatever happens here. Failures are told in warnings, and the journal
// stays, so that the next transaction or `diglim repair` puts it right.
class Transaction {
 public:
  using Warn = std::function<void(const std::string&)>;
  // Do files lie on the disk that only this list, of all those of packages, knows? Asked for packages that
  // did not get installed after all: rpm may have died, or failed, with half of their files in place.
  using IsNeeded = std::function<bool(ByteView list)>;

  // Opens everything that will be needed: later calls may come from within a chroot. REQUIRES: outside of it.
  Transaction(TransactionSetup setup, Warn warn, IsNeeded is_needed);

  // The scope is more than kTouched, or the one before, on the same database, was cut short or could not do
  // its work: begin() and finish() want all installed packages.
  bool wants_all() const { return setup_.scope != TransactionScope::kTouched; }

  // Before anything changes. `incoming` will be installed, `outgoing` removed or replaced; `installed` are
  // all that are installed now if wants_all(), else empty. One publication.
  void begin(std::vector<PackageHeader> incoming, const std::vector<std::string>& outgoing,
             std::vector<PackageHeader> installed);

  // A package that begin() was not told of, before its files land. May be called in the chroot.
  void add(PackageHeader incoming);

  // After all: `installed` are those now installed that begin() or add() could have touched (all if
  // wants_all()). What begin() or add() could not write or publish is written and published now. Lists of
  // others that were touched go, unless a new one could not be written: the old ones know what it shares with
  // them.
  void finish(std::vector<PackageHeader> installed);

  TransactionCounts counts() const;

 private:
  // The journal's file.
  enum class OnDisk {
    kNone,
    kOurs,     // written here, or left by a transaction on this database: goes once all is in step
    kForeign,  // left by one on another database: stays as it is
  };
  // Those that were to be written and published.
  enum class Lists {
    kInForce,
    kOwed,  // some are not: finish() tries once more, then the next transaction
  };
  // What finish() cannot put right.
  enum class Trouble {
    kNone,
    kSaid,  // the journal stays
  };

  void take_journal();
  void suspect_all(std::set<std::string>& names) const;
  void warn_of_unusable(const std::vector<PackageHeader>& packages);
  void note(const std::vector<PackageList>& incoming, const std::vector<std::string>& outgoing);
  Result<std::vector<std::string>> find_stale(const std::vector<PackageList>& installed);
  void write(const std::vector<PackageList>& lists);
  void publish(Publisher::Gone gone);
  void pass_on(const std::vector<std::string>& lines);
  Result<bool> remove_stale(const std::vector<PackageList>& installed);
  void trouble(const std::string& message);       // says it, and keeps the journal
  void not_in_force(const std::string& message);  // the same, unless finish() puts it right
  void say(const std::string& message);           // once for each text

  TransactionSetup setup_;
  Warn warn_;
  IsNeeded is_needed_;
  std::map<std::string, bool> said_;
  std::unique_ptr<Publisher> publisher_;
  std::optional<ListStore> store_;
  std::optional<Folder> state_;
  std::optional<std::string> identity_;  // of the root; nothing: DIGLIM is not in force
  std::set<std::string> written_;        // names: what the loader says of others is no news
  Journal journal_;
  OnDisk on_disk_ = OnDisk::kNone;
  Lists lists_ = Lists::kInForce;
  Trouble trouble_ = Trouble::kNone;
  TransactionCounts counts_;
};

}  // namespace diglim
