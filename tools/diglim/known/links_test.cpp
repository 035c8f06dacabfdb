// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/known/links.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace diglim::known {
namespace {

namespace fs = std::filesystem;

TEST(Links, DirectoriesAreResolvedBelowTheRoot) {
  std::string root = testing::TempDir() + "diglim_links_XXXXXX";
  ASSERT_NE(mkdtemp(root.data()), nullptr);
  fs::create_directories(root + "/usr/bin");
  fs::create_directory_symlink("usr/bin", root + "/bin");
  fs::create_directory_symlink("/usr", root + "/absolute");
  fs::create_directory_symlink("../../../../etc", root + "/out");
  fs::create_symlink("sh", root + "/usr/bin/link");
  LinkResolver links(root);
  EXPECT_EQ(links.resolve("/bin/sh"), "/usr/bin/sh");
  EXPECT_EQ(links.resolve("/absolute/bin/sh"), "/usr/bin/sh");
  EXPECT_EQ(links.resolve("/bin/link"), "/usr/bin/link");  // what the last component is, is of no matter
  EXPECT_EQ(links.resolve("/usr/bin/none"), "/usr/bin/none");
  EXPECT_EQ(links.resolve("/none/sh"), "/none/sh");
  EXPECT_EQ(links.resolve("/out/passwd"), "/out/passwd");  // nothing is there below the root
  EXPECT_EQ(links.resolve("/top"), "/top");
  fs::remove_all(root);
}

TEST(Links, ARootThatIsNotThere) {
  LinkResolver links("/none/at/all");
  EXPECT_EQ(links.resolve("/bin/sh"), "/bin/sh");
}

}  // namespace
}  // namespace diglim::known
