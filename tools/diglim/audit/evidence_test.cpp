// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/audit/evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diglim::audit {
namespace {

using testing::HasSubstr;

explain::LoggedDenial denial(const std::string& path, uint64_t at,
                             diglim_reason reason = DIGLIM_REASON_UNKNOWN) {
  explain::LoggedDenial one;
  one.denial.path = path;
  one.denial.reason = reason;
  one.time_us = at * 1'000'000;
  return one;
}

TEST(Evidence, DenialsAreCountedByReasonAndPackage) {
  explain::Log log;
  log.source = "the journal";
  log.denials = {denial("/a", 5), denial("/a", 11), denial("/b", 12), denial("/c", 13),
                 denial("/c", 14, DIGLIM_REASON_WRITER)};
  log.denials.back().denial.enforced = false;
  const Document all = denials(log, 10, true, [&](const explain::LoggedDenial& one) {
    return one.denial.path == "/c" ? Owner{} : Owner{"p-1-1.x86_64", false};
  });
  EXPECT_EQ(all["count"], 4);
  EXPECT_EQ(all["incomplete"], true);
  ASSERT_EQ(all["groups"].size(), 3u);
  uint64_t of_package = 0;
  for (const Document& group : all["groups"]) {
    if (group["package"] != "p-1-1.x86_64") continue;
    of_package = group["denials"];
    EXPECT_EQ(group["files"], 2);
    EXPECT_EQ(group["first"], 11);
    EXPECT_EQ(group["last"], 12);
    EXPECT_EQ(group["enforced"], 2);
  }
  EXPECT_EQ(of_package, 2u);
}

// An update took the place of what was denied: the new package had no part in that.
TEST(Evidence, AnOldDenialIsNotThatOfALaterPackage) {
  known::System system;
  system.packages = {{"p-2-1.x86_64", known::Cause::kNone, "", 100}};
  const std::string digest(32, 'd');
  system.shipped["/p"] = {0, HashAlgo::kSha256, digest, false, 1};
  explain::Log log;
  for (const uint64_t at : {50, 99, 100, 0}) log.denials.push_back(denial("/p", at));
  log.denials.push_back(denial("/p", 50));  // it lay there before the package was recorded
  log.denials.back().denial.digest = to_bytes(as_bytes(digest));
  log.denials.push_back(denial("/q", 50));
  for (explain::LoggedDenial& one : log.denials)
    if (one.denial.digest.empty()) one.denial.digest = Bytes(32, 'x');
  const Document all =
      denials(log, 0, false, [&](const explain::LoggedDenial& one) { return owner_of(system, one); });
  ASSERT_EQ(all["groups"].size(), 3u);
  uint64_t later = 0;
  uint64_t its_own = 0;
  for (const Document& group : all["groups"])
    if (group["package"] == "p-2-1.x86_64")
      (group["package_came_later"] == true ? later : its_own) = group["denials"];
  EXPECT_EQ(later, 2u);
  EXPECT_EQ(its_own, 3u);
  const std::string text = evidence_text({{"format", kEvidenceFormat}, {"denials", all}});
  EXPECT_THAT(
      text,
      HasSubstr("p-2-1.x86_64, which came later; of which one then, is not known: not on any digest list"));
  EXPECT_THAT(text, HasSubstr("of no installed package: "));
}

TEST(Evidence, TextIsPrintable) {
  const Document document = {
      {"format", kEvidenceFormat},
      {"host", {{"name", "h\n\x1b[2J"}, {"command_line", {"a\nb", 3}}}},
      {"exceptions", {{{"list", "l\nx"}, {"owner", "o\x1b"}, {"paths", {"p\nq"}}, {"until", 0}}}},
      {"deny_lists", {{{"name", "d\n"}, {"serial", 7}, {"entries", 2}, {"signer", "s"}}}},
      {"doctor", {{{"id", "x"}, {"level", "fail"}, {"what", "w\r"}, {"next", "n"}}}}};
  const std::string text = evidence_text(document);
  for (const char c : text) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << text;
  EXPECT_THAT(text, HasSubstr("l\\nx without an end"));
  EXPECT_THAT(text, HasSubstr("d\\n, serial 7, entries: 2, signed by s"));
  EXPECT_THAT(text, HasSubstr("owner: o\\x1b"));
  EXPECT_THAT(text, HasSubstr("to do: n"));
}

// A signed document of another hand: any shape is shown or left out, none ends the program.
TEST(Evidence, TextOfAnything) {
  for (const char* odd :
       {"{}", R"({"host":[],"mode":3,"keys":"k","doctor":{"a":1},"exceptions":[1,null,[]]})",
        R"({"made":-1,"lists":{"by_signer":[[],{}]},"denials":[],"tpm":"x","events":[1]})"}) {
    EXPECT_FALSE(evidence_text(Document::parse(odd)).empty()) << odd;
  }
}

}  // namespace
}  // namespace diglim::audit
