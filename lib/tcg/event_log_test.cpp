// SPDX-License-Identifier: Apache-2.0
#include "lib/tcg/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/base64.h"
#include "lib/tcg/event_log_test_data.h"

namespace diglim {
namespace {

using testing::HasSubstr;

// A header that declares SHA-1 and SHA-256.
Bytes header() {
  Bytes spec = to_bytes(as_bytes(std::string_view("Spec ID Event03\0", 16)));
  put_u32_le(spec, 0);
  put_u32_le(spec, 0x02000200);
  put_u32_le(spec, 2);
  for (uint32_t value : {0x00140004u, 0x0020000bu}) put_u32_le(spec, value);  // algorithm, size
  spec.push_back(0);
  Bytes log;
  put_u32_le(log, 0);
  put_u32_le(log, 3);
  log.resize(log.size() + 20);
  put_u32_le(log, static_cast<uint32_t>(spec.size()));
  append(log, spec);
  return log;
}

Bytes event(uint32_t pcr, uint32_t type, ByteView data, bool with_sha256 = true) {
  Bytes out;
  put_u32_le(out, pcr);
  put_u32_le(out, type);
  put_u32_le(out, with_sha256 ? 2 : 1);
  put_u16_le(out, 0x0004);
  out.resize(out.size() + 20, 0x11);
  if (with_sha256) {
    put_u16_le(out, 0x000b);
    out.resize(out.size() + 32, 0x22);
  }
  put_u32_le(out, static_cast<uint32_t>(data.size()));
  append(out, data);
  return out;
}

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) append(out, part);
  return out;
}

Bytes startup_locality(uint8_t locality) {
  Bytes data = to_bytes(as_bytes(std::string_view("StartupLocality\0", 16)));
  data.push_back(locality);
  return data;
}

std::string reading_error(const Bytes& log, HashAlgo algo = HashAlgo::kSha256) {
  const auto bank = replay_event_log(log, algo);
  return bank ? "accepted" : bank.error().message;
}

constexpr uint32_t kNoAction = 3;
constexpr uint32_t kIpl = 13;

TEST(EventLog, ReplaysARealLogToTheTpmsValues) {
  const auto log = from_base64(kSeabiosLog_base64);
  ASSERT_TRUE(log);
  const auto sha256 = replay_event_log(*log, HashAlgo::kSha256);
  ASSERT_TRUE(sha256) << sha256.error().message;
  const auto sha1 = replay_event_log(*log, HashAlgo::kSha1);
  ASSERT_TRUE(sha1) << sha1.error().message;
  for (unsigned pcr = 0; pcr < 8; ++pcr) {
    EXPECT_EQ(to_hex(sha256->value(pcr)), kSeabiosSha256[pcr]) << pcr;
    EXPECT_EQ(to_hex(sha1->value(pcr)), kSeabiosSha1[pcr]) << pcr;
  }
  EXPECT_EQ(sha256->value(8), Bytes(32, 0));
  EXPECT_EQ(to_hex(*boot_aggregate(*sha256)), kSeabiosBootAggregate);
}

TEST(EventLog, EveryTruncationThatCutsAnEventIsRefused) {
  const Bytes one = joined({header(), event(4, kIpl, as_bytes("kernel"))});
  EXPECT_EQ(reading_error(one), "accepted");
  for (size_t size = 0; size < one.size(); ++size) {
    if (size == header().size()) continue;  // a log without events
    EXPECT_NE(reading_error(Bytes(one.begin(), one.begin() + static_cast<ptrdiff_t>(size))), "accepted");
  }
}

TEST(EventLog, StartupLocalityIsTheFirstValue) {
  const auto bank =
      replay_event_log(joined({header(), event(0, kNoAction, startup_locality(3))}), HashAlgo::kSha256);
  ASSERT_TRUE(bank) << bank.error().message;
  Bytes expected(32, 0);
  expected.back() = 3;
  EXPECT_EQ(bank->value(0), expected);
  EXPECT_THAT(reading_error(joined({header(), event(0, kNoAction, startup_locality(5))})),
              HasSubstr("locality above 4"));
  EXPECT_THAT(reading_error(joined({header(), event(0, kIpl, {}), event(0, kNoAction, startup_locality(3))})),
              HasSubstr("after an event of PCR 0"));
}

TEST(EventLog, NoActionExtendsNothing) {
  const auto bank =
      replay_event_log(joined({header(), event(7, kNoAction, as_bytes("x"))}), HashAlgo::kSha256);
  ASSERT_TRUE(bank);
  EXPECT_EQ(bank->value(7), Bytes(32, 0));
}

TEST(EventLog, SaysWhatIsWrong) {
  EXPECT_THAT(reading_error(Bytes(32, 0)), HasSubstr("TPM 1.2"));
  EXPECT_THAT(reading_error(header(), HashAlgo::kSha512), HasSubstr("without sha512 digests"));
  EXPECT_THAT(reading_error(joined({header(), event(24, kIpl, {})})), HasSubstr("no PCR 24"));
  EXPECT_THAT(reading_error(joined({header(), event(4, kIpl, {}, false)})),
              HasSubstr("without a sha256 digest"));
  Bytes log = joined({header(), event(4, kIpl, {})});
  const size_t count_at = header().size() + 8;
  log[count_at] = 3;
  EXPECT_THAT(reading_error(log), HasSubstr("more digests than algorithms"));
  log[count_at] = 2;
  log[count_at + 4] = 0x0c;
  EXPECT_THAT(reading_error(log), HasSubstr("was not declared"));
  log[count_at + 4] = 0x0b;  // the 20 bytes are then read as the first of 32
  EXPECT_NE(reading_error(log), "accepted");
  Bytes bad_header = header();
  bad_header[32 + 16 + 8] = 0;  // number of algorithms
  EXPECT_THAT(reading_error(bad_header), HasSubstr("0 hash algorithms"));
  bad_header[32 + 16 + 8] = 2;
  bad_header[32 + 16 + 12 + 2] = 21;
  EXPECT_THAT(reading_error(bad_header), HasSubstr("wrong size of a digest"));
}

}  // namespace
}  // namespace diglim
