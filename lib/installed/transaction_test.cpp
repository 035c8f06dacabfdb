// SPDX-License-Identifier: Apache-2.0
// Goal: the folder of lists, the journal and the loader's calls through whole, failed and cut transactions.
#include "lib/installed/transaction.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "lib/digest_list/rpm_list.h"
#include "lib/rpm/test_writer.h"

namespace diglim {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class TransactionTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string path = testing::TempDir() + "transaction.XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    root_ = path + "/root";
    loader_ = path + "/loader";
    fs::create_directory(root_);
    // Of another root than this system's.
    std::ofstream(loader_) << "#!/bin/sh\necho \"$@\" | sed 's/ --root=.* / /' >>'" << path << "/calls'\n"
                           << "if [ $1 = sync ]; then for f in '" << path
                           << "'/fail-*; do [ ! -e $f ] || { rm $f; exit 3; }; done; fi\n";
    fs::permissions(loader_, fs::perms::owner_all);
  }
  void TearDown() override { fs::remove_all(fs::path(root_).parent_path()); }

  static PackageHeader package(const std::string& nvra, const std::string& content) {
    const Bytes header = rpm::make_main_header_of({}, HashAlgo::kSha256, {content});
    return {nvra, make_rpm_list(ByteView(header).subspan(8), std::vector<Bytes>{Bytes(20, 0x88)})};
  }
  static PackageHeader unsigned_package(const std::string& nvra) { return {nvra, untrusted("not signed")}; }

  Transaction start(TransactionScope scope = TransactionScope::kTouched) {
    warnings_.clear();
    return Transaction(
        {root_, "/var/lib/rpm", loader_, 10'000, scope},
        [this](const std::string& text) { warnings_.push_back(text); },
        [this](ByteView) { return files_in_place_; });
  }
  Names lists() const {
    Names names;
    for (const auto& entry : fs::directory_iterator(root_ + "/etc/digest_lists"))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  void install(const PackageHeader& package) {
    Transaction t = start();
    t.begin({package}, {}, {});
    t.finish({package});
    (void)calls();
  }
  // The next `count` calls of sync fail.
  void fail_syncs(int count) const {
    for (int i = 0; i < count; ++i)
      std::ofstream(fs::path(root_).parent_path() / ("fail-" + std::to_string(i)));
  }
  std::string calls() {
    const fs::path path = fs::path(root_).parent_path() / "calls";
    std::ifstream file(path);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    fs::remove(path);
    return text;
  }
  std::string journal_path() const { return root_ + "/var/lib/diglim/transaction"; }
  bool has_journal() const { return fs::exists(journal_path()); }
  std::string journal() const {
    std::ifstream file(journal_path());
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const std::string p_ = "0-file_list-rpm-";
  std::string root_;
  std::string loader_;
  Names warnings_;
  bool files_in_place_ = false;
};

TEST_F(TransactionTest, UpgradeKeepsBothListsUntilTheEnd) {
  const auto v1 = package("a-1-1.noarch", "one");
  const auto v2 = package("a-2-1.noarch", "two");
  {
    Transaction t = start();
    t.begin({v1}, {}, {});
    t.finish({v1});
  }
  EXPECT_EQ(calls(), "status\nsync --keep .\n");
  Transaction t = start();
  EXPECT_FALSE(t.wants_all());
  t.begin({v2}, {v1.nvra}, {});
  EXPECT_EQ(lists(), (Names{p_ + "a-1-1.noarch", p_ + "a-2-1.noarch"}));
  EXPECT_TRUE(has_journal());
  t.finish({v2});
  EXPECT_EQ(lists(), (Names{p_ + "a-2-1.noarch"}));
  EXPECT_FALSE(has_journal());
  EXPECT_EQ(warnings_, Names{});
  EXPECT_EQ(calls(), "status\nsync --keep .\nsync .\n");
}

TEST_F(TransactionTest, FailedInstallationLeavesNothing) {
  const auto v1 = package("a-1-1.noarch", "one");
  const auto v2 = package("a-2-1.noarch", "two");
  Transaction(start()).begin({v1}, {}, {});
  Transaction t = start();
  t.begin({v2}, {v1.nvra}, {v1});
  t.finish({v1});
  EXPECT_EQ(lists(), (Names{p_ + "a-1-1.noarch"}));
  EXPECT_FALSE(has_journal());
}

TEST_F(TransactionTest, RebuiltPackageOfTheSameNameKeepsTheOldListMeanwhile) {
  const auto old = package("a-1-1.noarch", "one");
  const auto rebuilt = package("a-1-1.noarch", "two");
  Transaction first = start();
  first.begin({old}, {}, {});
  first.finish({old});
  Transaction t = start();
  t.begin({rebuilt}, {old.nvra}, {});
  EXPECT_EQ(lists().size(), 2u);
  t.finish({rebuilt});
  ASSERT_EQ(lists().size(), 1u);
  const Names marked = lists();
  EXPECT_NE(marked.front(), p_ + "a-1-1.noarch");
  Transaction reinstall = start();
  reinstall.begin({rebuilt}, {rebuilt.nvra}, {});
  EXPECT_EQ(lists(), marked);
  reinstall.finish({rebuilt});
  EXPECT_EQ(lists(), marked);
  Transaction again = start();  // and back
  again.begin({old}, {rebuilt.nvra}, {});
  again.finish({old});
  EXPECT_EQ(lists(), (Names{p_ + "a-1-1.noarch"}));
}

TEST_F(TransactionTest, TheNextOneRepairsWhatACutOneLeft) {
  const auto a1 = package("a-1-1.noarch", "one");
  const auto a2 = package("a-2-1.noarch", "two");
  const auto b1 = package("b-1-1.noarch", "three");
  const auto c1 = package("c-1-1.noarch", "four");
  {
    Transaction t = start();
    t.begin({a1, b1}, {}, {});
    t.finish({a1, b1});
  }
  Transaction(start()).begin({a2}, {a1.nvra}, {});  // and rpm is killed, after a2 was installed and a1 erased
  fs::remove(root_ + "/etc/digest_lists/" + p_ + "b-1-1.noarch");
  std::ofstream(root_ + "/etc/digest_lists/" + p_ + "mine") << "not touched by any transaction";
  std::ofstream(root_ + "/etc/digest_lists/." + p_ + "x.new") << "unfinished";
  (void)calls();
  Transaction t = start();
  EXPECT_TRUE(t.wants_all());
  t.begin({c1}, {}, {a2, b1});
  t.finish({a2, b1, c1});
  EXPECT_EQ(lists(), (Names{p_ + "a-2-1.noarch", p_ + "b-1-1.noarch", p_ + "c-1-1.noarch", p_ + "mine"}));
  EXPECT_FALSE(has_journal());
  EXPECT_TRUE(calls().ends_with("\nsync .\n"));
}

TEST_F(TransactionTest, HalfInstalledPackageKeepsItsListUntilItIsWhole) {
  const auto a1 = package("a-1-1.noarch", "one");
  const auto a2 = package("a-2-1.noarch", "two");
  Transaction(start()).begin({a1}, {}, {});
  {
    Transaction t = start();
    t.begin({a2}, {a1.nvra}, {a1});  // and rpm dies
  }
  files_in_place_ = true;
  Transaction repair = start();
  repair.begin({}, {}, {a1});
  repair.finish({a1});
  EXPECT_EQ(lists(), (Names{p_ + "a-1-1.noarch", p_ + "a-2-1.noarch"}));
  EXPECT_TRUE(has_journal());
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_NE(warnings_[0].find("a-2-1.noarch is not installed, but some of its files are in place"),
            std::string::npos);
  Transaction again = start();
  again.begin({a2}, {a1.nvra}, {a1});
  again.finish({a2});
  EXPECT_EQ(lists(), (Names{p_ + "a-2-1.noarch"})) << "the outgoing one goes without a look at its files";
  EXPECT_FALSE(has_journal());
}

TEST_F(TransactionTest, JournalOfAnotherDatabaseWaitsForThatOne) {
  const auto a1 = package("a-1-1.noarch", "one");
  const auto a2 = package("a-2-1.noarch", "two");
  const auto other = package("other-1-1.noarch", "three");
  Transaction(start()).begin({a2}, {a1.nvra}, {a1});  // and rpm dies
  fs::create_directories(root_ + "/var/lib/rpm");
  fs::create_directories(root_ + "/var/lib/second");
  const std::string before = journal();
  const auto on_second = [this] {
    return Transaction(
        {root_, "/var/lib/second", loader_, 10'000},
        [this](const std::string& text) { warnings_.push_back(text); }, [](ByteView) { return false; });
  };
  {
    Transaction t = on_second();
    EXPECT_FALSE(t.wants_all());
    t.begin({other}, {}, {});
    t.finish({other});
    EXPECT_FALSE(t.counts().complete);
    EXPECT_EQ(journal(), before);
  }
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_NE(warnings_[0].find("the rpm database in /var/lib/rpm was cut short"), std::string::npos);
  EXPECT_EQ(lists(), (Names{p_ + "a-1-1.noarch", p_ + "a-2-1.noarch", p_ + "other-1-1.noarch"}));
  EXPECT_TRUE(has_journal());
  {
    // A second attempt that works puts nothing right about the other database.
    fail_syncs(1);
    warnings_.clear();
    Transaction t = on_second();
    const auto another = package("another-1-1.noarch", "four");
    t.begin({another}, {other.nvra}, {});
    t.finish({});
    EXPECT_EQ(warnings_.size(), 2u) << "of the journal and the first attempt; no word of success";
    EXPECT_FALSE(t.counts().complete);
    EXPECT_EQ(journal(), before);
  }
  Transaction repair = start();
  EXPECT_TRUE(repair.wants_all());
  repair.begin({}, {}, {a1});
  repair.finish({a1});
  EXPECT_EQ(lists(), (Names{p_ + "a-1-1.noarch"}));
  EXPECT_FALSE(has_journal());
}

TEST_F(TransactionTest, UnreadableJournalMakesEveryPackagesListSuspect) {
  const auto a1 = package("a-1-1.noarch", "one");
  Transaction(start()).begin({a1, package("b-1-1.noarch", "two")}, {}, {});
  std::ofstream(root_ + "/etc/digest_lists/0-file_list-compact-mine") << "stays";
  std::ofstream(root_ + "/var/lib/diglim/transaction") << "no journal";
  Transaction t = start();
  EXPECT_TRUE(t.wants_all());
  t.begin({}, {}, {a1});
  t.finish({a1});
  EXPECT_EQ(lists(), (Names{"0-file_list-compact-mine", p_ + "a-1-1.noarch"}));
  EXPECT_FALSE(has_journal());
}

TEST_F(TransactionTest, TroubleKeepsTheJournal) {
  const auto a1 = package("a-1-1.noarch", "one");
  std::ofstream(loader_) << "#!/bin/sh\n[ $1 = status ] || { echo 'no memory' >&2; exit 3; }\n";
  Transaction t = start();
  t.begin({a1}, {}, {});
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_EQ(warnings_[0],
            "nothing was published: no memory; DIGLIM's lists are not in step with rpm: when the cause is "
            "gone, run: "
            "diglim repair");
  t.finish({a1});
  EXPECT_TRUE(has_journal());
  EXPECT_EQ(lists(), (Names{p_ + "a-1-1.noarch"}));
}

TEST_F(TransactionTest, WhatCannotBePublishedKeepsTheJournal) {
  const auto v1 = package("a-1-1.noarch", "one");
  const auto v2 = package("a-2-1.noarch", "two");
  install(v1);
  fail_syncs(2);
  {
    Transaction t = start();
    t.begin({v2}, {v1.nvra}, {});
    t.finish({v2});
  }
  EXPECT_EQ(calls(), "status\nsync --keep .\nsync .\n");
  EXPECT_EQ(warnings_.size(), 1u);
  EXPECT_EQ(lists(), (Names{p_ + "a-2-1.noarch"})) << "the kernel still has the old one, all or nothing";
  EXPECT_TRUE(has_journal());
  Transaction t = start();
  ASSERT_TRUE(t.wants_all());
  t.begin({}, {}, {v2});
  t.finish({v2});
  EXPECT_EQ(warnings_, Names{});
  EXPECT_EQ(lists(), (Names{p_ + "a-2-1.noarch"}));
  EXPECT_TRUE(calls().ends_with("\nsync .\n"));
  EXPECT_FALSE(has_journal());
}

TEST_F(TransactionTest, WhatFailedAtFirstIsTriedOnceMoreAtTheEnd) {
  const auto v1 = package("a-1-1.noarch", "one");
  const auto v2 = package("a-2-1.noarch", "two");
  install(v1);
  fail_syncs(1);
  Transaction t = start();
  t.begin({v2}, {v1.nvra}, {});
  EXPECT_EQ(warnings_.size(), 1u);
  t.finish({v2});
  ASSERT_EQ(warnings_.size(), 2u);
  EXPECT_EQ(warnings_[1], "a second attempt worked: DIGLIM's lists are in step with rpm");
  EXPECT_EQ(lists(), (Names{p_ + "a-2-1.noarch"}));
  EXPECT_TRUE(calls().ends_with("\nsync .\n"));
  EXPECT_FALSE(has_journal());
}

TEST_F(TransactionTest, AnOldListThatCannotBeReadKeepsNothingFromBeingPublished) {
  const auto v1 = package("a-1-1.noarch", "one");
  const auto v2 = package("a-2-1.noarch", "two");
  install(v1);
  fail_syncs(1);
  Transaction t = start();
  t.begin({v2}, {v1.nvra}, {});
  fs::remove(root_ + "/etc/digest_lists/" + p_ + "a-1-1.noarch");
  fs::create_directory(root_ + "/etc/digest_lists/" + p_ + "a-1-1.noarch");
  t.finish({v2});
  EXPECT_EQ(calls(), "status\nsync --keep .\nsync .\n");
  EXPECT_FALSE(t.counts().complete);
  EXPECT_TRUE(has_journal());
}

TEST_F(TransactionTest, WhatALatePackageOwesIsTriedOnceMoreToo) {
  const auto a1 = package("a-1-1.noarch", "one");
  const auto b1 = package("b-1-1.noarch", "two");
  Transaction t = start();
  t.begin({a1}, {}, {});
  EXPECT_TRUE(t.counts().complete);
  fail_syncs(1);
  t.add(b1);
  EXPECT_FALSE(t.counts().complete);
  t.finish({a1, b1});
  EXPECT_TRUE(t.counts().complete);
  EXPECT_EQ(warnings_.size(), 2u);
  EXPECT_EQ(calls(), "status\nsync --keep .\nsync --keep .\nsync .\n");
  EXPECT_FALSE(has_journal());
}

TEST_F(TransactionTest, TroubleAtTheEndKeepsTheJournalForTheNextOne) {
  const auto v1 = package("a-1-1.noarch", "one");
  const auto v2 = package("a-2-1.noarch", "two");
  install(v1);
  {
    std::ofstream(loader_, std::ios::app)
        << "[ \"$2\" = --keep ] || [ $1 = status ] || { echo busy >&2; exit 3; }\n";
    Transaction t = start();
    t.begin({v2}, {v1.nvra}, {});
    EXPECT_TRUE(t.counts().complete);
    t.finish({v2});
    EXPECT_FALSE(t.counts().complete);
  }
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_NE(warnings_[0].find("nothing was published: busy"), std::string::npos);
  EXPECT_EQ(lists(), (Names{p_ + "a-2-1.noarch"}));
  EXPECT_TRUE(has_journal());
  std::ofstream(loader_) << "#!/bin/sh\nexit 0\n";
  Transaction t = start();
  ASSERT_TRUE(t.wants_all());
  t.begin({}, {}, {v2});
  t.finish({v2});
  EXPECT_TRUE(t.counts().complete);
  EXPECT_FALSE(has_journal());
}

TEST_F(TransactionTest, WithoutAJournalTheListsFollowAllTheSame) {
  const auto v1 = package("a-1-1.noarch", "one");
  const auto v2 = package("a-2-1.noarch", "two");
  install(v1);
  const std::string unfinished = root_ + "/var/lib/diglim/.transaction.new";
  fs::create_directory(unfinished);  // in the way of the next journal
  {
    Transaction t = start();
    t.begin({v2}, {v1.nvra}, {});
    EXPECT_FALSE(t.counts().complete);
    t.finish({v2});
    EXPECT_FALSE(t.counts().complete);
  }
  EXPECT_EQ(warnings_.size(), 1u);
  EXPECT_EQ(lists(), (Names{p_ + "a-2-1.noarch"}));
  EXPECT_FALSE(has_journal());
  fs::remove_all(root_ + "/var/lib/diglim");
  std::ofstream(root_ + "/var/lib/diglim") << "a file in place of the directory";
  Transaction t = start();
  t.begin({v1}, {v2.nvra}, {});
  t.finish({v1});
  EXPECT_EQ(warnings_.size(), 1u);
  EXPECT_FALSE(t.counts().complete);
  EXPECT_EQ(lists(), (Names{p_ + "a-1-1.noarch"}));
}

TEST_F(TransactionTest, ScopeSaysWhichListsFollow) {
  const auto a1 = package("a-1-1.noarch", "one");
  const auto b1 = package("b-1-1.noarch", "two");
  install(a1);
  install(b1);
  fs::remove(root_ + "/etc/digest_lists/" + p_ + "a-1-1.noarch");
  std::ofstream(root_ + "/etc/digest_lists/" + p_ + "gone-1-1.noarch") << "of no package, in no journal";
  std::ofstream(root_ + "/etc/digest_lists/0-file_list-compact-mine") << "stays";
  {
    Transaction t = start(TransactionScope::kTouched);
    EXPECT_FALSE(t.wants_all());
    t.begin({}, {}, {});
    t.finish({});
    EXPECT_EQ(t.counts().written + t.counts().removed, 0u);
  }
  {
    Transaction t = start(TransactionScope::kAll);
    EXPECT_TRUE(t.wants_all());
    t.begin({}, {}, {a1, b1});
    t.finish({a1, b1});
    EXPECT_EQ(t.counts().written, 1u);
    EXPECT_EQ(t.counts().removed, 0u);
  }
  Transaction t = start(TransactionScope::kPrune);
  EXPECT_TRUE(t.wants_all());
  t.begin({}, {}, {a1, b1});
  t.finish({a1, b1});
  EXPECT_EQ(t.counts().removed, 1u);
  EXPECT_EQ(lists(), (Names{"0-file_list-compact-mine", p_ + "a-1-1.noarch", p_ + "b-1-1.noarch"}));
  EXPECT_TRUE(t.counts().complete);
  EXPECT_FALSE(has_journal());
}

TEST_F(TransactionTest, InactiveMeansListsAndSilence) {
  std::ofstream(loader_) << "#!/bin/sh\nexit 3\n";
  const auto a1 = package("a-1-1.noarch", "one");
  Transaction t = start();
  t.begin({a1, unsigned_package("u-1-1.noarch")}, {}, {});
  t.finish({a1});
  EXPECT_EQ(warnings_, Names{});
  EXPECT_EQ(lists(), (Names{p_ + "a-1-1.noarch"}));
  EXPECT_FALSE(has_journal());
}

TEST_F(TransactionTest, UnsignedPackagesAreNamedOnce) {
  Transaction t = start();
  t.begin({unsigned_package("u-1-1.noarch"), unsigned_package("v-1-1.noarch")}, {}, {});
  t.finish({});
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_NE(warnings_[0].find("u-1-1.noarch, v-1-1.noarch are not signed"), std::string::npos);
  EXPECT_EQ(calls(), "status\nsync --keep .\n");
}

TEST_F(TransactionTest, FolderThatCannotBeWrittenIsOneWarning) {
  fs::create_directories(root_ + "/etc");
  std::ofstream(root_ + "/etc/digest_lists") << "a file in place of the directory";
  const auto a1 = package("a-1-1.noarch", "one");
  Transaction t = start();
  t.begin({a1}, {}, {});
  t.add(package("b-1-1.noarch", "two"));
  t.finish({a1});
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_NE(warnings_[0].find("/etc/digest_lists: "), std::string::npos) << warnings_[0];
}

TEST_F(TransactionTest, NoLinkLeadsOutOfAnotherRoot) {
  fs::create_directory(root_ + "/../elsewhere");
  fs::create_directory_symlink("../elsewhere", root_ + "/etc");
  const auto a1 = package("a-1-1.noarch", "one");
  Transaction t = start();
  t.begin({a1}, {}, {});
  t.finish({a1});
  EXPECT_FALSE(warnings_.empty());
  EXPECT_TRUE(fs::is_empty(root_ + "/../elsewhere"));
}

TEST_F(TransactionTest, APackageSeenLateIsPublishedThen) {
  const auto a1 = package("a-1-1.noarch", "one");
  const auto b1 = package("b-1-1.noarch", "two");
  Transaction t = start();
  t.begin({a1}, {}, {});
  t.add(b1);
  EXPECT_EQ(calls(), "status\nsync --keep .\nsync --keep .\n");
  t.finish({a1});
  EXPECT_EQ(lists(), (Names{p_ + "a-1-1.noarch"})) << "its installation failed";
  EXPECT_EQ(calls(), "sync .\n");
}

}  // namespace
}  // namespace diglim
