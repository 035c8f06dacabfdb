// SPDX-License-Identifier: Apache-2.0
// Keys and signatures that GnuPG makes, where it is installed: an implementation that is not ours.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <fstream>

#include "lib/base/file.h"
#include "lib/openpgp/test_keys.h"

namespace diglim::openpgp::test {
namespace {

// A GNUPGHOME of its own, gone with its agent afterwards.
class Gpg : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!run("gpg --version >/dev/null 2>&1")) GTEST_SKIP() << "GnuPG is not installed";
    std::string name = "/tmp/diglim-gpg-XXXXXX";  // short: the agent's socket lies in it
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    home_ = name;
  }
  void TearDown() override {
    if (home_.empty()) return;
    // An agent that cannot be stopped ends by itself when its folder is gone.
    if (!run("GNUPGHOME=" + home_ + " gpgconf --kill all >/dev/null 2>&1")) std::puts("no agent was running");
    // Its agent removes its sockets meanwhile: std::filesystem::remove_all would throw, rm -f does not mind.
    EXPECT_TRUE(run("rm -rf " + home_));
  }
  static bool run(const std::string& command) { return std::system(command.c_str()) == 0; }
  bool gpg(const std::string& arguments) const {
    const std::string command = "cd " + home_ + " && GNUPGHOME=" + home_ +
                                " gpg --batch --yes --quiet --pinentry-mode loopback --passphrase '' " +
                                arguments + " >>log 2>&1";
    return run(command);
  }
  Bytes file(const std::string& name) const {
    auto content = read_stream(home_ + "/" + name, 1u << 20);
    return content ? std::move(*content) : Bytes{};
  }
  void write(const std::string& name, std::string_view text) const {
    std::ofstream(home_ + "/" + name) << text;
  }
  std::string log() const { return std::string(as_text(file("log"))); }

  std::string home_;
};

TEST_F(Gpg, ItsSignaturesVerify) {
  write("message", "signed by GnuPG");
  for (const std::string algo : {"rsa2048", "ed25519", "nistp256", "nistp384"}) {
    ASSERT_TRUE(gpg("--quick-gen-key " + algo + "@example.org " + algo + " sign 1y")) << log();
    ASSERT_TRUE(gpg("--export -o key " + algo + "@example.org")) << log();
    ASSERT_TRUE(gpg("--armor --export -o key.asc " + algo + "@example.org")) << log();
    ASSERT_TRUE(gpg("-u " + algo + "@example.org -o sig --detach-sign message")) << log();
    for (const std::string key : {"key", "key.asc"}) {
      EXPECT_EQ(judge(file("sig"), "signed by GnuPG", {file(key)}), "good") << algo << " " << key;
      EXPECT_EQ(judge(file("sig"), "signed by gnupg", {file(key)}).substr(0, 4), "bad:")
          << algo << " " << key;
    }
  }
}

TEST_F(Gpg, ItsSubkeysCount) {
  write("message", "signed by GnuPG");
  ASSERT_TRUE(gpg("--quick-gen-key sub@example.org ed25519 cert never")) << log();
  ASSERT_TRUE(gpg("--export -o primary sub@example.org")) << log();
  const auto primary = read_certificates(file("primary"));
  ASSERT_TRUE(primary) << primary.error().message;
  EXPECT_FALSE(primary->front().keys[0].may_sign);
  const std::string fingerprint = to_hex(primary->front().keys[0].fingerprint);
  ASSERT_TRUE(gpg("--quick-add-key " + fingerprint + " ed25519 sign 1y")) << log();
  ASSERT_TRUE(gpg("--export -o key sub@example.org")) << log();
  ASSERT_TRUE(gpg("-u sub@example.org -o sig --detach-sign message")) << log();
  EXPECT_EQ(judge(file("sig"), "signed by GnuPG", {file("key")}), "good");
  EXPECT_EQ(judge(file("sig"), "signed by GnuPG", {file("primary")}),
            "unknown key: no trusted key has this id");
}

// GnuPG writes a revocation without a reason beside every new key, with a colon that keeps it from being
// imported.
TEST_F(Gpg, ItsRevocationCounts) {
  write("message", "signed by GnuPG");
  ASSERT_TRUE(gpg("--quick-gen-key gone@example.org ed25519 sign never")) << log();
  ASSERT_TRUE(gpg("-u gone@example.org -o sig --detach-sign message")) << log();
  ASSERT_TRUE(run("sed -i s/^:// " + home_ + "/openpgp-revocs.d/*.rev"));
  ASSERT_TRUE(gpg("--import openpgp-revocs.d/*.rev")) << log();
  ASSERT_TRUE(gpg("--export -o key gone@example.org")) << log();
  EXPECT_EQ(judge(file("sig"), "signed by GnuPG", {file("key")}),
            "not counted: the key was revoked as compromised, or without a reason");
}

}  // namespace
}  // namespace diglim::openpgp::test
