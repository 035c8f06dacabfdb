// SPDX-License-Identifier: Apache-2.0
#include "lib/revocation/deny_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diglim {
namespace {

using testing::HasSubstr;

const std::string kFingerprint = "openpgp:" + std::string(40, 'a');

// The text itself is the contract, so it is spelled out.
const std::string kText =
    "diglim-deny-list 1\nname local\nserial 7\ndigest sha256:" + std::string(64, '1') +
    " 1764190000 found in a build\npackage openssl 1:3.0.11-1 1764190000 CVE-2026-0001\nkey x509:" +
    std::string(64, '2') + " 1764190000 lost\nkey-window " + kFingerprint +
    " 1760000000 1761000000 1764190000 not ours\nend\n";

Result<DenyList> read(std::string_view text) {
  return read_deny_list(as_bytes(text));
}

std::string replaced(std::string_view what, std::string_view by) {
  std::string text = kText;
  return text.replace(text.find(what), what.size(), by);
}

TEST(DenyList, ReadsWhatItWrites) {
  const auto list = read(kText);
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->name, "local");
  EXPECT_EQ(list->serial, 7u);
  ASSERT_EQ(list->denials.size(), 4u);
  EXPECT_EQ(list->denials[0].digest, Bytes(32, 0x11));
  EXPECT_EQ(list->denials[1].below, "1:3.0.11-1");
  EXPECT_EQ(list->denials[2].to, 0u);
  EXPECT_EQ(list->denials[3].from, 1760000000u);
  EXPECT_EQ(list->denials[3].reason, "not ours");
  EXPECT_EQ(as_text(*write_deny_list(*list)), kText);
}

TEST(DenyList, SaysWhatItDeniesForPeople) {
  const auto list = read(kText);
  ASSERT_TRUE(list);
  EXPECT_EQ(revoked_text(list->denials[1]),
            "revoked since 2025-11-26, because CVE-2026-0001 (packages openssl below 1:3.0.11-1)");
  EXPECT_THAT(describe_denial(list->denials[3]), HasSubstr("signed from 2025-10-09 until 2025-10-20"));
}

TEST(DenyList, TakesNothingElse) {
  const std::pair<std::string, std::string> kWrong[] = {
      {"diglim-deny-list 1", "diglim-deny-list 2"},
      {"diglim-deny-list 1", "diglim-manifest 1"},
      {"name local", "name Local"},
      {"name local", "name ../local"},
      {"name local\n", ""},
      {"serial 7", "serial 0"},
      {"serial 7", "serial 07"},
      {"serial 7", "serial 9223372036854775808"},
      {"serial 7", "serial -7"},
      {"serial 7", "serial 7 "},
      {"sha256:1", "sha256:"},
      {"sha256:1", "sha256:A"},
      {"sha256:1", "sha512:1"},
      {"sha256:1", "none:1"},
      {" found in a build", ""},
      {" found in a build", " "},
      {"found in", "found\tin"},
      {"openssl 1:3", "openssl  1:3"},
      {"x509:2", "x509:"},
      {"key x509:2", "key ssh:2"},
      {"1760000000 1761000000", "1761000000 1760000000"},
      {"1760000000 1761000000", "1760000000 1760000000"},
      {"key-window " + kFingerprint, "key-window x509:" + std::string(64, '3')},
      {"key-window", "keys-window"},
      {"end\n", "end"},
      {"end\n", "end\n\n"},
      {"end\n", ""},
      {"\nend\n", "\nend \n"},
  };
  for (const auto& [what, by] : kWrong) EXPECT_FALSE(read(replaced(what, by))) << what << " -> " << by;
  for (size_t size = 0; size < kText.size(); ++size) EXPECT_FALSE(read(kText.substr(0, size))) << size;
  EXPECT_EQ(read(replaced("diglim-deny-list 1", "diglim-deny-list 2")).error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(read(replaced("package", "packet")).error().message, HasSubstr("offset "));
}

TEST(DenyList, WritesNothingThatItWouldNotRead) {
  DenyList list = *read(kText);
  list.denials[0].reason = "two\nlines";
  EXPECT_FALSE(write_deny_list(list));
  list = *read(kText);
  list.denials[1].package = "open ssl";
  EXPECT_FALSE(write_deny_list(list));
  list = *read(kText);
  list.denials[0].digest.pop_back();
  EXPECT_FALSE(write_deny_list(list));
  list = *read(kText);
  list.serial = 0;
  EXPECT_FALSE(write_deny_list(list));
  list = *read(kText);
  for (int i = 0; i < 30000; ++i) list.denials.push_back(list.denials[1]);
  EXPECT_FALSE(write_deny_list(list));
}

}  // namespace
}  // namespace diglim
