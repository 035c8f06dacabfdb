// SPDX-License-Identifier: Apache-2.0
#include "lib/events/event_line.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "lib/events/denial.h"
#include "lib/events/event_id.h"
#include "lib/events/reasons.h"

namespace diglim {
namespace {

constexpr int kFreeReason = 2;

diglim_event make_event(uint8_t kind, uint8_t reason, const std::string& components = "") {
  diglim_event event = {};
  event.version = DIGLIM_ABI_VERSION;
  event.kind = kind;
  event.reason = reason;
  event.enforced = 1;
  event.pid = 12;
  event.path_bytes = static_cast<uint32_t>(components.size());
  std::memcpy(event.text, components.data(), components.size());
  std::strcpy(event.command, "sh");
  return event;
}

TEST(EventLine, NamesFileReasonAndDigest) {
  auto event = make_event(DIGLIM_KIND_EXEC, DIGLIM_REASON_UNKNOWN, std::string("x\0bin\0usr\0", 10));
  event.algo = 4;
  event.digest_size = 64;
  std::memset(event.digest, 0xab, sizeof(event.digest));
  std::string digest;
  for (int i = 0; i < 32; ++i) digest += "ab";
  EXPECT_EQ(event_line(event),
            "denied exec /usr/bin/x: not on any digest list; sha256:" + digest + "; pid 12 uid 0 command sh");
  event.enforced = 0;
  EXPECT_EQ(event_line(event).substr(0, 16), "would deny exec ");
}

TEST(EventLine, EscapesWhatComesFromOutside) {
  auto event = make_event(DIGLIM_KIND_MMAP, DIGLIM_REASON_WRITER, std::string("a\n\x1b[2J\0tmp\0", 11));
  std::strcpy(event.command, "\xff\n");
  event.path_cut = 1;
  EXPECT_EQ(event_line(event),
            "denied mmap .../tmp/a\\n\\x1b[2J: it is open for writing; pid 12 uid 0 command \\xff\\n");
}

TEST(EventLine, KernelLoadsAndGuards) {
  auto module = make_event(DIGLIM_KIND_KERNEL_LOAD, DIGLIM_REASON_MEMORY);
  module.detail = 2;
  EXPECT_EQ(event_line(module),
            "denied load: module: not from a file (allowed if the kernel enforces signatures: boot with "
            "module.sig_enforce=1); pid 12 uid 0 command sh");
  module.detail = 3;
  EXPECT_EQ(event_line(module), "denied load: kexec image: not from a file; pid 12 uid 0 command sh");
  auto kernel = make_event(DIGLIM_KIND_KERNEL_READ, DIGLIM_REASON_OTHER_KERNEL);
  kernel.detail = 3;
  EXPECT_EQ(
      event_line(kernel),
      "denied load: kexec image: known, but another kernel could be started without DIGLIM; pid 12 uid 0 "
      "command sh");
  auto guard = make_event(DIGLIM_KIND_GUARD, DIGLIM_REASON_PROTECTED);
  guard.detail = DIGLIM_GUARD_HIDDEN;
  EXPECT_EQ(event_line(guard),
            "denied reach the mounts of kdevtmpfs, which hold DIGLIM: DIGLIM protects itself; pid 12 uid 0 "
            "command sh");
}

TEST(EventLine, WhyItWasNotHashed) {
  auto event = make_event(DIGLIM_KIND_EXEC, DIGLIM_REASON_HASH);
  event.detail = -EFBIG;
  EXPECT_NE(event_line(event).find("the kernel cannot hash it (File too large); "), std::string::npos);
  event.detail = -EINTR;
  const std::string killed = event_line(event);
  EXPECT_NE(killed.find("the kernel cannot hash it (its process was killed); "), std::string::npos) << killed;
  EXPECT_EQ(parse_denial(killed)->detail, kKilledWhileHashed);
}

TEST(EventLine, WhatCanBeChangedUnseen) {
  const auto pinned = make_event(DIGLIM_KIND_EXEC, DIGLIM_REASON_PINNED);
  EXPECT_NE(event_line(pinned).find("it was mapped shared and writable"), std::string::npos);
  EXPECT_NE(event_line(pinned).find("a copy of it (cp, install) may run"), std::string::npos);
  auto storage = make_event(DIGLIM_KIND_EXEC, DIGLIM_REASON_STORAGE);
  storage.detail = 7 << 20 | 3;
  EXPECT_NE(event_line(storage).find("on no disk (device 7:3)"), std::string::npos);
  auto content = make_event(DIGLIM_KIND_GUARD, DIGLIM_REASON_PROTECTED);
  content.detail = DIGLIM_GUARD_CONTENT;
  EXPECT_NE(event_line(content).find("exchange content that was checked"), std::string::npos);
}

// What `diglim explain` makes of it: each kind with each reason, and a path and a command that look like
// other parts.
TEST(EventLine, IsReadBack) {
  using namespace std::string_literals;
  const std::string path = "a: it is open for writing; pid 1 uid 2 command x\0\n\\ \xff: module\0tmp\0"s;
  for (int kind = DIGLIM_KIND_EXEC; kind <= DIGLIM_KIND_GUARD; ++kind) {
    for (int reason = DIGLIM_REASON_UNKNOWN; reason <= DIGLIM_REASON_STORAGE; ++reason) {
      if (reason == kFreeReason) continue;
      auto event = make_event(static_cast<uint8_t>(kind), static_cast<uint8_t>(reason), path);
      event.uid = 7;
      event.detail = kind == DIGLIM_KIND_GUARD ? 4 : reason == DIGLIM_REASON_HASH ? -5 : 2;
      event.algo = 4;
      event.digest_size = reason % 2 == 0 ? 32 : 0;
      std::memset(event.digest, 0xab, sizeof(event.digest));
      std::strcpy(event.command, "a; pid 1 \xff");
      event.number = reason % 3 == 0 ? 0 : 57;
      const uint64_t lost = reason % 2 == 0 ? 0 : 3;
      const std::string line = event_line(event, "3f2a91bc", lost);
      const auto denial = parse_denial(line);
      ASSERT_TRUE(denial) << line;
      EXPECT_EQ(denial->reason, reason) << line;
      EXPECT_EQ(denial->path, "/tmp/\n\\ \xff: module/a: it is open for writing; pid 1 uid 2 command x")
          << line;
      EXPECT_EQ(denial->digest.size(), event.digest_size) << line;
      EXPECT_EQ(denial->pid, 12u);
      EXPECT_EQ(denial->uid, 7u);
      EXPECT_EQ(denial->event, event.number == 0 ? "" : "3f2a91bc-57");
      EXPECT_EQ(denial->lost, lost);
      EXPECT_EQ(denial->command, "a; pid 1 \xff") << line;
      const bool loads = kind == DIGLIM_KIND_KERNEL_READ || kind == DIGLIM_KIND_KERNEL_LOAD;
      if (loads && !denial->use.empty()) {
        EXPECT_EQ(denial->use, "module");
      }
      if (kind == DIGLIM_KIND_GUARD) {
        EXPECT_EQ(denial->what, "trace DIGLIM");
      }
    }
  }
}

// The kernel refuses a line of more than some 980 bytes, and gives out 2,048 with four for each that it
// escapes: whatever a user names his files, there is a line, with all but the middle of the path.
TEST(EventLine, ALongPathLacksItsMiddle) {
  for (const std::string& sign : {std::string("a"), std::string("\xff"), std::string("\\"), std::string("ä"),
                                  std::string("\n"), std::string("."), std::string("a\0", 2)}) {
    for (size_t size = 100; size <= 2200; size += 7) {
      std::string components("end\0", 4);
      while (components.size() < size) components += sign;
      components += std::string("\0begin\0", 7);
      auto event = make_event(DIGLIM_KIND_MPROTECT, DIGLIM_REASON_PINNED, components);
      event.algo = 6;  // the longest
      event.digest_size = 64;
      event.number = ~uint64_t{0};
      event.pid = event.uid = ~uint32_t{0};
      event.enforced = 0;
      std::memset(event.command, 0xff, sizeof(event.command) - 1);
      const std::string line = event_line(event, "3f2a91bc", ~uint32_t{0});
      EXPECT_LE(line.size(), 880u);
      size_t shown = 0;
      for (const char c : line) shown += c < 0x20 || c >= 0x7f || c == '\\' ? 4 : 1;
      EXPECT_LE(shown, 1900u);
      const auto denial = parse_denial(line);
      ASSERT_TRUE(denial) << line;
      EXPECT_TRUE(denial->path.starts_with("/begin/")) << line;
      EXPECT_TRUE(denial->path.ends_with("/end")) << line;
      EXPECT_EQ(denial->path_cut, line.find("\\...") != std::string::npos) << line;
      EXPECT_EQ(denial->digest.size(), 64u);
      EXPECT_EQ(denial->pid, ~uint32_t{0});
      EXPECT_EQ(denial->event, "3f2a91bc-18446744073709551615");
      if (size > 900) {
        EXPECT_TRUE(denial->path_cut);
        EXPECT_GT(line.size(), 500u);
      }
      if (size == 100) {
        EXPECT_FALSE(denial->path_cut);
      }
    }
  }
}

TEST(EventLine, PartsLieOneBehindTheOther) {
  using namespace std::string_literals;
  auto event =
      make_event(DIGLIM_KIND_EXEC, DIGLIM_REASON_UNKNOWN, "x\0tmp\0x.service\0system.slice\0sh\0bin\0"s);
  event.path_bytes = 6;
  event.cgroup_bytes = 23;
  event.exe_bytes = 7;
  EXPECT_EQ(event_path(event), "/tmp/x");
  EXPECT_EQ(event_cgroup(event), "/system.slice/x.service");
  EXPECT_EQ(event_exe(event), "/bin/sh");
  event.cgroup_bytes = 0;
  EXPECT_EQ(event_cgroup(event), "/");
}

TEST(EventLine, WhatIsAllowedIsNoDenial) {
  auto event = make_event(DIGLIM_KIND_EXEC, 0, std::string("x\0", 2));
  event.enforced = 0;
  event.number = 1;
  const std::string line = event_line(event, "3f2a91bc");
  EXPECT_EQ(line, "allowed exec /x: on a digest list; pid 12 uid 0 event 3f2a91bc-1 command sh");
  EXPECT_FALSE(parse_denial(line));
}

TEST(EventId, IsFoundByItsNumberToo) {
  EXPECT_EQ(event_id("3f2a91bc", 57), "3f2a91bc-57");
  EXPECT_EQ(event_id("3f2a91bc", 0), "");
  EXPECT_EQ(find_event_id("57", "3f2a91bc"), "3f2a91bc-57");
  EXPECT_EQ(find_event_id("00112233-4", "3f2a91bc"), "00112233-4");
  for (const char* text : {"", "0", "-1", "5x", "3f2a91bc-", "3f2a91bc-0", "3f2a91b-5", "3F2A91BC-5",
                           "/usr/bin/5", "123456789012345678901"})
    EXPECT_FALSE(find_event_id(text, "3f2a91bc")) << text;
  EXPECT_EQ(read_boot().size(), 8u);
}

TEST(EventLine, SurvivesNonsense) {
  for (int kind = 0; kind < 256; ++kind) {
    auto event = make_event(static_cast<uint8_t>(kind), static_cast<uint8_t>(kind));
    event.path_bytes = 0xffffffff;
    event.cgroup_bytes = 0xffffffff;
    event.exe_bytes = 0xffffffff;
    std::memset(event.text, 'a', sizeof(event.text));
    std::memset(event.command, 'a', sizeof(event.command));
    event.detail = kind % 2 ? -1 : 1 << 30;
    event.digest_size = 255;
    event.algo = static_cast<uint16_t>(kind);
    EXPECT_FALSE(event_line(event).empty());
    EXPECT_FALSE(event_cgroup(event).empty());
    EXPECT_LE(event_exe(event).size(), 2 * sizeof(event.text));
  }
}

}  // namespace
}  // namespace diglim
