// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/explain/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "lib/events/reasons.h"
#include "tools/diglim/explain/reasons.h"

namespace diglim::explain {
namespace {

using known::Cause;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

Facts file(Cause cause, const std::string& path = "/usr/bin/x") {
  Facts facts;
  facts.path = path;
  facts.exists = true;
  facts.only_root = true;
  facts.type = "a program";
  facts.digest = Bytes(32, 1);
  facts.verdict.cause = cause;
  return facts;
}
Denial denial(diglim_reason reason, const std::string& path = "/usr/bin/x") {
  Denial one;
  one.what = "exec";
  one.path = path;
  one.reason = reason;
  one.algo = HashAlgo::kSha256;
  one.digest = Bytes(32, 1);
  one.pid = 12;
  return one;
}
std::string all(const Explanation& why) {
  std::string text;
  for (const std::string& line : why.what) text += line + "\n";
  return text + why.command + "\n" + why.meaning;
}

// Each reason of bpf/abi.h, by walking its numbers: whoever adds one is asked here for its explanation.
constexpr int kFree = 2;  // of a reason that could not occur (bpf/abi.h)

TEST(Explain, EachReasonOfTheKernelHasAnExplanation) {
  std::set<int> with_words;
  for (const ReasonWords& words : reason_words()) with_words.insert(words.reason);
  int last = 0;
  for (int number = 1; number < 32; ++number) {  // more the type cannot hold
    const auto reason = static_cast<diglim_reason>(number);
    const bool exists = with_words.contains(number);
    EXPECT_EQ(has_explanation(reason), exists) << number;
    if (!exists) continue;
    EXPECT_EQ(last, number == kFree + 1 ? kFree - 1 : number - 1) << "a number is left out";
    last = number;
    const Denial one = denial(reason);
    const Explanation why = explain(&one, file(Cause::kForeign));
    EXPECT_FALSE(why.id.empty()) << number;
    EXPECT_FALSE(why.what.empty() || why.what.front().empty()) << number;
    EXPECT_FALSE(why.meaning.empty()) << number;
    EXPECT_THAT(all(why), Not(HasSubstr("{"))) << number;
  }
  EXPECT_EQ(last, DIGLIM_REASON_STORAGE);
}

TEST(Explain, EachCauseHasOne) {
  std::set<std::string> ids;
  for (size_t i = 0; i < known::kCauses; ++i) {
    const Denial one = denial(DIGLIM_REASON_UNKNOWN);
    Facts facts = file(static_cast<Cause>(i));
    facts.package = "hello-2.0-1.x86_64";
    const Explanation why = explain(&one, facts);
    EXPECT_TRUE(ids.insert(why.id).second) << why.id;
    // Nothing allows what is too large.
    EXPECT_EQ(why.command.empty(), static_cast<Cause>(i) == Cause::kTooLarge) << why.id;
    EXPECT_FALSE(why.meaning.empty()) << why.id;
    EXPECT_EQ(cause_explanation(static_cast<Cause>(i)).id, known::cause_words(static_cast<Cause>(i)).id);
  }
}

TEST(Explain, AChangedConfigurationScriptIsSaidToBeChangedAndWhoseItIs) {
  const Denial one = denial(DIGLIM_REASON_UNKNOWN, "/etc/cron.daily/job");
  Facts facts = file(Cause::kConfigChanged, "/etc/cron.daily/job");
  facts.package = "cron-job-1-1.noarch";
  const Explanation why = explain(&one, facts);
  EXPECT_EQ(why.id, "unknown/config-changed");
  EXPECT_EQ(why.what.front(),
            "It is a configuration file of the package cron-job-1-1.noarch, it was changed here, and it is "
            "executed.");
  EXPECT_EQ(why.command, "diglim allow /etc/cron.daily/job");
  EXPECT_THAT(why.meaning, HasSubstr("rm /etc/cron.daily/job && dnf reinstall cron-job"));
}

TEST(Explain, AnOlderVersionIsNamed) {
  const Denial one = denial(DIGLIM_REASON_UNKNOWN);
  Facts facts = file(Cause::kChanged);
  facts.package = "hello-2.0-1.x86_64";
  facts.other = OtherVersion{"hello-1.9-1.x86_64", -1};
  EXPECT_THAT(explain(&one, facts).what,
              Contains("It is the content of an older version of that package: hello-1.9-1.x86_64."));
  EXPECT_EQ(explain(&one, facts).command, "dnf reinstall hello");
}

TEST(Explain, ADebuggersMprotect) {
  Denial one = denial(DIGLIM_REASON_NOT_VERIFIED);
  const Explanation why = explain(&one, file(Cause::kNone));
  EXPECT_THAT(all(why), HasSubstr("lldb"));
  EXPECT_EQ(why.command, "");  // root must not run what somebody built, and did not check
  EXPECT_THAT(why.meaning, HasSubstr("has to run it once before"));
  EXPECT_THAT(why.meaning, Not(HasSubstr("diglim allow")));  // it is known: nothing to allow
}

TEST(Explain, ALinkersOutputHasToBeCopiedAndAllowed) {
  const Denial one = denial(DIGLIM_REASON_PINNED, "/home/dev/a out");
  const Explanation why = explain(&one, file(Cause::kForeign, "/home/dev/a out"));
  EXPECT_EQ(why.command,
            "cp -p '/home/dev/a out' '/home/dev/a out.new' && mv '/home/dev/a out.new' '/home/dev/a out'");
  EXPECT_THAT(why.meaning, HasSubstr("also: diglim allow '/home/dev/a out'"));
  const Explanation known = explain(&one, file(Cause::kNone, "/home/dev/a out"));
  EXPECT_THAT(known.meaning, Not(HasSubstr("diglim allow")));
}

TEST(Explain, WhoHoldsItIsNamed) {
  const Denial writer = denial(DIGLIM_REASON_WRITER);
  Facts facts = file(Cause::kNone);
  facts.writers = {{7, "cc1"}};
  facts.mappers = {{8, "daemon\x1b"}};
  EXPECT_THAT(explain(&writer, facts).what, Contains("Open for writing by process 7 (cc1)."));
  const Denial mapped = denial(DIGLIM_REASON_MAPPED);
  EXPECT_THAT(explain(&mapped, facts).what, Contains("Mapped executable by process 8 (daemon\\x1b)."));
  EXPECT_THAT(all(explain(nullptr, facts)), HasSubstr("cannot run anyway"));
  EXPECT_EQ(explain(nullptr, facts).command, "fuser -v /usr/bin/x");
}

TEST(Explain, TheKeyOfAnUntrustedPackage) {
  const Denial one = denial(DIGLIM_REASON_UNKNOWN);
  Facts facts = file(Cause::kUntrusted);
  facts.package = "vendor-1-1.noarch";
  facts.package_key = "gpg-pubkey-350d275d-6279464b";
  EXPECT_EQ(explain(&one, facts).command, "diglim key add gpg-pubkey-350d275d-6279464b");
  facts.package_key.clear();
  EXPECT_EQ(explain(&one, facts).command, "diglim key add FILE");
  EXPECT_THAT(explain(&one, facts).meaning, HasSubstr("FILE is that key"));
}

TEST(Explain, AnotherContentThanThatWhichWasDenied) {
  Denial one = denial(DIGLIM_REASON_UNKNOWN);
  one.digest = Bytes(32, 0xab);
  Facts facts = file(Cause::kNone);
  facts.list = "0-file_list-rpm-x";
  const Explanation why = explain(&one, facts);
  EXPECT_EQ(why.what.front(), "It is not what was denied any more: that was sha256:abababababababab.");
  EXPECT_THAT(why.what, Contains("Its content is on the list 0-file_list-rpm-x now."));
  facts.exists = false;
  EXPECT_EQ(explain(&one, facts).id, "unknown/gone");
}

TEST(Explain, AFileSystemComesBeforeTheContent) {
  Facts facts = file(Cause::kNone, "/mnt/x");
  facts.refusal = "nfs4, whose content can change unseen";
  facts.mount_point = "/mnt";
  const Explanation why = explain(nullptr, facts);
  EXPECT_EQ(why.id, "file-system");
  EXPECT_EQ(why.what.front(), "It lies on /mnt: nfs4, whose content can change unseen.");
  EXPECT_EQ(why.command, "install -D /mnt/x /usr/local/bin/x");
}

// Names are words of a command, whatever is in them, and holes in names are no holes.
TEST(Explain, NamesAreQuoted) {
  const std::string path = "/t/$(reboot) {package}\n'\xff";
  const Denial one = denial(DIGLIM_REASON_UNKNOWN, path);
  const Explanation why = explain(&one, file(Cause::kForeign, path));
  EXPECT_EQ(why.command, "diglim allow $'/t/$(reboot) {package}\\x0a\\'\\xff'");
}

// In the sentence after the command, too.
TEST(Explain, ANameIsFilledInOnce) {
  const std::string path = "/tmp/u/;echo X;#{path}";
  const Denial one = denial(DIGLIM_REASON_PINNED, path);
  const Explanation why = explain(&one, file(Cause::kConfigChanged, path));
  EXPECT_EQ(why.command,
            "cp -p '/tmp/u/;echo X;#{path}' '/tmp/u/;echo X;#{path}.new' && mv '/tmp/u/;echo X;#{path}.new' "
            "'/tmp/u/;echo X;#{path}'");
  const Denial copied = denial(DIGLIM_REASON_FILESYSTEM, path);
  EXPECT_EQ(explain(&copied, file(Cause::kNone, path)).command,
            "install -D '/tmp/u/;echo X;#{path}' /usr/local/bin/';echo X;#{path}'");
  const Denial content = denial(DIGLIM_REASON_UNKNOWN, path);
  EXPECT_THAT(explain(&content, file(Cause::kChanged, path)).meaning,
              HasSubstr("diglim allow '/tmp/u/;echo X;#{path}'"));
}

// Whoever may write there can put a link in its place, or where the copy would be.
TEST(Explain, RootCopiesNothingWhereOthersMayWrite) {
  for (const auto reason : {DIGLIM_REASON_PINNED, DIGLIM_REASON_STALE, DIGLIM_REASON_MAPPED,
                            DIGLIM_REASON_FILESYSTEM, DIGLIM_REASON_STORAGE}) {
    const Denial one = denial(reason, "/home/u/x");
    Facts facts = file(Cause::kFileSystem, "/home/u/x");
    EXPECT_NE(explain(&one, facts).command, "") << reason;
    facts.only_root = false;
    EXPECT_EQ(explain(&one, facts).command, "") << reason;
    EXPECT_THAT(explain(&one, facts).meaning, HasSubstr("its owner has to copy it, not root")) << reason;
    EXPECT_THAT(explain(&one, facts).meaning, Not(HasSubstr("install -D"))) << reason;
    facts.exists = false;
    facts.digest.clear();
    EXPECT_EQ(explain(&one, facts).command, "") << reason;
  }
}

TEST(Explain, WhatLiesElsewhereIsNotWhatWasDenied) {
  for (int number = 1; number <= DIGLIM_REASON_STORAGE; ++number) {
    Denial one = denial(static_cast<diglim_reason>(number), "/usr/sbin/sshd");
    one.path_cut = true;
    Facts facts;
    facts.path = one.path;
    EXPECT_THAT(all(explain(&one, facts)), Not(HasSubstr("/usr/sbin/sshd"))) << number;
  }
  Denial one = denial(DIGLIM_REASON_UNKNOWN, "/usr/sbin/sshd");
  one.path_cut = true;
  EXPECT_EQ(explain(&one, Facts()).id, "unknown/path-cut");
  EXPECT_THAT(explain(&one, Facts()).meaning, HasSubstr("only the end of its path"));
}

TEST(Explain, AFileAboveFourGiB) {
  const Denial one = denial(DIGLIM_REASON_UNKNOWN);
  Facts facts = file(Cause::kNone);
  facts.digest.clear();
  facts.too_large = true;
  EXPECT_EQ(explain(&one, facts).id, "unknown/too-large");
  EXPECT_EQ(explain(&one, facts).command, "");
}

TEST(Explain, HowAChangedFileWasChanged) {
  const Denial one = denial(DIGLIM_REASON_UNKNOWN);
  Facts facts = file(Cause::kChanged);
  facts.package = "hello-2.0-1.x86_64";
  facts.size = 900;
  facts.shipped_size = 1000;
  facts.elf = Elf{62, 64, false, true, false, false, {}};
  EXPECT_THAT(all(explain(&one, facts)),
              HasSubstr("no symbols and is 100 bytes shorter than what was shipped"));
  facts.size = 1100;
  EXPECT_THAT(all(explain(&one, facts)), Not(HasSubstr("strip(1)")));
  facts.elf->prelinked = true;
  EXPECT_THAT(all(explain(&one, facts)), HasSubstr("It was prelinked"));
  facts.elf.reset();
  facts.tool = "Ansible";
  facts.written_at = 1;
  EXPECT_THAT(all(explain(&one, facts)), HasSubstr("Its first lines say that Ansible wrote it"));
  EXPECT_THAT(all(explain(&one, facts)), HasSubstr("It was last written at 19"));
  // Of what no package ships nobody knows what it was before.
  facts.verdict.cause = Cause::kForeign;
  EXPECT_THAT(all(explain(&one, facts)), Not(HasSubstr("Ansible")));
}

TEST(Explain, AProgramForAnotherMachine) {
  const Denial one = denial(DIGLIM_REASON_UNKNOWN);
  Facts facts = file(Cause::kForeign);
  facts.elf = Elf{183, 64, false, true, true, false, {}};
  facts.machine = "x86_64";
  EXPECT_THAT(explain(&one, facts).what,
              Contains("It is a program for AArch64, 64 bit, and this machine is x86_64: "
                       "it runs by an emulator only, whatever is allowed. Without one the kernel says "
                       "\"Exec format error\"."));
  EXPECT_EQ(explain(&one, facts).command, "");
  EXPECT_EQ(explain(&one, facts).meaning,
            "get the program that was made for x86_64; for an emulator (qemu-user): diglim allow /usr/bin/x");
  EXPECT_TRUE(cannot_start(facts));
  Facts allowed = facts;
  allowed.verdict.cause = Cause::kNone;
  allowed.list = "0-file_list-compact-allow-x";
  EXPECT_EQ(explain(&one, allowed).command, "");
  EXPECT_THAT(explain(&one, allowed).meaning, HasSubstr("does not deny it any more"));
  // What its package shipped is the right one.
  Facts changed = facts;
  changed.verdict.cause = Cause::kChanged;
  changed.package = "x-1-1.x86_64";
  EXPECT_EQ(explain(&one, changed).command, "dnf reinstall x");
  facts.machine = "aarch64";
  EXPECT_THAT(all(explain(&one, facts)), Not(HasSubstr("emulator")));
  EXPECT_EQ(explain(&one, facts).command, "diglim allow /usr/bin/x");
  EXPECT_FALSE(cannot_start(facts));
}

TEST(Explain, AScriptOfAnUnknownInterpreter) {
  const Denial one = denial(DIGLIM_REASON_UNKNOWN);
  Facts facts = file(Cause::kNone);
  facts.interpreter = "/opt/p y";
  EXPECT_THAT(all(explain(&one, facts)), Not(HasSubstr("interpreter")));
  facts.interpreter_cause = Cause::kForeign;
  EXPECT_THAT(all(explain(&one, facts)), HasSubstr("/opt/p y would be denied, too"));
  EXPECT_THAT(all(explain(&one, facts)), HasSubstr("diglim explain '/opt/p y'"));
  EXPECT_FALSE(cannot_start(facts));
  facts.interpreter_missing = true;
  EXPECT_TRUE(cannot_start(facts));
  EXPECT_THAT(all(explain(&one, facts)), HasSubstr("Its interpreter /opt/p y is not there"));
}

TEST(Explain, ALibraryOfAProgramThatSaidLess) {
  Denial one = denial(DIGLIM_REASON_UNKNOWN, "/opt/lib/libx.so.1");
  one.command = "cat";
  EXPECT_THAT(all(explain(&one, file(Cause::kForeign, one.path))), Not(HasSubstr("shared object")));
  one.what = "mmap";
  EXPECT_THAT(all(explain(&one, file(Cause::kForeign, one.path))), HasSubstr("cat was let through"));
}

// What EPERM of a debugger means.
TEST(Explain, AnAttemptOnDiglimIsExplainedByWhatWasTried) {
  Denial one = denial(DIGLIM_REASON_PROTECTED, "");
  one.what = "trace DIGLIM";
  const Explanation why = explain(&one, Facts());
  EXPECT_EQ(why.id, "protected");
  EXPECT_THAT(all(why), HasSubstr("lldb -p"));
  EXPECT_EQ(why.command, "ps -fp 12");
  one.what = "switch off ftrace";
  EXPECT_THAT(explain(&one, Facts()).command, HasSubstr("grep -rs ftrace_enabled"));
  one.what = "something of a later version";
  EXPECT_FALSE(explain(&one, Facts()).what.front().empty());
}

TEST(Explain, NameOfPackage) {
  EXPECT_EQ(name_of_package("a-b-1.0-2.noarch"), "a-b");
  EXPECT_EQ(name_of_package("a"), "a");
  EXPECT_EQ(name_of_package(""), "");
}

}  // namespace
}  // namespace diglim::explain
