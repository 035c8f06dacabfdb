// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/allow/store.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace diglim::allow {
namespace {

namespace fs = std::filesystem;

bool followed() {
  return true;
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    std::string name = testing::TempDir() + "diglim_allow_XXXXXX";
    root_ = mkdtemp(name.data());
    fs::create_directories(root_ + "/etc/digest_lists");
  }
  ~StoreTest() override { fs::remove_all(root_); }
  Exception make(const std::string& name) const {
    Exception one;
    one.list = std::string(kListPrefix) + name;
    one.paths = {"/opt/x"};
    one.files = 1;
    one.by = "alice (uid 1000)";
    one.reason = "because \"of\" this";
    one.made = 5;
    one.end = {77, "boot", 8};
    return one;
  }
  void write(const std::string& path, std::string_view text) const {
    ASSERT_TRUE(write_file_atomically(root_ + path, as_bytes(text), 0644));
  }

  std::string root_;
};

TEST_F(StoreTest, RecordsAreReadBack) {
  const auto back = from_record(as_bytes(to_record(make("x"))));
  ASSERT_TRUE(back);
  EXPECT_EQ(to_record(*back), to_record(make("x")));
  EXPECT_EQ(back->end.since_boot, 8u);
  for (const char* bad : {"", "[]", "{}", "{\"list\":1}", "nonsense", "{\"list\":\"x\""})
    EXPECT_FALSE(from_record(as_bytes(bad))) << bad;
}

TEST_F(StoreTest, PutReadRemove) {
  const auto store = Store::open(root_, true);
  ASSERT_TRUE(store);
  ASSERT_TRUE(store->put(make("x"), as_bytes("list")));
  ASSERT_TRUE(store->put(make("a"), as_bytes("list")));
  EXPECT_EQ(*store->count(), 2u);
  const auto contents = store->read();
  ASSERT_EQ(contents->exceptions.size(), 2u);
  EXPECT_EQ(contents->exceptions[0].list, make("a").list);
  EXPECT_TRUE(fs::exists(store->list_path(make("x").list)));
  ASSERT_TRUE(store->remove({make("x").list}, followed));
  EXPECT_FALSE(fs::exists(store->list_path(make("x").list)));
  EXPECT_EQ(store->read()->exceptions.size(), 1u);
  EXPECT_TRUE(store->remove({make("x").list}, followed));  // again is no error
}

TEST_F(StoreTest, TheRecordStaysUntilTheKernelHasFollowed) {
  const auto store = Store::open(root_, true);
  ASSERT_TRUE(store);
  ASSERT_TRUE(store->put(make("x"), as_bytes("list")));
  const auto list = store->list_path(make("x").list);
  EXPECT_TRUE(store->remove({make("x").list}, [&] {
    EXPECT_FALSE(fs::exists(list));  // or it would not be withdrawn
    return false;
  }));
  EXPECT_EQ(store->read()->exceptions.size(), 1u);
  EXPECT_TRUE(store->remove({make("x").list}, followed));
  EXPECT_EQ(store->read()->exceptions.size(), 0u);
}

TEST_F(StoreTest, OneThatCannotBeRemovedKeepsNoOther) {
  const auto store = Store::open(root_, true);
  ASSERT_TRUE(store);
  for (const char* name : {"a", "b"}) ASSERT_TRUE(store->put(make(name), as_bytes("list")));
  const auto stuck = store->list_path(make("a").list);
  fs::remove(stuck);
  fs::create_directories(stuck + "/not-empty");
  EXPECT_FALSE(store->remove({make("a").list, make("b").list}, followed));
  EXPECT_FALSE(fs::exists(store->list_path(make("b").list)));
  ASSERT_EQ(store->read()->exceptions.size(), 1u);
  EXPECT_EQ(store->read()->exceptions[0].list, make("a").list);
}

TEST_F(StoreTest, AListWithoutARecordIsNamed) {
  write("/etc/digest_lists/0-file_list-compact-allow-stray", "list");
  write("/etc/digest_lists/0-file_list-rpm-bash", "list");
  for (const bool folder : {false, true}) {
    const auto contents = Store::open(root_, folder)->read();
    ASSERT_TRUE(contents);
    EXPECT_EQ(contents->damaged, std::vector<std::string>{"0-file_list-compact-allow-stray"}) << folder;
  }
}

TEST_F(StoreTest, ADamagedRecordIsNamedByItsList) {
  const auto store = Store::open(root_, true);
  ASSERT_TRUE(store);
  write("/var/lib/diglim/allow/0-file_list-compact-allow-bad.json", "{");
  write("/var/lib/diglim/allow/0-file_list-compact-allow-other.json", to_record(make("x")));
  write("/var/lib/diglim/allow/.temporary.json", "{");
  const auto contents = store->read();
  EXPECT_EQ(contents->exceptions.size(), 0u);
  ASSERT_EQ(contents->damaged.size(), 2u);
  EXPECT_EQ(contents->damaged[0], "0-file_list-compact-allow-bad");
}

TEST_F(StoreTest, RemovesNoOthersList) {
  write("/etc/digest_lists/0-file_list-rpm-bash", "list");
  const auto store = Store::open(root_, true);
  ASSERT_TRUE(store);
  ASSERT_TRUE(store->remove({"0-file_list-rpm-bash"}, followed));
  EXPECT_TRUE(fs::exists(root_ + "/etc/digest_lists/0-file_list-rpm-bash"));
}

TEST_F(StoreTest, ReadingMakesNothing) {
  const auto store = Store::open(root_, false);
  ASSERT_TRUE(store);
  EXPECT_TRUE(store->read()->exceptions.empty());
  EXPECT_FALSE(fs::exists(root_ + "/var"));
}

TEST_F(StoreTest, NamesAreFitForADirectory) {
  const std::string name = list_name("/opt/a b\n\xff/../x y", as_bytes("content"));
  EXPECT_EQ(name.substr(0, name.size() - 8), "0-file_list-compact-allow-x_y-");
  EXPECT_NE(name, list_name("/opt/x y", as_bytes("other")));
  EXPECT_EQ(name, list_name("/home/x y", as_bytes("content")));
  EXPECT_LT(list_name("/" + std::string(250, 'a'), as_bytes("x")).size(), 200u);
  EXPECT_EQ(list_name("/", as_bytes("x")).substr(0, 32), "0-file_list-compact-allow-folder");
}

}  // namespace
}  // namespace diglim::allow
