// SPDX-License-Identifier: Apache-2.0
#include "lib/monitor/statement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bpf/abi.h"
#include "lib/cms/appended_signature.h"
#include "lib/cms/cms_sign.h"
#include "lib/cms/cms_test_keys.h"
#include "lib/digest_list/compact.h"
#include "lib/digest_list/digest_list.h"

namespace diglim {
namespace {

using testing::HasSubstr;

MonitorStatement example() {
  return {"0f3a9c0e-1111-4222-8333-abcdefabcdef", 2, 1800, 7200, "ticket 42: no login"};
}

constexpr std::string_view kText =
    "diglim-monitor 1\nboot 0f3a9c0e-1111-4222-8333-abcdefabcdef\nnumber 2\nseconds 1800\nbefore 7200\n"
    "reason ticket 42: no login\nend\n";

std::string error_of(std::string_view text) {
  const auto read = read_monitor_statement(as_bytes(text));
  return read ? "" : read.error().message;
}

TEST(MonitorStatement, IsThisText) {
  EXPECT_EQ(as_text(*write_monitor_statement(example())), kText);
  const auto read = read_monitor_statement(as_bytes(kText));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, example());
}

TEST(MonitorStatement, HasOneSpelling) {
  for (size_t i = 0; i < kText.size(); ++i)
    EXPECT_NE(error_of(std::string(kText).substr(0, i)), "") << "cut after " << i;
  EXPECT_NE(error_of(std::string(kText) + "\n"), "");
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"monitor 1", "monitor 2"},
                                                        {"number 2", "number 02"},
                                                        {"number 2", "number 0"},
                                                        {"number 2", "number +2"},
                                                        {"number 2", "number"},
                                                        {"1800", "18000000000000000000"},
                                                        {"before 7200", "before "},
                                                        {"reason ", "reason  "},
                                                        {"login\n", "login \n"},
                                                        {"end\n", "end\r\n"},
                                                        {"seconds 1800\n", "seconds 1800\nseconds 1800\n"},
                                                        {"boot 0", "boot /"},
                                                        {"login", "log\\in"},
                                                        {"login", "log\tin"}}) {
    std::string text(kText);
    text.replace(text.find(from), from.size(), to);
    EXPECT_NE(error_of(text), "") << text;
  }
  std::string nul(kText);
  nul[nul.find("login")] = '\0';
  EXPECT_NE(error_of(nul), "");
}

TEST(MonitorStatement, HasLimits) {
  MonitorStatement statement = example();
  statement.seconds = DIGLIM_MONITOR_SECONDS;
  statement.reason = std::string(DIGLIM_MONITOR_REASON, 'x');
  EXPECT_TRUE(read_monitor_statement(*write_monitor_statement(statement)));
  ++statement.seconds;
  EXPECT_THAT(write_monitor_statement(statement).error().message, HasSubstr("28800 seconds, not 28801"));
  EXPECT_THAT(error_of([] {
                std::string text(kText);
                return text.replace(text.find("1800"), 4, "28801");
              }()),
              HasSubstr("28801"));
  statement.seconds = 0;
  EXPECT_FALSE(write_monitor_statement(statement));
  EXPECT_FALSE(check_monitor_reason(std::string(DIGLIM_MONITOR_REASON + 1, 'x')));
  EXPECT_FALSE(check_monitor_reason(""));
  EXPECT_FALSE(check_monitor_reason("\xc3\xa4"));
}

class SignedStatement : public testing::Test {
 protected:
  SignedStatement() {
    keys_.make("good", "P-256");
    keys_.make("other", "P-256");
    keys_.run("mkdir trusted && cp good.pem trusted");
  }
  TrustStore trust() { return TrustStore::from_folder(keys_.path("trusted"), {}).value(); }
  Bytes sign(ByteView content, const std::string& by) {
    const auto signature = sign_cms(content, keys_.key(by), keys_.certificate_file(by));
    return append_signature(content, signature.value(), SignatureType::kPkcs7);
  }
  TestKeys keys_;
};

TEST_F(SignedStatement, CountsByATrustedKeyOnly) {
  Bytes file = sign(as_bytes(kText), "good");
  const auto verified = verify_monitor_statement(file, trust());
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_EQ(verified->statement, example());
  EXPECT_THAT(verified->signer, HasSubstr("CN=good"));

  EXPECT_EQ(verify_monitor_statement(sign(as_bytes(kText), "other"), trust()).error().code,
            ErrorCode::kUntrusted);
  EXPECT_EQ(verify_monitor_statement(as_bytes(kText), trust()).error().code, ErrorCode::kUntrusted);
  file[kText.find("1800")] = '2';
  EXPECT_EQ(verify_monitor_statement(file, trust()).error().code, ErrorCode::kUntrusted);
}

// The same key signs both.
TEST_F(SignedStatement, IsNoListAndNoListIsOne) {
  EXPECT_FALSE(verify_digest_list(sign(as_bytes(kText), "good"), trust()));
  const Bytes list = sign(write_compact(HashAlgo::kSha256, Bytes(32, 0xab)), "good");
  ASSERT_TRUE(verify_digest_list(list, trust()));
  EXPECT_EQ(verify_monitor_statement(list, trust()).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace diglim
