// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/initramfs/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace diglim::initramfs {
namespace {

constexpr const char* kRelease = "6.12.1-1.x86_64";

class Image : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/diglim-image.XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    root_ = name;
    add("/etc/machine-id", "abc\n");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void add(const std::string& path, const std::string& content = "x") {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << content;
  }
  void set_variable(const std::string& name, const std::string& text) {
    std::string raw(4, '\7');
    for (const char c : text + std::string(1, '\0')) raw += std::string(1, c) + std::string(1, '\0');
    add("/sys/firmware/efi/efivars/" + name + "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f", raw);
  }
  // Without the root; "none", or "error: " and why.
  std::string found() {
    const auto images = find_images(root_, kRelease);
    if (!images) return "error: " + images.error().message;
    std::string text;
    for (const std::string& image : *images) text += (text.empty() ? "" : " ") + image.substr(root_.size());
    return text.empty() ? "none" : text;
  }

  std::string root_;
};

TEST_F(Image, NoneIsNoError) {
  add("/boot/initramfs-6.12.2.img");
  EXPECT_EQ(found(), "none");
}

TEST_F(Image, WhereDistributionsPutIt) {
  for (const char* path :
       {"/boot/initramfs-6.12.1-1.x86_64.img", "/boot/initrd.img-6.12.1-1.x86_64",
        "/boot/abc/6.12.1-1.x86_64/initrd", "/efi/abc/6.12.1-1.x86_64/initrd",
        "/boot/efi/Default/6.12.1-1.x86_64/initrd", "/lib/modules/6.12.1-1.x86_64/initrd",
        "/efi/EFI/Linux/abc-6.12.1-1.x86_64.efi", "/boot/EFI/Linux/abc-6.12.1-1.x86_64+3.efi"}) {
    add(path);
    EXPECT_EQ(found(), path);
    std::filesystem::remove(root_ + path);
  }
}

TEST_F(Image, OfSeveralNobodyKnowsWhich) {
  add("/boot/initramfs-6.12.1-1.x86_64.img");
  add("/boot/initrd.img-6.12.1-1.x86_64");
  EXPECT_THAT(found(), testing::HasSubstr("several initramfs images"));
}

TEST_F(Image, OneFileByTwoNamesIsOne) {
  add("/boot/initramfs-6.12.1-1.x86_64.img");
  std::filesystem::create_hard_link(root_ + "/boot/initramfs-6.12.1-1.x86_64.img",
                                    root_ + "/boot/initrd.img-6.12.1-1.x86_64");
  EXPECT_EQ(found(), "/boot/initramfs-6.12.1-1.x86_64.img");
}

TEST_F(Image, TheBootLoadersEntrySays) {
  add("/boot/initramfs-6.12.1-1.x86_64.img");
  add("/boot/own/rd");
  add("/boot/ucode");
  add("/boot/loader/entries/a.conf",
      "title A\nversion 6.12.1-1.x86_64\nlinux /vmlinuz\ninitrd /ucode\ninitrd /own/rd\n");
  add("/boot/loader/entries/old.conf", "version 6.1\ninitrd /ucode\n");
  EXPECT_EQ(found(), "/boot/ucode /boot/own/rd");
}

TEST_F(Image, EachPartThatAnEntryNames) {
  const std::string head = "version 6.12.1-1.x86_64\n";
  add("/boot/own/rd");
  add("/boot/more");
  add("/boot/loader/entries/a.conf", head + "initrd /own/rd $tuned_initrd\n");
  EXPECT_EQ(found(), "/boot/own/rd");
  add("/boot/grub2/grub.cfg", "if x; then\n  set tuned_initrd=\"/other\"\nfi\n");
  EXPECT_THAT(found(), testing::HasSubstr("names /other as a part of its initramfs, which is not there"));
  add("/boot/grub2/grubenv", "# GRUB Environment Block\ntuned_initrd=/more\n");
  EXPECT_EQ(found(), "/boot/own/rd /boot/more");
  add("/boot/loader/entries/b.conf", head + "initrd /own/rd /more\n");
  EXPECT_EQ(found(), "/boot/own/rd /boot/more");
  add("/boot/loader/entries/b.conf", head + "initrd /more /own/rd\n");
  EXPECT_THAT(found(), testing::HasSubstr("several initramfs images"));
}

TEST_F(Image, AddonsOfAnImage) {
  add("/efi/EFI/Linux/mine.efi");
  add("/efi/EFI/Linux/mine.efi.extra.d/a.ADDON.efi");
  add("/efi/EFI/Linux/mine.efi.extra.d/b.cred");
  add("/efi/loader/addons/c.addon.efi");
  EXPECT_THAT(addons_of(root_ + "/efi/EFI/Linux/mine.efi"),
              testing::ElementsAre(root_ + "/efi/EFI/Linux/mine.efi.extra.d/a.ADDON.efi",
                                   root_ + "/efi/loader/addons/c.addon.efi"));
}

TEST_F(Image, AnEntryMayNameTheKernelOnly) {
  add("/boot/own/rd");
  add("/boot/loader/entries/a.conf", "linux /boot/vmlinuz-6.12.1-1.x86_64\ninitrd /boot/own/rd\n");
  EXPECT_EQ(found(), "/boot/own/rd");
  add("/boot/loader/entries/a.conf", "linux /abc/6.12.1-1.x86_64/linux\ninitrd /boot/own/rd\n");
  EXPECT_EQ(found(), "/boot/own/rd");
  add("/boot/loader/entries/a.conf", "linux /boot/vmlinuz-6.12.1-1.x86_64.old\ninitrd /boot/own/rd\n");
  EXPECT_EQ(found(), "none");
  add("/boot/loader/entries/a.conf", "linux /boot/vmlinuz-6.12.1-1.x86_64_2\ninitrd /boot/own/rd\n");
  EXPECT_EQ(found(), "none");
}

TEST_F(Image, TheStubSaysFromWhichItCame) {
  add("/boot/initramfs-6.12.1-1.x86_64.img");
  add("/efi/EFI/Linux/mine.efi");
  set_variable("StubInfo", "systemd-stub 252");
  set_variable("LoaderImageIdentifier", "\\EFI\\Linux\\MINE.EFI");
  EXPECT_EQ(found(), "/efi/EFI/Linux/mine.efi");
  add("/efi/EFI/Linux/other+2-1.efi");
  set_variable("LoaderEntrySelected", "other.efi");
  EXPECT_EQ(found(), "/efi/EFI/Linux/other+2-1.efi");
  set_variable("StubImageIdentifier", "\\EFI\\Linux\\gone.efi");
  EXPECT_THAT(found(), testing::HasSubstr("/EFI/Linux/gone.efi, which is not below"));
}

TEST_F(Image, TheBootLoadersEntryNamesTheImage) {
  add("/efi/EFI/BOOT/BOOTX64.EFI");
  add("/efi/EFI/own/previous.efi");
  add("/efi/loader/entries/Previous+3.conf", "title Previous\nefi /EFI/own/previous.efi\n");
  add("/efi/loader/entries/other.conf", "efi /EFI/own/other.efi\n");
  set_variable("StubInfo", "systemd-stub 252");
  set_variable("LoaderImageIdentifier", "\\EFI\\BOOT\\BOOTX64.EFI");
  set_variable("LoaderEntrySelected", "previous.conf");
  EXPECT_EQ(found(), "/efi/EFI/own/previous.efi");
  set_variable("LoaderEntrySelected", "other.conf");
  EXPECT_THAT(found(), testing::HasSubstr("/EFI/own/other.efi, which is not below"));
  add("/root/outside.efi");
  add("/efi/loader/entries/other.conf", "efi /EFI/../../root/outside.efi\n");
  EXPECT_THAT(found(), testing::HasSubstr("which is not below"));
}

}  // namespace
}  // namespace diglim::initramfs
