// SPDX-License-Identifier: Apache-2.0
#include "rpm-plugin/transaction.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "lib/base/text.h"
#include "lib/digest_list/rpm_list.h"

namespace diglim {
namespace {

constexpr size_t kMaxNamesSaid = 10;
constexpr size_t kMaxLinesSaid = 10;

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

}  // namespace

Transaction::Transaction(TransactionSetup setup, Warn warn)
    : setup_(std::move(setup)),
      warn_(std::move(warn)),
      publisher_(std::make_unique<Publisher>(setup_.loader, setup_.budget_ms)) {
  auto state = Folder::open(setup_.root, kStateFolder);
  if (state) {
    state_.emplace(std::move(*state));
    auto before = read_journal(*state_);
    if (before && *before) {
      journal_ = std::move(**before);
      journal_written_ = true;
    }
    wants_all_ = !before || *before;
    unreadable_ = !before;
  } else {
    trouble(state.error().message);
  }
  journal_.dbpath = setup_.dbpath;
  auto store = ListStore::open(setup_.root);
  if (store) {
    store_.emplace(std::move(*store));
  } else {
    trouble(store.error().message);
  }
  // A journal that says nothing but that something was under way: any package's list may be left from it.
  if (unreadable_ && store_) {
    if (auto all = store_->names()) journal_.lists = std::move(*all);
    std::erase_if(journal_.lists, [](const std::string& name) { return !name.starts_with(kRpmListPrefix); });
    journal_written_ = true;
  }
  if (!publisher_->is_active()) return;
  auto kernel = KernelNames::create(setup_.root);
  if (kernel) {
    kernel_.emplace(std::move(*kernel));
  } else {
    trouble(kernel.error().message);
  }
}

bool Transaction::is_active() {
  return kernel_.has_value();
}

void Transaction::trouble(const std::string& message) {
  complete_ = false;
  if (said_.emplace(message, true).second)
    warn_(message + "; DIGLIM's lists are not in step with rpm: when the cause is gone, run: diglim sync");
}

std::vector<PackageList> Transaction::with_list(const std::vector<PackageHeader>& packages) const {
  std::vector<PackageList> lists;
  for (const PackageHeader& package : packages) {
    if (package.list) lists.push_back({package.nvra, *package.list});
  }
  return lists;
}

void Transaction::warn_of_unusable(const std::vector<PackageHeader>& packages) {
  if (!is_active()) return;
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
void Transaction::note(const std::vector<PackageList>& lists) {
  if (!store_) return;
  std::set<std::string> names(journal_.lists.begin(), journal_.lists.end());
  const size_t before = names.size();
  for (const PackageList& list : lists) {
    auto name = store_->name_of(list);
    if (name) names.insert(std::move(*name));
  }
  if (names.size() == before) return;
  journal_.lists.assign(names.begin(), names.end());
  if (!state_) return;
  const auto written = write_journal(*state_, journal_);
  if (!written) return trouble(written.error().message);
  journal_written_ = true;
}

void Transaction::write_and_publish(const std::vector<PackageList>& lists, bool all_of_root) {
  if (!store_) return;
  std::vector<Error> failed;
  std::vector<std::string> names = store_->write(lists, failed);
  if (!failed.empty()) {
    trouble(failed.front().message +
            (failed.size() > 1 ? " (and " + std::to_string(failed.size() - 1) + " more)" : ""));
  }
  if (!is_active()) return;
  // Scriptlets run programs of the root that they belong to, and nobody else has published those.
  if (all_of_root) {
    if (auto all = store_->names()) names = std::move(*all);
  }
  if (names.empty()) return;
  const auto folder = kernel_->expose(store_->folder(), names);
  const auto own = kernel_->of(names);
  if (!folder || !own) return trouble((!folder ? folder.error() : own.error()).message);
  report(publisher_->load(*folder, *own), "published");
}

void Transaction::report(const LoaderResult& result, const char* what) {
  switch (result.kind) {
    case LoaderResult::Kind::kFailed:
      return trouble("nothing was " + std::string(what) + ": " +
                     (result.lines.empty() ? "no reason given" : result.lines.back()));
    case LoaderResult::Kind::kTimeout:
      return trouble("the loader did not answer within " + std::to_string(publisher_->budget_ms() / 1000) +
                     " s");
    case LoaderResult::Kind::kOk:
    case LoaderResult::Kind::kRejected:
      break;
  }
  size_t count = 0;
  for (const std::string& line : result.lines) {
    if (++count > kMaxLinesSaid) continue;
    constexpr std::string_view kSaysWho = "diglim-loader load: ";
    warn_(line.starts_with(kSaysWho) ? line.substr(kSaysWho.size()) : line);
  }
  if (count > kMaxLinesSaid)
    warn_("and " + std::to_string(count - kMaxLinesSaid) + " more; see: diglim-loader verify");
}

void Transaction::begin(const std::vector<PackageHeader>& incoming,
                        const std::vector<PackageHeader>& outgoing,
                        const std::vector<PackageHeader>& installed) {
  warn_of_unusable(incoming);
  std::vector<PackageList> lists = with_list(incoming);
  const std::vector<PackageList> missing = with_list(installed);
  lists.insert(lists.end(), missing.begin(), missing.end());
  std::vector<PackageList> touched = with_list(incoming);
  const std::vector<PackageList> old = with_list(outgoing);
  touched.insert(touched.end(), old.begin(), old.end());
  note(touched);
  write_and_publish(lists, kernel_ && !kernel_->is_host());
}

void Transaction::add(const PackageHeader& incoming) {
  warn_of_unusable({incoming});
  const std::vector<PackageList> lists = with_list({incoming});
  if (lists.empty()) return;
  note(lists);
  write_and_publish(lists, false);
}

// Whatever is in the journal and no longer on the disk, also if a transaction before this one removed it
// there.
void Transaction::withdraw(const std::vector<PackageList>& installed) {
  if (!is_active()) return;
  std::set<std::string> keep;  // a list that could not be written may still be in force from elsewhere
  for (const PackageList& list : installed) {
    if (auto name = store_->name_of(list)) keep.insert(std::move(*name));
  }
  std::vector<std::string> gone;
  for (const std::string& name : journal_.lists) {
    const auto there = store_->folder().exists(name);
    if (there && !*there && !keep.contains(name)) gone.push_back(name);
  }
  if (gone.empty()) return;
  const auto names = kernel_->of(gone);
  if (!names) return trouble(names.error().message);
  report(publisher_->unload(*names), "withdrawn");
}

void Transaction::finish(const std::vector<PackageHeader>& installed) {
  if (!store_) return;
  const std::vector<PackageList> lists = with_list(installed);
  if (wants_all_) {
    write_and_publish(lists, false);
    (void)store_->remove_unfinished();  // hidden files, which no reader takes for lists
  }
  const auto stale = store_->stale(journal_.lists, lists);
  if (!stale) return trouble(stale.error().message);
  if (!stale->empty()) {
    const std::string root = setup_.root + "/";
    if (const auto synced =
            sync_file_systems({root + std::string(kListFolder), root + setup_.dbpath, root + "usr", root});
        !synced) {
      return trouble(synced.error().message);
    }
    if (const auto removed = store_->remove(*stale); !removed) return trouble(removed.error().message);
  }
  withdraw(lists);
  if (!complete_ || !journal_written_) return;
  if (const auto removed = remove_journal(*state_); !removed) trouble(removed.error().message);
  journal_written_ = false;
}

}  // namespace diglim
