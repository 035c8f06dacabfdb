// SPDX-License-Identifier: Apache-2.0
// Plans for systems that are directories of files. That a plan is carried out, and undone, is shown by
// selftests/host/tools/setup_test.sh.
#include "tools/diglim/setup/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "lib/base/file.h"
#include "lib/openpgp/test_writer.h"
#include "tools/diglim/setup/uki.h"

namespace diglim::setup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const Words kWords = {"rdinit=/usr/sbin/diglim-loader", "diglim.mode=enforce"};

class PlanTest : public testing::Test {
 protected:
  PlanTest() {
    char path[] = "/tmp/diglim-plan-test-XXXXXX";
    root_ = mkdtemp(path) != nullptr ? path : "";
  }
  ~PlanTest() override { std::filesystem::remove_all(root_); }

  void put(const std::string& path, const std::string& text = "x") const {
    std::filesystem::create_directories(root_ + path.substr(0, path.rfind('/')));
    std::ofstream(root_ + path) << text;
  }
  void put_program(const std::string& name) const {
    put("/usr/bin/" + name);
    std::filesystem::permissions(root_ + "/usr/bin/" + name, std::filesystem::perms::all);
  }
  void put_entry(const std::string& name, const std::string& options = "root=/dev/sda1") const {
    put("/boot/loader/entries/" + name + ".conf",
        "title " + name + "\nversion " + name + "\nlinux /" + name + "\noptions " + options + "\n");
  }
  RecordedHost host() const {
    auto host = RecordedHost::open(root_, false, false);
    EXPECT_TRUE(host) << host.error().message;
    return *std::move(host);
  }
  Result<Step> boot_loader() const { return plan_boot_loader(host(), kWords); }

  std::string root_;
};

const FileChange* change_of(const Step& step, const std::string& path) {
  const auto found = std::ranges::find(step.files, path, &FileChange::path);
  return found == step.files.end() ? nullptr : &*found;
}

std::vector<std::string> ids(const Plan& plan) {
  std::vector<std::string> ids;
  for (const Step& step : plan.steps) ids.push_back(step.id);
  return ids;
}

TEST_F(PlanTest, EveryEntryGetsTheWordsAndOneIsPermissive) {
  put_entry("abc-6.1.0");
  put_entry("abc-6.12.0", "root=/dev/sda1 quiet");
  put_entry("abc-0-rescue");
  const auto step = boot_loader();
  ASSERT_TRUE(step) << step.error().message;
  for (const char* name : {"abc-6.1.0", "abc-6.12.0", "abc-0-rescue"}) {
    const FileChange* change = change_of(*step, std::string("/boot/loader/entries/") + name + ".conf");
    ASSERT_NE(change, nullptr) << name;
    EXPECT_THAT(change->content, HasSubstr("rdinit=/usr/sbin/diglim-loader diglim.mode=enforce\n")) << name;
    EXPECT_EQ(change->format, "bls");
  }
  // By version, not by letter; and never the rescue entry.
  const FileChange* permissive = change_of(*step, "/boot/loader/entries/abc-0-diglim-permissive.conf");
  ASSERT_NE(permissive, nullptr);
  EXPECT_THAT(permissive->content, HasSubstr("linux /abc-6.12.0\n"));
  EXPECT_THAT(permissive->content, HasSubstr("diglim.mode=permissive"));
  EXPECT_THAT(permissive->content, Not(HasSubstr("diglim.mode=enforce")));
  // For the kernels to come.
  const FileChange* line = change_of(*step, "/etc/kernel/cmdline");
  ASSERT_NE(line, nullptr);
  EXPECT_EQ(line->content, "root=/dev/sda1 quiet rdinit=/usr/sbin/diglim-loader diglim.mode=enforce\n");
  EXPECT_TRUE(step->commands.empty());
}

TEST_F(PlanTest, ASecondPlanDoesNotStartFromItsOwnEntry) {
  put_entry("abc-6.1.0");
  put_entry("abc-0-diglim-permissive");
  const auto step = boot_loader();
  ASSERT_TRUE(step);
  EXPECT_EQ(change_of(*step, "/boot/loader/entries/abc-0-diglim-permissive-0-diglim-permissive.conf"),
            nullptr);
  EXPECT_THAT(step->what, HasSubstr("1 boot entries"));
}

TEST_F(PlanTest, GrubbyWritesEntriesWhereItIs) {
  put_entry("abc-6.1.0");
  put_program("grubby");
  const auto step = boot_loader();
  ASSERT_TRUE(step);
  ASSERT_EQ(step->commands.size(), 1u);
  const Command& grubby = step->commands[0];
  EXPECT_THAT(grubby.words, ElementsAre("grubby", "--update-kernel=ALL", "--args",
                                        "rdinit=/usr/sbin/diglim-loader diglim.mode=enforce"));
  ASSERT_EQ(grubby.changes.size(), 1u);
  EXPECT_EQ(grubby.changes[0].first, "/boot/loader/entries/abc-6.1.0.conf") << "recorded before";
  EXPECT_EQ(grubby.must_write.path, "/boot/loader/entries/abc-6.1.0.conf");
  EXPECT_EQ(change_of(*step, "/boot/loader/entries/abc-6.1.0.conf"), nullptr);
}

TEST_F(PlanTest, GrubbyWritesAVariableWhereEntriesNameIt) {
  put_entry("abc-6.1.0", "$kernelopts");
  put("/boot/grub2/grubenv", "kernelopts=root=/dev/sda1\n");
  put_program("grubby");
  const auto step = boot_loader();
  ASSERT_TRUE(step);
  ASSERT_EQ(step->commands.size(), 1u);
  EXPECT_EQ(step->commands[0].must_write.path, "/boot/grub2/grubenv");
}

// grubby appends, so what it writes would stand behind "--".
TEST_F(PlanTest, GrubbyIsNotUsedBehindDashes) {
  put_entry("abc-6.1.0", "root=/dev/sda1 -- single");
  EXPECT_TRUE(boot_loader()) << "without grubby the words go before it";
  put_program("grubby");
  EXPECT_THAT(boot_loader().error().message, HasSubstr("grubby would put DIGLIM's words behind it"));
  put_entry("abc-6.1.0", "$kernelopts");
  put("/boot/grub2/grubenv", "# GRUB\nkernelopts=root=/dev/sda1 -- single\n####");
  EXPECT_THAT(boot_loader().error().message, HasSubstr("/boot/grub2/grubenv: the command line of"));
  put_entry("abc-6.1.0", "$kernelopts -- single");
  put("/boot/grub2/grubenv", "kernelopts=root=/dev/sda1\n");
  EXPECT_THAT(boot_loader().error().message, testing::StartsWith("/boot/loader/entries/abc-6.1.0.conf: "));
  put_entry("abc-6.1.0", "$kernelopts");
  put("/boot/grub2/grubenv", "kernelopts=root=/dev/sda1 y=\"a\n");
  EXPECT_THAT(boot_loader().error().message, HasSubstr("a quote in it does not end"));
  put("/boot/grub2/grubenv", "kernelopts=root=/dev/sda1 rdinit=/x\n");
  EXPECT_TRUE(boot_loader());
}

TEST_F(PlanTest, WithoutGrubbyTheVariableIsLookedAtToo) {
  put_entry("abc-6.1.0", "$kernelopts ro");
  put("/boot/grub2/grubenv", "kernelopts=root=/dev/sda1 -- single\n");
  EXPECT_THAT(boot_loader().error().message, HasSubstr("is no word of its own in it"));
  put("/boot/grub2/grubenv", "kernelopts=root=/dev/sda1\n");
  EXPECT_TRUE(boot_loader());
}

TEST_F(PlanTest, WhatNewKernelsGetIsLookedAtToo) {
  put_entry("abc-6.1.0");
  put("/etc/kernel/cmdline", "root=x y=\"a\n");
  EXPECT_THAT(boot_loader().error().message,
              testing::AllOf(HasSubstr("/etc/kernel/cmdline"), HasSubstr("a quote in it does not end")));
  put("/etc/kernel/cmdline", "root=x\n");
  put("/etc/default/grub", "GRUB_CMDLINE_LINUX='y=\"a'\n");
  EXPECT_THAT(boot_loader().error().message,
              testing::AllOf(HasSubstr("/etc/default/grub"), HasSubstr("a quote in it does not end")));
  put("/etc/default/grub", "GRUB_CMDLINE_LINUX=quiet # note\n");
  EXPECT_TRUE(boot_loader());
}

TEST_F(PlanTest, MountPointsAreKnownByWhereTheyLead) {
  EXPECT_TRUE(is_mount_point("/proc"));
  EXPECT_TRUE(is_mount_point("/proc/"));
  EXPECT_TRUE(is_mount_point("/"));
  std::filesystem::create_directory_symlink("/proc", root_ + "/link");
  EXPECT_TRUE(is_mount_point(root_ + "/link"));
  put("/folder/x");
  EXPECT_FALSE(is_mount_point(root_ + "/folder"));
  EXPECT_FALSE(is_mount_point(root_ + "/nowhere"));
}

TEST_F(PlanTest, GrubIsMadeAnewByWhatTheSystemHas) {
  put("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"quiet\"\n");
  EXPECT_THAT(boot_loader().error().message, HasSubstr("install the package diglim anew"));
  put("/usr/libexec/diglim/grub-permissive");
  EXPECT_THAT(boot_loader().error().message, HasSubstr("neither update-grub nor grub-mkconfig"));
  put_program("grub2-mkconfig");
  put("/boot/grub2/x");
  auto step = boot_loader();
  ASSERT_TRUE(step);
  EXPECT_THAT(step->commands.at(0).words, ElementsAre("grub2-mkconfig", "-o", "/boot/grub2/grub.cfg"));
  EXPECT_EQ(change_of(*step, "/etc/default/grub")->content,
            "GRUB_CMDLINE_LINUX=\"quiet rdinit=/usr/sbin/diglim-loader diglim.mode=enforce\"\n");
  EXPECT_TRUE(change_of(*step, "/etc/grub.d/42_diglim")->link) << "a file of ours would be on no list";
  put_program("update-grub");
  step = boot_loader();
  ASSERT_TRUE(step);
  EXPECT_THAT(step->commands.at(0).words, ElementsAre("update-grub"));
}

TEST_F(PlanTest, WithoutABootLoaderTheWordsAreNamed) {
  const auto step = boot_loader();
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(step.error().message, HasSubstr("rdinit=/usr/sbin/diglim-loader diglim.mode=enforce"));
}

TEST_F(PlanTest, EachThingThatIsMissingHasItsRemedy) {
  Options options;
  const auto message = [&] { return make_plan(host(), options).error().message; };
  EXPECT_THAT(message(), HasSubstr("install the package diglim"));
  put("/usr/sbin/diglim-loader");
  EXPECT_THAT(message(), HasSubstr("--rpm-keys"));
  std::filesystem::create_directories(root_ + "/keys");
  const Bytes key = openpgp::test::TestKey::generate(openpgp::test::Algo::kEd25519, 1000).certificate();
  ASSERT_TRUE(write_file_atomically(root_ + "/keys/one.pgp", key, 0644));
  put("/keys/.hidden", "none");
  put("/keys/README", "none either");
  options.keys = {root_ + "/keys"};
  EXPECT_THAT(message(), HasSubstr("--no-initramfs"));
  put_program("dracut");
  EXPECT_THAT(message(), HasSubstr("install the package diglim-dracut"));
  put("/usr/lib/dracut/modules.d/90diglim/module-setup.sh");
  EXPECT_THAT(message(), HasSubstr("--no-boot-loader"));
  put_entry("abc-6.1.0");
  const auto plan = make_plan(host(), options);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(ids(*plan), ElementsAre("keys", "lists", "initramfs", "command_line"));
  ASSERT_EQ(plan->keys.size(), 1u);
  EXPECT_EQ(plan->keys[0].path, "/etc/diglim/keys/one.pgp");
  EXPECT_EQ(plan->keys[0].content, as_text(key));
  EXPECT_THAT(plan->steps[0].what, HasSubstr("/keys/README: not a key"));
  options.keys = {root_ + "/keys/README"};
  EXPECT_THAT(message(), HasSubstr("/keys/README: not a key")) << "one that is named must be one";
}

TEST_F(PlanTest, EachKernelGetsItsInitramfsAndIsLookedInto) {
  put("/usr/sbin/diglim-loader");
  put("/etc/diglim/keys/one.asc");
  put_program("dracut");
  put("/usr/lib/dracut/modules.d/90diglim/module-setup.sh");
  put("/usr/lib/modules/6.1.0/modules.dep");
  put("/usr/lib/modules/6.12.0/modules.dep");
  put("/usr/lib/modules/gone/build/x");
  put_entry("abc-6.1.0");
  Options options;
  options.lockdown = true;
  const auto plan = make_plan(host(), options);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(plan->words, ElementsAre(kWords[0], kWords[1], "lockdown=integrity"));
  const auto step = std::ranges::find(plan->steps, "initramfs", &Step::id);
  ASSERT_NE(step, plan->steps.end());
  ASSERT_EQ(step->commands.size(), 4u);
  EXPECT_THAT(step->commands[2].words, ElementsAre("dracut", "--force", "--kver", "6.12.0"));
  EXPECT_EQ(step->commands[3].must_say, "bin/diglim-loader");
}

TEST_F(PlanTest, OnlyWhatIsThereIsPlanned) {
  put("/usr/sbin/diglim-loader");
  put("/etc/diglim/keys/one.asc");
  put("/usr/lib64/rpm-plugins/diglim.so");
  put("/usr/lib/systemd/system/diglim-repair.service");
  Options options;
  options.no_initramfs = options.no_boot_loader = true;
  auto plan = make_plan(host(), options);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_THAT(ids(*plan), ElementsAre("keys", "lists", "macro", "unit"));
  put("/usr/lib/rpm/macros.d/macros.transaction_diglim");
  plan = make_plan(host(), options);
  ASSERT_TRUE(plan);
  EXPECT_THAT(ids(*plan), ElementsAre("keys", "lists", "unit")) << "the package has the macro";
}

}  // namespace
}  // namespace diglim::setup
