// SPDX-License-Identifier: Apache-2.0
// Goal: only who is surely in the running system's root is taken for it.
#include "lib/base/root_identity.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace diglim {
namespace {

namespace fs = std::filesystem;

class RootIdentity : public testing::Test {
 protected:
  RootIdentity() {
    char name[] = "/tmp/diglim-identity-XXXXXX";
    work_ = mkdtemp(name);
    for (const char* folder : {"/root", "/other", "/namespace", "/mounts"})
      fs::create_directory(work_ + folder);
    struct stat info = {};
    EXPECT_EQ(stat((work_ + "/namespace").c_str(), &info), 0);
    paths_ = {work_ + "/root", work_ + "/namespace", info.st_ino,
              work_ + "/root", work_ + "/mounts",    work_ + "/mounts"};
  }
  ~RootIdentity() override { fs::remove_all(work_); }
  std::string of(const std::string& root) const {
    const auto identity = root_identity(work_ + root, paths_);
    EXPECT_TRUE(identity) << identity.error().message;
    return identity ? *identity : "error";
  }

  std::string work_;
  IdentityPaths paths_;
};

TEST_F(RootIdentity, ThisSystemHasNone) {
  EXPECT_EQ(of("/root"), "");
  fs::create_directory_symlink(work_ + "/root", work_ + "/link");
  EXPECT_EQ(of("/link"), "");
}

TEST_F(RootIdentity, AContainerWithItsOwnFirstProcessIsAnother) {
  paths_.first_namespace += 1;
  EXPECT_TRUE(of("/root").starts_with("chroot "));
}

TEST_F(RootIdentity, AChrootOfThisSystemsProcessesIsAnother) {
  paths_.first_root = work_ + "/other";
  EXPECT_TRUE(of("/root").starts_with("chroot "));
}

TEST_F(RootIdentity, WithoutProcItIsAnother) {
  paths_.own_namespace = work_ + "/none";
  EXPECT_TRUE(of("/root").starts_with("chroot "));
  paths_.own_namespace = work_ + "/namespace";
  paths_.first_root = work_ + "/none";
  EXPECT_TRUE(of("/root").starts_with("chroot "));
}

TEST_F(RootIdentity, OthersAreToldByTheirPath) {
  EXPECT_EQ(of("/other"), work_ + "/other");
  EXPECT_EQ(of("/other/"), work_ + "/other");
}

TEST_F(RootIdentity, APathInAnotherMountNamespaceIsAnotherPlace) {
  paths_.first_mounts = work_ + "/root";
  EXPECT_TRUE(of("/other").starts_with(work_ + "/other in "));
  EXPECT_EQ(of("/root"), "") << "a unit of this system may have mounts of its own";
}

}  // namespace
}  // namespace diglim
