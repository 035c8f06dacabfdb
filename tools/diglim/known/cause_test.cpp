// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/known/cause.h"

#include <gtest/gtest.h>

#include <set>

namespace diglim::known {
namespace {

Bytes digest_of(char c) {
  return Bytes(32, static_cast<uint8_t>(c));
}
std::string raw(char c) {
  return std::string(32, c);
}

// One good package, and one of each kind that does not count; each ships one file.
System make_system() {
  System system;
  system.has_database = true;
  system.sources = {"0-file_list-rpm-good"};
  system.digests = {{raw('g'), 0}};
  const auto add = [&](const std::string& name, Cause cause, char digest, bool config = false,
                       std::optional<HashAlgo> algo = HashAlgo::kSha256) {
    const auto index = static_cast<uint32_t>(system.packages.size());
    system.packages.push_back({name, cause, ""});
    system.shipped["/usr/bin/" + name] = {index, algo, raw(digest), config};
    if (cause != Cause::kNone) system.of_bad[raw(digest)] = index;
  };
  add("good", Cause::kNone, 'g');
  add("config", Cause::kNone, 'c', true);
  add("unsigned", Cause::kUnsigned, 'u');
  add("untrusted", Cause::kUntrusted, 't');
  add("missing", Cause::kNoList, 'm');
  add("old", Cause::kNone, '5', false, HashAlgo::kMd5);
  add("old-unsigned", Cause::kUnsigned, '6', false, std::nullopt);
  return system;
}

TEST(Cause, WhatAListHasIsKnownWhereverItLies) {
  const System system = make_system();
  EXPECT_EQ(judge(system, "/usr/bin/good", digest_of('g')).cause, Cause::kNone);
  const Verdict copy = judge(system, "/home/x", digest_of('g'));
  EXPECT_EQ(copy.cause, Cause::kNone);
  EXPECT_EQ(copy.source, 0u);
  EXPECT_EQ(judge(system, "/usr/bin/unsigned", digest_of('g')).cause, Cause::kNone);
}

TEST(Cause, ChangedIsSaidOfThePackageThatShipsThePath) {
  const System system = make_system();
  const Verdict changed = judge(system, "/usr/bin/good", digest_of('x'));
  EXPECT_EQ(changed.cause, Cause::kChanged);
  EXPECT_EQ(changed.package, 0u);
  EXPECT_EQ(judge(system, "/usr/bin/config", digest_of('x')).cause, Cause::kConfigChanged);
  EXPECT_EQ(judge(system, "/usr/bin/unsigned", digest_of('x')).cause, Cause::kChanged);
}

TEST(Cause, APackageThatDoesNotCountIsTheCause) {
  const System system = make_system();
  EXPECT_EQ(judge(system, "/usr/bin/unsigned", digest_of('u')).cause, Cause::kUnsigned);
  EXPECT_EQ(judge(system, "/usr/bin/untrusted", digest_of('t')).cause, Cause::kUntrusted);
  EXPECT_EQ(judge(system, "/usr/bin/missing", digest_of('m')).cause, Cause::kNoList);
  EXPECT_EQ(judge(system, "/root/copy", digest_of('t')).cause, Cause::kUntrusted);
  EXPECT_EQ(judge(system, "/root/copy", digest_of('t')).package, 3u);
}

TEST(Cause, ADigestOfAnotherAlgorithmCannotBeCompared) {
  const System system = make_system();
  EXPECT_EQ(judge(system, "/usr/bin/old", digest_of('x')).cause, Cause::kAlgorithm);
  EXPECT_EQ(judge(system, "/usr/bin/old-unsigned", digest_of('x')).cause, Cause::kUnsigned);
}

TEST(Cause, NobodysFileAndGhosts) {
  System system = make_system();
  EXPECT_EQ(judge(system, "/root/x", digest_of('x')).cause, Cause::kForeign);
  EXPECT_FALSE(judge(system, "/root/x", digest_of('x')).package);
  system.shipped["/run/ghost"] = {0, std::nullopt, "", false};
  EXPECT_EQ(judge(system, "/run/ghost", digest_of('x')).cause, Cause::kForeign);
  EXPECT_EQ(judge(system, "/run/ghost", digest_of('x')).package, 0u);
}

TEST(Cause, EachHasWords) {
  std::set<std::string_view> ids;
  for (size_t i = 0; i < kCauses; ++i) {
    const CauseWords& words = cause_words(static_cast<Cause>(i));
    EXPECT_FALSE(words.title.empty());
    EXPECT_EQ(words.next.empty(), i == 0);
    EXPECT_TRUE(ids.insert(words.id).second) << words.id;
  }
}

}  // namespace
}  // namespace diglim::known
