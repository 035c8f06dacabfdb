// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/scan/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace diglim::scan {
namespace {

using known::Cause;
using testing::HasSubstr;
using testing::Not;

std::string raw(char c) {
  return std::string(32, c);
}

// One file known, one changed, two foreign, one of which has an ugly name.
Report make() {
  known::System system;
  system.sources = {"list"};
  system.digests = {{raw('g'), 0}};
  system.packages = {{"hello-1-1.noarch", Cause::kNone, ""},
                     {"bad-1-1.noarch", Cause::kUntrusted, "no trusted key"}};
  system.shipped["/usr/bin/hello"] = {0, HashAlgo::kSha256, raw('h'), false};
  system.shipped["/usr/bin/bad"] = {1, HashAlgo::kSha256, raw('b'), false};
  system.notes = {"a note"};
  Found found;
  found.files = {{"/opt/a/b/c/<script>\n\xff\x1b", Kind::kOther, raw('x'), ""},
                 {"/opt/a/b/d/e", Kind::kScript, raw('y'), ""},
                 {"/usr/bin/bad", Kind::kProgram, raw('b'), ""},
                 {"/usr/bin/good", Kind::kProgram, raw('g'), ""},
                 {"/usr/bin/hello", Kind::kProgram, raw('x'), ""}};
  Report report = make_report(system, std::move(found));
  report.root = "/";
  return report;
}

TEST(ScanReport, CountsAndGroups) {
  const Report report = make();
  EXPECT_EQ(report.files, 5u);
  EXPECT_EQ(report.known, 1u);
  EXPECT_EQ(count_of(report, Cause::kChanged), 1u);
  EXPECT_EQ(count_of(report, Cause::kForeign), 2u);
  ASSERT_EQ(by_package(report, Cause::kChanged).size(), 1u);
  EXPECT_EQ(by_package(report, Cause::kChanged)[0].name, "hello-1-1.noarch");
  ASSERT_EQ(by_directory(report, Cause::kForeign).size(), 1u);
  EXPECT_EQ(by_directory(report, Cause::kForeign)[0].name, "/opt/a/b");
  EXPECT_EQ(by_directory(report)[1].name, "/usr/bin");
  EXPECT_EQ(exit_status(report), 1);
}

TEST(ScanReport, ExitStatus) {
  Report report;
  EXPECT_EQ(exit_status(report), 0);
  report.denied.push_back({"/x", Kind::kOther, Cause::kUnreadable, "", "", "open /x: Permission denied"});
  EXPECT_EQ(exit_status(report), 3);
  report.refused.push_back({"/nfs", "nfs"});
  EXPECT_EQ(exit_status(report), 1);
}

TEST(ScanReport, WhatIsTooLargeIsDenied) {
  Found found;
  found.files = {{"/opt/large", Kind::kProgram, "", ""}};
  const Report report = make_report({}, std::move(found));
  EXPECT_EQ(exit_status(report), 1);
  EXPECT_THAT(to_text(report, false),
              HasSubstr("1 larger than 4 GiB, which are never known\n         1  /opt: /opt/large\n"));
}

TEST(ScanReport, TextIsEscapedAndSaysWhatToDo) {
  const Report report = make();
  const std::string text = to_text(report, false);
  EXPECT_THAT(text, HasSubstr("/: 5 files that can run, be mapped or loaded: 1 known, 4 would be denied\n"));
  EXPECT_THAT(text, HasSubstr("  note: a note\n"));
  EXPECT_THAT(text, HasSubstr("1 changed since the package that ships it was installed\n"));
  EXPECT_THAT(text, HasSubstr("hello-1-1.noarch: /usr/bin/hello\n"));
  EXPECT_THAT(text, HasSubstr("diglim key add KEY"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(to_text(report, true), HasSubstr("    /opt/a/b/c/<script>\\n\\xff\\x1b\n"));
}

TEST(ScanReport, JsonIsValidWhateverTheNames) {
  const auto json = nlohmann::json::parse(to_json(make()));
  EXPECT_EQ(json["known"], 1);
  EXPECT_EQ(json["denied"].size(), 4u);
  EXPECT_EQ(json["denied"][0]["path"], "/opt/a/b/c/<script>\n\xef\xbf\xbd\x1b");
  EXPECT_EQ(json["denied"][0]["path_hex"], to_hex(as_bytes("/opt/a/b/c/<script>\n\xff\x1b")));
  EXPECT_FALSE(json["denied"][1].contains("path_hex"));
  EXPECT_EQ(json["denied"][2]["cause"], "untrusted");
  EXPECT_EQ(json["denied"][2]["why"], "no trusted key");
  EXPECT_EQ(json["causes"][0]["packages"][0]["name"], "hello-1-1.noarch");
}

TEST(ScanReport, HtmlIsOnePageWithoutScript) {
  const std::string page = to_html(make());
  EXPECT_THAT(page, HasSubstr("/opt/a/b/c/&lt;script&gt;\\n\\xff\\x1b"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("http://")));
  EXPECT_THAT(page, Not(HasSubstr("https://")));
  EXPECT_THAT(page, HasSubstr("<svg"));
  EXPECT_THAT(page, HasSubstr("4 would be denied"));
}

TEST(ScanReport, TheMapCoversItsAreaWhateverTheCounts) {
  Report report;
  for (int i = 0; i < 200; ++i)
    for (int j = 0; j <= i % 9; ++j)
      report.denied.push_back(
          {"/d" + std::to_string(i) + "/f", Kind::kOther, Cause::kForeign, "", raw('x'), ""});
  const std::string page = to_html(report);
  size_t boxes = 0;
  double area = 0;
  for (size_t at = page.find("<rect"); at != std::string::npos; at = page.find("<rect", at + 1)) {
    double x = 0, y = 0, width = 0, height = 0;
    ASSERT_EQ(sscanf(page.c_str() + at, "<rect x=\"%lf\" y=\"%lf\" width=\"%lf\" height=\"%lf\"", &x, &y,
                     &width, &height),
              4);
    EXPECT_GT(width, 0);
    EXPECT_GT(height, 0);
    area += width * height;
    ++boxes;
  }
  EXPECT_EQ(boxes, 60u);
  EXPECT_NEAR(area, 960 * 260, 960 * 260 * 0.01);
}

}  // namespace
}  // namespace diglim::scan
