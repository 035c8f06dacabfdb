// SPDX-License-Identifier: Apache-2.0
// Real keys of distributions. They are not part of the project: without them the test is skipped.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "lib/base/file.h"
#include "lib/openpgp/test_keys.h"

namespace diglim::openpgp::test {
namespace {

// The tests run in the root of the source.
std::string fixtures() {
  const char* folder = std::getenv("DIGLIM_FIXTURES");
  return folder != nullptr ? folder : "../shared/fixtures";
}

std::string describe(const Certificate& certificate) {
  std::string text;
  for (const Key& key : certificate.keys) {
    text += "v" + std::to_string(key.version) + " " + std::to_string(key.algorithm) + " " +
            to_hex(key.version == 6 ? ByteView(key.fingerprint).first(8) : ByteView(key.fingerprint).last(8));
    if (!key.public_key) text += " unsupported";
    if (!key.may_sign) text += " no-sign";
    if (key.expires != 0) text += " expires " + std::to_string(key.expires);
    text += "; ";
  }
  return text + certificate.user_id;
}

struct KeyFile {
  std::string name;
  std::vector<std::string> certificates;
};

const std::vector<KeyFile> kKeyFiles = {
    {"MICROSOFT-RPM-GPG-KEY",
     {"v4 1 0cd9fed33135ce90; Mariner RPM Release Signing <marinerrpmprod@microsoft.com>"}},
    {"RPM-GPG-KEY-CentOS-2", {"v4 17 2802e89216ff0e46 unsupported; CentOS-2 Key <centos-2key@caosity.org>"}},
    {"RPM-GPG-KEY-CentOS-3", {"v4 17 7049e44d025e513b unsupported; CentOS-3 Key <centos-3key@caosity.org>"}},
    {"RPM-GPG-KEY-CentOS-4", {"v4 17 a53d0bab443e1821 unsupported; CentOS-4 key <centos-4key@centos.org>"}},
    {"RPM-GPG-KEY-CentOS-5",
     {"v4 17 a8a447dce8562897 unsupported; CentOS-5 Key (CentOS 5 Official Signing Key) "
      "<centos-5-key@centos.org>"}},
    {"RPM-GPG-KEY-CentOS-6",
     {"v4 1 0946fca2c105b9de expires 1625020067; CentOS-6 Key (CentOS 6 Official Signing Key) "
      "<centos-6-key@centos.org>"}},
    {"RPM-GPG-KEY-CentOS-7",
     {"v4 1 24c6a8a7f4a80eb5; CentOS-7 Key (CentOS 7 Official Signing Key) <security@centos.org>"}},
    {"RPM-GPG-KEY-EPEL-7", {"v4 1 6a2faea2352c64e5; Fedora EPEL (7) <epel@fedoraproject.org>"}},
    {"RPM-GPG-KEY-Rocky-9",
     {"v4 1 702d426d350d275d; Rocky Enterprise Software Foundation - Release key 2022 "
      "<releng@rockylinux.org>"}},
    {"RPM-GPG-KEY-fedora-14-primary", {"v4 1 421caddb97a1071f; Fedora (14) <fedora@fedoraproject.org>"}},
    {"RPM-GPG-KEY-fedora-17-primary", {"v4 1 50e94c991aca3465; Fedora (17) <fedora@fedoraproject.org>"}},
    {"RPM-GPG-KEY-fedora-25-primary",
     {"v4 1 4089d8f2fdb19c98; Fedora 25 Primary (25) <fedora-25-primary@fedoraproject.org>"}},
    {"RPM-GPG-KEY-fedora-31-primary",
     {"v4 1 50cb390b3c3359c4 expires 1866067200; Fedora (31) <fedora-31-primary@fedoraproject.org>"}},
    {"RPM-GPG-KEY-fedora-32-primary",
     {"v4 1 6c13026d12c944d0; Fedora (32) <fedora-32-primary@fedoraproject.org>"}},
    {"RPM-GPG-KEY-fedora-33-primary",
     {"v4 1 49fd77499570ff31; Fedora (33) <fedora-33-primary@fedoraproject.org>"}},
    {"RPM-GPG-KEY-fedora-36-primary",
     {"v4 1 999f7cbf38ab71f4; Fedora (36) <fedora-36-primary@fedoraproject.org>"}},
    {"RPM-GPG-KEY-fedora-39-primary",
     {"v4 1 75cf5ac418b8e74c; Fedora (39) <fedora-39-primary@fedoraproject.org>"}},
    {"RPM-GPG-KEY-openSUSE",
     {"v4 1 b88b2fd43dbdc284 expires 1714639060; openSUSE Project Signing Key <opensuse@opensuse.org>"}},
    {"RPM-GPG-KEY-openSUSE-2022",
     {"v4 1 35a2f86e29b700a4 expires 1906100280; openSUSE Project Signing Key <opensuse@opensuse.org>"}},
    {"RPM-GPG-KEY-redhat6-release",
     {"v4 1 199e2f91fd431d51; Red Hat, Inc. (release key 2) <security@redhat.com>",
      "v4 17 45689c882fa658e0 unsupported; Red Hat, Inc. (auxiliary key) <security@redhat.com>"}},
    {"RPM-GPG-KEY-redhat8-release",
     {"v4 1 199e2f91fd431d51; Red Hat, Inc. (release key 2) <security@redhat.com>",
      "v4 17 45689c882fa658e0 unsupported; Red Hat, Inc. (auxiliary key) <security@redhat.com>"}},
    {"alice.asc", {"v4 1 b3a771bfeb04e625 no-sign; v4 1 1f71177215217ee0; Alice <alice@example.org>"}},
    {"rpm-testkey-v4-ecdsa-nistp256.asc",
     {"v4 19 105c3db6d139a931; rpm-testkey-v4-ecdsa-nistp256 <rpm-testkey-v4-ecdsa-nistp256@example.com>"}},
    {"rpm-testkey-v4-ed25519.asc",
     {"v4 22 522e846427933839; rpm-testkey-v4-ed25519 <rpm-testkey-v4-ed25519@example.com>"}},
    {"rpm-testkey-v4-rsa4096.asc",
     {"v4 1 e964f9fb30d073b5; rpm-testkey-v4-rsa4096 <rpm-testkey-v4-rsa4096@example.com>"}},
    {"rpm-testkey-v6-ed25519.asc",
     {"v6 27 ee11adb4fb08151e no-sign; v6 27 715619ae2365d909; rpm-testkey-v6-ed25519"}},
    {"rpm-testkey-v6-rsa4k.asc",
     {"v6 1 04f0f968f99081df no-sign; v6 1 12e1f31e46105918; rpm-testkey-v6-rsa4k"}},
    {"rpm.org-rsa-2048-add-subkey.asc",
     {"v4 1 4344591e1964c5fc; v4 1 185e6146f00650f8 no-sign; v4 22 6323c42711450b6c; rpm.org RSA testkey "
      "<rsa@rpm.org>"}},
    {"rpm.org-rsa-2048-test.pub",
     {"v4 1 4344591e1964c5fc; v4 1 185e6146f00650f8 no-sign; rpm.org RSA testkey <rsa@rpm.org>"}},
};

TEST(Fixtures, EveryRealKeyFileIsRead) {
  const auto names = list_folder(fixtures() + "/keys");
  if (!names) GTEST_SKIP() << "NO REAL KEYS: " << names.error().message << "; set DIGLIM_FIXTURES";
  std::set<std::string> left(names->begin(), names->end());
  for (const KeyFile& file : kKeyFiles) {
    left.erase(file.name);
    const auto content = read_file(fixtures() + "/keys/" + file.name, kMaxKeyFileBytes);
    ASSERT_TRUE(content) << content.error().message;
    EXPECT_TRUE(looks_like_certificates(*content)) << file.name;
    const auto read = read_certificates(*content);
    ASSERT_TRUE(read) << file.name << ": " << read.error().message;
    std::vector<std::string> described;
    for (const Certificate& certificate : *read) described.push_back(describe(certificate));
    EXPECT_EQ(described, file.certificates) << file.name;
  }
  EXPECT_TRUE(left.empty()) << "not in the table: " << *left.begin();
}

}  // namespace
}  // namespace diglim::openpgp::test
