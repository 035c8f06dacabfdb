// SPDX-License-Identifier: Apache-2.0
#include "lib/installed/transaction.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "lib/base/root_identity.h"
#include "lib/base/text.h"
#include "lib/digest_list/digest_list.h"
#include "lib/digest_list/rpm_list.h"
#include "lib/installed/loader_report.h"

namespace diglim {
namespace {

constexpr size_t kMaxNamesSaid = 10;

// Each file system of these folders once. What a power cut could still undo (files that were renamed, rpm's
// database) must not need a list that is removed after this.
Result<void> sync_file_systems(const std::vector<std::string>& folders) {
  std::set<dev_t> done;
  for (const std::string& path : folders) {
    const Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat info = {};
    if (!fd || fstat(fd.get(), &info) != 0 || !done.insert(info.st_dev).second) continue;
    if (syncfs(fd.get()) != 0) return from_errno("sync " + escape(path), errno);
  }
  return {};
}

// Two paths of one folder below `root`? What cannot be compared is taken for the same.
bool is_same_database(const std::string& root, const std::string& one, const std::string& other) {
  struct stat a = {};
  struct stat b = {};
  if (one.empty() || other.empty() || one == other) return true;
  if (stat((root + "/" + one).c_str(), &a) != 0 || stat((root + "/" + other).c_str(), &b) != 0) return true;
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

std::vector<PackageList> with_list(std::vector<PackageHeader> packages) {
  std::vector<PackageList> lists;
  for (PackageHeader& package : packages) {
    if (package.list) lists.push_back({std::move(package.nvra), *std::move(package.list)});
  }
  return lists;
}

Transaction::Transaction(TransactionSetup setup, Warn warn, IsNeeded is_needed)
    : setup_(std::move(setup)),
      warn_(std::move(warn)),
      is_needed_(std::move(is_needed)),
      publisher_(std::make_unique<Publisher>(setup_.loader, setup_.budget_ms)) {
  auto state = Folder::open(setup_.root, kStateFolder);
  if (state) {
    state_.emplace(std::move(*state));
  } else {
    trouble(state.error().message);
  }
  auto store = ListStore::open(setup_.root);
  if (store) {
    store_.emplace(std::move(*store));
  } else {
    trouble(store.error().message);
  }
  if (state_) take_journal();
  journal_.dbpath = setup_.dbpath;
  if (setup_.scope == TransactionScope::kPrune) suspect_all(journal_.outgoing);
  if (!publisher_->is_active()) return;
  auto identity = root_identity(setup_.root);
  if (identity) {
    identity_ = std::move(*identity);
  } else {
    trouble(identity.error().message);
  }
}

// The packages installed here say nothing about those of another database. So a journal of that database
// waits for a transaction on it.
void Transaction::take_journal() {
  auto before = read_journal(*state_);
  if (before && *before && !is_same_database(setup_.root, (*before)->dbpath, setup_.dbpath)) {
    on_disk_ = OnDisk::kForeign;
    trouble("a transaction on the rpm database in " + escape((*before)->dbpath) + " was cut short");
  } else if (before && *before) {
    on_disk_ = OnDisk::kOurs;
    journal_ = std::move(**before);
  } else if (!before) {
    // It says nothing but that something was under way: any package's list may be left from it.
    on_disk_ = OnDisk::kOurs;
    suspect_all(journal_.incoming);
  }
  if (on_disk_ == OnDisk::kOurs) setup_.scope = std::max(setup_.scope, TransactionScope::kAll);
}

// The lists of all packages.
void Transaction::suspect_all(std::set<std::string>& names) const {
  const auto all = store_ ? store_->names() : std::vector<std::string>();
  if (!all) return;
  for (const std::string& name : *all) {
    if (name.starts_with(kRpmListPrefix)) names.insert(name);
  }
}

TransactionCounts Transaction::counts() const {
  const bool complete = lists_ == Lists::kInForce && trouble_ == Trouble::kNone;
  return {counts_.written, counts_.removed, complete, identity_.has_value()};
}

void Transaction::trouble(const std::string& message) {
  trouble_ = Trouble::kSaid;
  say(message);
}

void Transaction::not_in_force(const std::string& message) {
  lists_ = Lists::kOwed;
  say(message);
}

void Transaction::say(const std::string& message) {
  if (said_.emplace(message, true).second)
    warn_(message + "; DIGLIM's lists are not in step with rpm: when the cause is gone, run: diglim repair");
}

void Transaction::warn_of_unusable(const std::vector<PackageHeader>& packages) {
  if (!identity_) return;
  std::vector<std::string> names;
  for (const PackageHeader& package : packages) {
    if (package.list) continue;
    if (package.list.error().code == ErrorCode::kUntrusted) {
      names.push_back(escape(package.nvra));
    } else {
      warn_(escape(package.nvra) + ": its signature is of no use (" + package.list.error().message +
            "): its files will be denied");
    }
  }
  if (names.empty()) return;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMaxNamesSaid); ++i) text += (i > 0 ? ", " : "") + names[i];
  if (names.size() > kMaxNamesSaid) text += " and " + std::to_string(names.size() - kMaxNamesSaid) + " more";
  warn_(
      text + (names.size() > 1 ? " are" : " is") +
      " not signed: the files will be denied. Sign with rpmsign --addsign and install again, or allow single "
      "files: compact_gen -d /etc/digest_lists -i FILE");
}

// The names that these lists have or will have go into the journal.
void Transaction::note(const std::vector<PackageList>& incoming, const std::vector<std::string>& outgoing) {
  if (!store_) return;
  const Journal before = journal_;
  const auto all = store_->names();
  if (!all) return trouble(all.error().message);
  for (const std::string& nvra : outgoing) {
    const auto names = ListStore::names_for(nvra, *all);
    if (!names) return trouble(names.error().message);
    for (const std::string& name : *names) {
      journal_.incoming.erase(name);  // of an earlier transaction
      journal_.outgoing.insert(name);
    }
  }
  for (const PackageList& list : incoming) {
    if (auto name = store_->name_of(list, *all)) journal_.incoming.insert(std::move(*name));
  }
  if (!state_ || on_disk_ == OnDisk::kForeign) return;
  if (journal_.incoming == before.incoming && journal_.outgoing == before.outgoing) return;
  const auto written = write_journal(*state_, journal_);
  if (!written) return trouble(written.error().message);
  on_disk_ = OnDisk::kOurs;
}

void Transaction::write(const std::vector<PackageList>& lists) {
  const ListStore::Written written = store_->write(lists);
  counts_.written += written.changed;
  written_.insert(written.names.begin(), written.names.end());
  if (written.failed.empty()) return;
  const size_t more = written.failed.size() - 1;
  not_in_force(written.failed.front().message + (more > 0 ? " (and " + std::to_string(more) + " more)" : ""));
}

void Transaction::publish(Publisher::Gone gone) {
  if (!identity_) return;
  const LoaderResult result = publisher_->sync(store_->folder().fd(), *identity_, gone);
  switch (result.kind) {
    case LoaderResult::Kind::kFailed:
      return not_in_force("nothing was published: " +
                          (result.lines.empty() ? "no reason given" : result.lines.back()));
    case LoaderResult::Kind::kTimeout:
      return not_in_force("the loader did not answer within " +
                          std::to_string(publisher_->budget_ms() / 1000) + " s");
    case LoaderResult::Kind::kOk:
    case LoaderResult::Kind::kRejected:
      pass_on(result.lines);
  }
}

// What the loader said of the lists of this transaction, and had not said before.
void Transaction::pass_on(const std::vector<std::string>& lines) {
  std::vector<std::string> news;
  for (const std::string& line : lines) {
    if (said_.emplace(line, true).second) news.push_back(line);
  }
  const auto digest_kind = [this](const std::string& name) -> std::string {
    const auto list = store_->folder().read(name, kMaxListBytes);
    const auto kind = list ? digest_kind_in_rpm_list(*list) : Result<std::string>(list.error());
    return kind ? *kind : "with other digests";
  };
  for (const std::string& text : report_lists(news, written_, {setup_.name_of_key, digest_kind})) warn_(text);
}

void Transaction::begin(std::vector<PackageHeader> incoming, const std::vector<std::string>& outgoing,
                        std::vector<PackageHeader> installed) {
  warn_of_unusable(incoming);
  std::vector<PackageList> lists = with_list(std::move(incoming));
  note(lists, outgoing);
  for (PackageList& list : with_list(std::move(installed))) lists.push_back(std::move(list));
  if (!store_) return;
  if (!lists.empty()) write(lists);
  // Scriptlets run programs of the root that they belong to; of another one nobody else has published those.
  // And a list that was loaded by name becomes the root's, so that it goes with its file.
  if (!written_.empty() || !outgoing.empty() || (identity_ && !identity_->empty()))
    publish(Publisher::Gone::kKeep);
}

void Transaction::add(PackageHeader incoming) {
  std::vector<PackageHeader> one;
  one.push_back(std::move(incoming));
  warn_of_unusable(one);
  const std::vector<PackageList> lists = with_list(std::move(one));
  if (lists.empty() || !store_) return;
  note(lists, {});
  write(lists);
  publish(Publisher::Gone::kKeep);
}

Result<std::vector<std::string>> Transaction::find_stale(const std::vector<PackageList>& installed) {
  std::set<std::string> names = journal_.incoming;
  names.insert(journal_.outgoing.begin(), journal_.outgoing.end());
  TRY_ASSIGN(auto stale, store_->stale({names.begin(), names.end()}, installed));
  std::vector<std::string> needed;
  for (const std::string& name : stale) {
    if (!journal_.incoming.contains(name)) continue;
    TRY_ASSIGN(const Bytes list, store_->folder().read(name, kMaxListBytes));
    if (is_needed_(list)) needed.push_back(name);
  }
  for (const std::string& name : needed) {
    trouble(
        escape(name.substr(std::min(name.size(), kRpmListPrefix.size()))) +
        " is not installed, but some of its files are in place: its list stays. Install the package again");
    std::erase(stale, name);
  }
  return stale;
}

// True if there were any. All new lists are written.
Result<bool> Transaction::remove_stale(const std::vector<PackageList>& installed) {
  TRY_ASSIGN(const auto stale, find_stale(installed));
  if (stale.empty()) return false;
  const std::string root = setup_.root + "/";
  TRY(sync_file_systems({root + std::string(kListFolder), root + setup_.dbpath, root + "usr", root}));
  TRY(store_->remove(stale));
  counts_.removed += stale.size();
  return true;
}

void Transaction::finish(std::vector<PackageHeader> installed) {
  if (!store_) return;
  const std::vector<PackageList> lists = with_list(std::move(installed));
  const bool again = lists_ == Lists::kOwed;
  lists_ = Lists::kInForce;
  if (wants_all() || again) write(lists);
  if (wants_all()) (void)store_->remove_unfinished();  // hidden files, which no reader takes for lists
  // The old lists know what the new packages share with the old.
  const bool all_written = lists_ == Lists::kInForce;
  const auto removed = all_written ? remove_stale(lists) : Result<bool>(false);
  if (!removed) trouble(removed.error().message);  // some may be gone, and new ones may still be owed
  if (!removed || *removed || wants_all() || again)
    publish(all_written ? Publisher::Gone::kWithdraw : Publisher::Gone::kKeep);
  if (lists_ == Lists::kOwed || trouble_ == Trouble::kSaid) return;
  if (again) warn_("a second attempt worked: DIGLIM's lists are in step with rpm");
  if (on_disk_ != OnDisk::kOurs) return;
  if (const auto done = remove_journal(*state_); !done) return trouble(done.error().message);
  on_disk_ = OnDisk::kNone;
}

}  // namespace diglim
