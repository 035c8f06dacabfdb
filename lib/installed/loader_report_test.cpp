// SPDX-License-Identifier: Apache-2.0
#include "lib/installed/loader_report.h"

#include <gtest/gtest.h>

namespace diglim {
namespace {

using Lines = std::vector<std::string>;
const std::string kSync = "diglim-loader sync: ";
const std::string kP = "0-file_list-rpm-";
const std::string kAdvice =
    "; to trust a key: diglim key add KEY (see: diglim key list), reboot (in force: diglim-loader status)";

std::string left_out(const std::string& package, const std::string& reason) {
  return kSync + "left out ./" + kP + package + ": " + reason + kAdvice;
}
std::string by(const std::string& id) {
  return "RSA/SHA256 " + id + ": no trusted key has this id";
}
std::string uncounted(const std::string& package) {
  return kSync + "./" + kP + package +
         ": 3 of its files have no sha256 digest, which is all that this kernel uses; they will be denied: "
         "rebuild the package, or allow them with compact_gen";
}

Lines report(const Lines& lines, const Lines& packages) {
  std::set<std::string> ours;
  for (const std::string& package : packages) ours.insert(kP + package);
  return report_lists(lines, ours,
                      {[](const std::string& id) { return id == "24c6a8a7f4a80eb5" ? "Vendor \n Key" : ""; },
                       [](const std::string& list) {
                         return list.ends_with("bare") ? "without digests" : "with md5 digests only";
                       }});
}

TEST(LoaderReport, OneLineForEachKey) {
  const std::string one = "24c6a8a7f4a80eb5";
  const std::string other = "0123456789abcdef";
  EXPECT_EQ(
      report({left_out("a", by(one)), left_out("b", by(other)), left_out("c", by(one) + "; " + by(other)),
              left_out("not-of-this-transaction", by(one))},
             {"a", "b", "c"}),
      (Lines{"b is signed by key 0123456789abcdef, which DIGLIM does not trust; its files will be denied. "
             "To trust it from the next boot on: diglim key add 0123456789abcdef",
             "2 packages are signed by key 24c6a8a7f4a80eb5 (Vendor \\n Key), which DIGLIM does not trust: "
             "a, c; their files will be denied. To trust it from the next boot on: diglim key add "
             "24c6a8a7f4a80eb5"}));
}

TEST(LoaderReport, ManyPackagesAreCounted) {
  Lines lines;
  Lines names;
  for (int i = 10; i < 30; ++i) {
    names.push_back("p" + std::to_string(i));
    lines.push_back(left_out(names.back(), by("0123456789abcdef")));
  }
  const Lines texts = report(lines, names);
  ASSERT_EQ(texts.size(), 1u);
  EXPECT_NE(texts[0].find("20 packages are signed by key 0123456789abcdef"), std::string::npos) << texts[0];
  EXPECT_NE(texts[0].find("trust: p10, p11, p12, p13, p14 and 15 more;"), std::string::npos) << texts[0];
}

// A key that is trusted would not help these.
TEST(LoaderReport, OtherReasonsComeAsTheyAre) {
  const std::string weak = "RSA/SHA1 24c6a8a7f4a80eb5: SHA1 signatures are not allowed";
  const std::string both = weak + "; " + by("0123456789abcdef");
  EXPECT_EQ(report({left_out("a", weak), left_out("b", both)}, {"a", "b"}),
            (Lines{kP + "a: " + weak + kAdvice, kP + "b: " + both + kAdvice}));
  Lines lines;
  for (int i = 0; i < 13; ++i) lines.push_back(left_out("a", weak));
  EXPECT_EQ(report(lines, {"a"}).size(), kMaxOtherLines + 1);
  EXPECT_EQ(report(lines, {"a"}).back(), "and 3 more; see: diglim-loader verify");
}

TEST(LoaderReport, DigestsThatDoNotCountOnceAKind) {
  EXPECT_EQ(
      report({uncounted("a"), uncounted("bare"), uncounted("c")}, {"a", "bare", "c"}),
      (Lines{"a, c list their files with md5 digests only, and this kernel uses sha256: they will be denied. "
             "Rebuild the packages, or allow single files: compact_gen -d /etc/digest_lists -i FILE",
             "bare lists its files without digests, and this kernel uses sha256: they will be denied. "
             "Rebuild the package, or allow single files: compact_gen -d /etc/digest_lists -i FILE"}));
}

TEST(LoaderReport, WhatIsNotOursIsNoNews) {
  EXPECT_EQ(report({left_out("b", by("0123456789abcdef")), "", "x"}, {"a"}), Lines{});
}

}  // namespace
}  // namespace diglim
