// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/tls/agent_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "lib/base/file.h"
#include "lib/tpm/test_key.h"

namespace diglim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AgentKeysTest : public testing::Test {
 protected:
  AgentKeysTest() {
    std::string name = testing::TempDir() + "diglim_agent_XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
  }
  ~AgentKeysTest() override {
    std::error_code ignored;  // a left-over directory in /tmp is no reason to fail
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  void write(const std::string& name, const KeyFile& key) const { write(name, *write_key_pem(key)); }
  void write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(write_file_atomically(path(name), as_bytes(text), 0600));
  }
  AgentKeys keys(std::vector<std::string> paths) {
    return AgentKeys(
        std::move(paths),
        [this](const TpmKeyParts&) {
          ++checks_;
          return check_;
        },
        [this](const std::string& text) { said_.push_back(text); });
  }
  std::vector<std::string> names(AgentKeys& keys) const {
    keys.refresh();
    std::vector<std::string> out;
    for (const auto& key : keys.all()) out.push_back(key->path.substr(folder_.size() + 1));
    return out;
  }

  std::string folder_;
  int checks_ = 0;
  Result<void> check_;
  std::vector<std::string> said_;
};

TEST_F(AgentKeysTest, OfADirectoryAreThoseOfItsName) {
  const TestKey a;
  const TestKey b;
  write("b.key", a.bound());
  write("a.key", b.approved());
  write("c.pem", TestKey().bound());
  write(".d.key", TestKey().bound());
  AgentKeys all = keys({folder_});
  EXPECT_THAT(names(all), ElementsAre("a.key", "b.key"));
  const auto found = all.find(ssh_key(a.key())->blob);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->path, path("b.key"));
  EXPECT_EQ(found->key.ssh.type, "ecdsa-sha2-nistp256");
  EXPECT_FALSE(all.find(ssh_key(TestKey().key())->blob));
  EXPECT_FALSE(all.find({}));
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(AgentKeysTest, AreReadAnewWhenTheyChange) {
  const TestKey one;
  write("a.key", one.approved());
  AgentKeys all = keys({folder_});
  EXPECT_THAT(names(all), ElementsAre("a.key"));
  EXPECT_THAT(names(all), ElementsAre("a.key"));
  EXPECT_EQ(checks_, 1);
  EXPECT_EQ(all.all()[0]->key.parts.ways.size(), 1U);
  KeyFile more = one.approved();
  more.alternatives.push_back(more.alternatives.front());
  write("a.key", more);
  write("b.key", TestKey().bound());
  EXPECT_THAT(names(all), ElementsAre("a.key", "b.key"));
  EXPECT_EQ(all.all()[0]->key.parts.ways.size(), 2U);
  EXPECT_EQ(checks_, 3);
  std::filesystem::remove(path("a.key"));
  EXPECT_THAT(names(all), ElementsAre("b.key"));
}

TEST_F(AgentKeysTest, WhatIsWrongIsSaidOnce) {
  write("a.key", "nothing");
  write("b.key", TestKey().bound());
  AgentKeys all = keys({folder_, path("none")});
  EXPECT_THAT(names(all), ElementsAre("b.key"));
  EXPECT_THAT(names(all), ElementsAre("b.key"));
  EXPECT_THAT(said_, ElementsAre(HasSubstr("a.key: "), HasSubstr("none: No such file")));
}

TEST_F(AgentKeysTest, OfAnotherTpmAreLeftOut) {
  const TestKey one;
  write("a.key", one.bound());
  check_ = untrusted("made by another TPM");
  AgentKeys all = keys({path("a.key")});
  EXPECT_THAT(names(all), IsEmpty());
  EXPECT_THAT(said_, ElementsAre(path("a.key") + ": made by another TPM"));
  // A TPM that is away says nothing of the key.
  check_ = not_found("no TPM");
  AgentKeys away = keys({path("a.key")});
  EXPECT_THAT(names(away), ElementsAre("a.key"));
}

TEST_F(AgentKeysTest, TheSameKeyCountsOnce) {
  const TestKey one;
  write("a.key", one.bound());
  write("b.key", one.bound());
  AgentKeys all = keys({folder_, path("a.key")});
  EXPECT_THAT(names(all), ElementsAre("a.key"));
}

}  // namespace
}  // namespace diglim
