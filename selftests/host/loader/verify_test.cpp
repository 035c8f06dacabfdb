// SPDX-License-Identifier: Apache-2.0
// Goal: `diglim-loader verify` as a user meets it. Expected: the exact lines and exit statuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>

#include "lib/base/file.h"
#include "lib/openpgp/test_writer.h"
#include "lib/rpm/test_writer.h"

namespace diglim {
namespace {

using openpgp::test::Algo;
using openpgp::test::TestKey;
using testing::HasSubstr;

constexpr uint32_t kTime = 1600000000;

struct Outcome {
  int status = -1;
  std::string text;  // both streams
};

class LoaderVerify : public testing::Test {
 protected:
  LoaderVerify() {
    char name[] = "/tmp/diglim-verify-XXXXXX";
    folder_ = mkdtemp(name);
    std::filesystem::create_directory(folder_ + "/keys");
    write("keys/vendor.key", vendor_.certificate());
    const Bytes header = rpm::make_main_header_of({}, HashAlgo::kSha256, {"one", "two"});
    write("good.rpm", rpm::make_package(header, {{267, vendor_.sign(header)}}));
    Bytes torn = rpm::make_package(header, {{267, vendor_.sign(header)}});
    torn.resize(400);
    write("torn.rpm", torn);
    write("unsigned.rpm", rpm::make_package(header, {}));
  }
  ~LoaderVerify() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, ByteView bytes) const {
    ASSERT_TRUE(write_file_atomically(folder_ + "/" + name, bytes, 0644));
  }

  // `arguments` pass a shell. Runs in the folder.
  Outcome run(const std::string& arguments) const {
    const std::string command = "cd " + folder_ + " && " DIGLIM_LOADER " " + arguments + " 2>&1";
    Outcome outcome;
    FILE* pipe = popen(command.c_str(), "r");
    char buffer[4096];
    for (size_t got = 0; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;) outcome.text.append(buffer, got);
    const int status = pclose(pipe);
    outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return outcome;
  }

  std::string good_line(const std::string& file) const {
    return file + ": OK, hello-2.0-1.x86_64, signed by EdDSA/SHA256 " + vendor_.key_id() +
           " Vendor <v@example.org>, 2 digests (sha256)\n";
  }

  std::string folder_;
  TestKey vendor_ = TestKey::generate(Algo::kEd25519Legacy, kTime, "Vendor <v@example.org>");
};

TEST_F(LoaderVerify, OneLineAFile) {
  Outcome all_good = run("verify --keys keys good.rpm ./good.rpm");
  EXPECT_EQ(all_good.text, good_line("good.rpm") + good_line("./good.rpm"));
  EXPECT_EQ(all_good.status, 0);
  Outcome mixed = run("verify --keys keys unsigned.rpm good.rpm missing");
  EXPECT_EQ(mixed.text, "unsigned.rpm: REJECTED, no header signature\n" + good_line("good.rpm") +
                            "missing: REJECTED, open missing: No such file or directory\n");
  EXPECT_EQ(mixed.status, 1);
  Outcome torn = run("verify --keys keys torn.rpm");
  EXPECT_THAT(torn.text, testing::MatchesRegex(
                             "torn\\.rpm: REJECTED, offset [0-9]+: [0-9]+ bytes wanted, [0-9]+ left\n"));
  EXPECT_EQ(torn.status, 1);
}

TEST_F(LoaderVerify, WhatComesFromOutsideIsEscaped) {
  rpm::TestPackage evil;
  evil.name = "\x1b[2Jrm\n";
  const Bytes header = rpm::make_main_header(evil);
  write("e\x1b\nvil: OK, trust me", rpm::make_package(header, {{267, vendor_.sign(header)}}));
  const Outcome outcome = run("verify --keys keys e*");
  EXPECT_EQ(outcome.text,
            "e\\x1b\\nvil: OK, trust me: OK, \\x1b[2Jrm\\n-2.0-1.x86_64, signed by EdDSA/SHA256 " +
                vendor_.key_id() + " Vendor <v@example.org>, no digests\n");
}

TEST_F(LoaderVerify, WritesJson) {
  const Outcome outcome = run("verify --json --keys=keys good.rpm unsigned.rpm");
  EXPECT_EQ(outcome.text, R"([{"file":"good.rpm","ok":true,"format":"rpm","name":"hello-2.0-1.x86_64",)"
                          R"("signer":"EdDSA/SHA256 )" +
                              vendor_.key_id() +
                              R"( Vendor <v@example.org>","digests":{"sha256":2}},)"
                              R"({"file":"unsigned.rpm","ok":false,"reason":"no header signature"}])"
                              "\n");
  EXPECT_EQ(outcome.status, 1);
}

TEST_F(LoaderVerify, AllowsAWeakHashOnRequest) {
  const Bytes header = rpm::make_main_header({});
  openpgp::test::SignOptions sha1;
  sha1.hash = HashAlgo::kSha1;
  write("weak.rpm", rpm::make_package(header, {{267, vendor_.sign(header, sha1)}}));
  EXPECT_THAT(run("verify --keys keys weak.rpm").text, HasSubstr("REJECTED, EdDSA/SHA1"));
  EXPECT_EQ(run("verify --keys keys --allow-hash md5 weak.rpm").status, 1);
  EXPECT_EQ(run("verify --keys keys --allow-hash md5 --allow-hash sha1 weak.rpm").status, 0);
}

TEST_F(LoaderVerify, SaysWhichSignaturesAreTooWeakOrTooOld) {
  const auto old = openpgp::test::TestKey::generate(openpgp::test::Algo::kRsa1024, kTime);
  write("keys/old.key", old.certificate());
  const Bytes header = rpm::make_main_header({});
  write("rsa.rpm", rpm::make_package(header, {{268, old.sign(header)}}));
  openpgp::test::SignOptions dsa;
  dsa.algorithm = 17;
  write("dsa.rpm", rpm::make_package(header, {{267, vendor_.sign(header, dsa)}}));
  const Outcome outcome = run("verify --keys keys rsa.rpm dsa.rpm");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.text, HasSubstr("RSA keys of less than 2048 bits are not accepted"));
  EXPECT_THAT(outcome.text, HasSubstr("DSA is not supported"));
}

TEST_F(LoaderVerify, TellsUsageFromEnvironment) {
  for (const char* wrong :
       {"", "frobnicate", "verify", "verify --keys", "verify --frob good.rpm", "verify -x good.rpm",
        "verify --keys keys --allow-hash sha256 good.rpm", "verify --allow-hash '' good.rpm"}) {
    EXPECT_EQ(run(wrong).status, 2) << wrong;
  }
  EXPECT_EQ(run("verify --frob good.rpm").text, "diglim-loader verify: unknown option --frob; try --help\n");
  EXPECT_EQ(run("verify --keys").text, "diglim-loader verify: --keys needs a value; try --help\n");
  EXPECT_EQ(run("verify --keys none good.rpm").status, 3);
  EXPECT_EQ(run("verify --keys keys good.rpm >/dev/full").status, 3);
  for (const char* right : {"--help", "--version", "verify --help"}) EXPECT_EQ(run(right).status, 0) << right;
}

TEST_F(LoaderVerify, NeedsNoPrivilege) {
  if (geteuid() != 0) GTEST_SKIP() << "runs unprivileged anyway";
  std::filesystem::permissions(folder_, std::filesystem::perms(0755));
  const Outcome outcome =
      run("--version >/dev/null; setpriv --reuid=65534 --clear-groups --regid=65534 " DIGLIM_LOADER
          " verify --keys keys good.rpm");
  if (outcome.text.find("Permission denied") != std::string::npos)
    GTEST_SKIP() << "the build directory is closed to others";
  EXPECT_EQ(outcome.text, good_line("good.rpm"));
}

}  // namespace
}  // namespace diglim
