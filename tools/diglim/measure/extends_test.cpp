// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/measure/extends.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/base64.h"
#include "lib/tcg/event_log_test_data.h"

namespace diglim {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string record(unsigned pcr, const std::string& algo = "sha256") {
  return "\x1e{\"pcr\":" + std::to_string(pcr) + ",\"digests\":[{\"hashAlg\":\"sha1\",\"digest\":\"" +
         std::string(40, '1') + "\"},{\"hashAlg\":\"" + algo + "\",\"digest\":\"" + std::string(64, '2') +
         "\"}],\"content_type\":\"systemd\",\"content\":{\"eventType\":\"phase\",\"string\":\"enter-initrd\"}"
         "}\n";
}

TEST(FirmwareExtends, NameTypeAndText) {
  const auto log = from_base64(kSeabiosLog_base64);
  ASSERT_TRUE(log);
  const auto extends = firmware_extends(*log, HashAlgo::kSha256);
  ASSERT_TRUE(extends);
  ASSERT_FALSE(extends->empty());
  PcrBank bank(HashAlgo::kSha256);
  for (const Extend& extend : *extends) ASSERT_TRUE(bank.extend(extend.pcr, extend.digest));
  EXPECT_EQ(to_hex(bank.value(4)), kSeabiosSha256[4]);
  bool seen = false;
  for (const Extend& extend : *extends)
    seen = seen || (extend.pcr == 4 && extend.who == "the firmware" &&
                    extend.what == "EV_ACTION \"Calling INT 19h\"");
  EXPECT_TRUE(seen);
}

TEST(SystemdExtends, AreRead) {
  const auto extends = systemd_extends(record(11) + record(15), HashAlgo::kSha256);
  ASSERT_TRUE(extends);
  ASSERT_EQ(extends->size(), 2u);
  EXPECT_EQ(extends->at(0).pcr, 11u);
  EXPECT_EQ(to_hex(extends->at(0).digest), std::string(64, '2'));
  EXPECT_EQ(extends->at(0).what, "phase \"enter-initrd\"");
  EXPECT_EQ(extends->at(1).pcr, 15u);
}

TEST(SystemdExtends, OfOtherBanksAndOfNvIndexesArePassedOver) {
  const std::string nv = "\x1e{\"nv_index\":25165824,\"digests\":[]}\n";
  const auto extends = systemd_extends(nv + record(11, "sha512"), HashAlgo::kSha256);
  ASSERT_TRUE(extends);
  EXPECT_THAT(*extends, IsEmpty());
  EXPECT_THAT(*systemd_extends("", HashAlgo::kSha256), IsEmpty());
}

// `diglim pcr pcrlock` appends what IMA measured.
TEST(SystemdExtends, OursAreNoneOfSystemd) {
  std::string ours = record(12);
  ours.replace(ours.find("\"systemd\""), 9, "\"diglim\"");
  const auto extends = systemd_extends(ours + record(11), HashAlgo::kSha256);
  ASSERT_TRUE(extends);
  ASSERT_EQ(extends->size(), 1u);
  EXPECT_EQ(extends->at(0).pcr, 11u);
}

TEST(SystemdExtends, RefusesWhatIsNoSuchLog) {
  for (const std::string text :
       {"\x1e[]", "\x1e{", "\x1e{\"pcr\":24,\"digests\":[]}", "\x1e{\"pcr\":-1,\"digests\":[]}",
        "\x1e{\"pcr\":11}", "\x1e{\"pcr\":11,\"digests\":[{\"hashAlg\":\"sha256\",\"digest\":\"x\"}]}"}) {
    const auto extends = systemd_extends(text, HashAlgo::kSha256);
    ASSERT_FALSE(extends) << text;
    EXPECT_THAT(extends.error().message, HasSubstr("record 1"));
  }
}

}  // namespace
}  // namespace diglim
