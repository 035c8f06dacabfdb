// SPDX-License-Identifier: Apache-2.0
#include "lib/tcg/ima_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/tcg/ima_event.h"

namespace diglim {
namespace {

using testing::HasSubstr;

// A log that Debian's 6.1 kernel wrote in the test VM, with the values that its TPM (swtpm) then showed.
const std::string_view kRealLog =
    "0a0000007bc63fcff2b5f329bf04b1820ccb5eb55c2be64907000000696d612d73696743000000280000007368613235363a007b"
    "6436b0"
    "c98f62380866d9432c2af0ee08ce16a171bda6951aecd95ee1307d610f000000626f6f745f616767726567617465000000000"
    "00c000000eed20534b7dbbfea47e31bd8c4ac690cf3928fea06000000696d612d6e673d000000280000007368613235363a003d9"
    "f2889d6"
    "782537624a4e1a10e68a2ddd53e0ee8bac02676f27308f42ec6bf60d0000002f62696e2f62757379626f7800"
    "0c00000019b88d14896fc4644ceadd4a0a96e5d3f36c64b207000000696d612d7369674b000000280000007368613235363a0058"
    "91b5b5"
    "22d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03170000002f72756e2f6469676c696d2f6d616e6966657374"
    "2e3100"
    "00000000"
    "0c00000020613f7067c45031efa6e483ac50ac685d2c854906000000696d612d6e6738000000280000007368613235363a003d9f"
    "2889d6"
    "782537624a4e1a10e68a2ddd53e0ee8bac02676f27308f42ec6bf6080000002f72756e2f6c7300";
constexpr char kRealPcr10[] = "37368ed5269259e70270568f02b0cba82dc26a2b1e70780b5cae2cc9eeb8d185";
constexpr char kRealPcr12[] = "8307cf599788e25b18f2647030c99f3cf4465dd4cbff973d2e6cf80c0a747835";

NewImaEvent event(const std::string& path, const std::string& template_name = "ima-ng") {
  NewImaEvent made;
  made.template_name = template_name;
  made.algo = template_name == "ima" ? HashAlgo::kSha1 : HashAlgo::kSha256;
  made.digest = Bytes(hash_size(made.algo), 0x77);
  made.path = path;
  return made;
}

Bytes entry(const NewImaEvent& made) {
  auto written = write_ima_event(made);
  EXPECT_TRUE(written) << written.error().message;
  return written ? *written : Bytes();
}

std::string reading_error(const Bytes& log) {
  const auto events = read_ima_log(log);
  return events ? "accepted" : events.error().message;
}

Bytes changed(Bytes log, size_t at, uint8_t by) {
  log.at(at) = by;
  return log;
}

TEST(ImaLog, ReplaysARealLogToTheTpmsValues) {
  const Bytes log = *from_hex(kRealLog);
  const auto events = read_ima_log(log);
  ASSERT_TRUE(events) << events.error().message;
  ASSERT_EQ(events->size(), 4u);
  EXPECT_EQ((*events)[0].path, "boot_aggregate");
  EXPECT_EQ((*events)[2].path, "/run/diglim/manifest.1");
  EXPECT_EQ((*events)[2].template_name, "ima-sig");
  EXPECT_EQ((*events)[2].algo, "sha256");
  EXPECT_EQ(to_hex((*events)[2].digest), "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
  EXPECT_FALSE((*events)[2].violation);
  PcrBank bank(HashAlgo::kSha256);
  ASSERT_TRUE(replay_ima_log(*events, bank));
  EXPECT_EQ(to_hex(bank.value(10)), kRealPcr10);
  EXPECT_EQ(to_hex(bank.value(12)), kRealPcr12);
}

TEST(ImaLog, WritesWhatTheKernelWrote) {
  const Bytes log = *from_hex(kRealLog);
  Bytes again;
  const auto events = read_ima_log(log);
  ASSERT_TRUE(events);
  for (const ImaEvent& read : *events) {
    NewImaEvent made;
    made.pcr = read.pcr;
    made.template_name = read.template_name;
    made.digest = to_bytes(read.digest);
    made.path = read.path;
    append(again, entry(made));
  }
  EXPECT_EQ(to_hex(again), kRealLog);
}

// The sum over 20 bytes of digest and the name in 256 bytes, which a kernel of before 2013 writes and evmctl
// checks.
TEST(ImaLog, TheOldTemplate) {
  const Bytes log = entry(event("/bin/ls", "ima"));
  const auto events = read_ima_log(log);
  ASSERT_TRUE(events) << events.error().message;
  EXPECT_EQ((*events)[0].path, "/bin/ls");
  Bytes hashed(20, 0x77);
  append(hashed, as_bytes("/bin/ls"));
  hashed.resize(20 + 256, 0);
  EXPECT_EQ(to_bytes((*events)[0].sha1), *hash(HashAlgo::kSha1, {hashed}));
  EXPECT_EQ(*template_digest((*events)[0], HashAlgo::kSha256), *hash(HashAlgo::kSha256, {hashed}));
}

TEST(ImaLog, AViolationExtendsOnes) {
  NewImaEvent made = event("/tmp/changing", "ima-sig");
  made.violation = true;
  const Bytes log = entry(made);
  const auto events = read_ima_log(log);
  ASSERT_TRUE(events) << events.error().message;
  EXPECT_TRUE((*events)[0].violation);
  EXPECT_EQ((*events)[0].path, "/tmp/changing");
  PcrBank bank(HashAlgo::kSha1);
  PcrBank expected(HashAlgo::kSha1);
  ASSERT_TRUE(replay_ima_log(*events, bank));
  ASSERT_TRUE(expected.extend(10, Bytes(20, 0xff)));
  EXPECT_EQ(bank.value(10), expected.value(10));
}

TEST(ImaLog, ReadsDigestsWithTheirType) {
  Bytes field = to_bytes(as_bytes(std::string_view("verity:sha256:\0", 15)));
  append(field, Bytes(32, 1));
  Bytes data;
  put_u32_le(data, static_cast<uint32_t>(field.size()));
  append(data, field);
  put_u32_le(data, 3);
  append(data, as_bytes(std::string_view("/x\0", 3)));
  Bytes log;
  put_u32_le(log, 10);
  append(log, *hash(HashAlgo::kSha1, {data}));
  put_u32_le(log, 8);
  append(log, as_bytes("ima-ngv2"));
  put_u32_le(log, static_cast<uint32_t>(data.size()));
  append(log, data);
  const auto events = read_ima_log(log);
  ASSERT_TRUE(events) << events.error().message;
  EXPECT_TRUE((*events)[0].verity);
  EXPECT_EQ((*events)[0].algo, "sha256");
  PcrBank bank(HashAlgo::kSha256);
  EXPECT_TRUE(replay_ima_log(*events, bank));
}

// The name of the template is under no digest, so whoever sends a log may choose it.
TEST(ImaLog, RefusesAnEventUnderAnotherTemplatesName) {
  const auto renamed = [](const char* from, const std::string& to) {
    const Bytes log = entry(event("/run/diglim/manifest.3", from));
    constexpr size_t kNameAt = 24;
    const size_t size_at = kNameAt + 4 + std::string_view(from).size();
    Bytes made(log.begin(), log.begin() + kNameAt);
    put_u32_le(made, static_cast<uint32_t>(to.size()));
    append(made, as_bytes(to));
    append(made, ByteView(log).subspan(size_at));
    return reading_error(made);
  };
  EXPECT_EQ(renamed("ima-sig", "ima-sig"), "accepted");
  EXPECT_THAT(renamed("ima-sig", "ima-ng"), HasSubstr("the template ima-ng with 3 fields"));
  EXPECT_THAT(renamed("ima-ng", "ima-sig"), HasSubstr("the template ima-sig with 2 fields"));
  EXPECT_THAT(renamed("ima-ng", "ima-ngv2"), HasSubstr("as the template ima-ngv2 does not have it"));
  EXPECT_THAT(renamed("ima-sig", "ima-sigv2"), HasSubstr("as the template ima-sigv2 does not have it"));
  EXPECT_THAT(renamed("ima-sig", "ima-modsig"), HasSubstr("with 3 fields"));
  EXPECT_THAT(renamed("ima-sig", "evm-sig"), HasSubstr("with 3 fields"));
}

TEST(ImaLog, RefusesEveryTruncatedEntry) {
  for (const char* name : {"ima", "ima-ng", "ima-sig"}) {
    const Bytes log = entry(event("/bin/ls", name));
    for (size_t size = 1; size < log.size(); ++size)
      EXPECT_NE(reading_error(Bytes(log.begin(), log.begin() + static_cast<ptrdiff_t>(size))), "accepted");
  }
}

TEST(ImaLog, SaysWhatIsWrong) {
  const Bytes log = entry(event("/bin/ls"));
  const size_t template_size = 24;
  const size_t digest_size = 38;
  EXPECT_THAT(reading_error(changed(log, 0, 24)), HasSubstr("offset 0: there is no PCR 24"));
  EXPECT_THAT(reading_error(changed(log, template_size, 0)), HasSubstr("offset 24: name of a template"));
  EXPECT_THAT(reading_error(changed(log, template_size + 3, 1)), HasSubstr("name of a template"));
  EXPECT_THAT(reading_error(changed(log, template_size + 4, 'x')), HasSubstr("unknown template xma-ng"));
  EXPECT_THAT(reading_error(changed(log, digest_size + 3, 0x80)), HasSubstr("wanted"));
  EXPECT_THAT(reading_error(changed(log, digest_size + 4 + 6, 'x')), HasSubstr("name of its algorithm"));
  EXPECT_THAT(reading_error(changed(log, digest_size, 39)), HasSubstr("sha256 file digest of 31 bytes"));
  EXPECT_THAT(reading_error(changed(log, log.size() - 1, 'x')), HasSubstr("zero byte"));
  EXPECT_THAT(reading_error(changed(log, log.size() - 3, 0)), HasSubstr("zero byte"));
}

// Whatever bit of the log is flipped, it does not replay to the same value, or it is refused.
TEST(ImaLog, EveryBitCounts) {
  const Bytes log = *from_hex(kRealLog);
  for (size_t i = 0; i < log.size() * 8; ++i) {
    const Bytes other = changed(log, i / 8, static_cast<uint8_t>(log[i / 8] ^ 1 << i % 8));
    const auto events = read_ima_log(other);
    if (!events) continue;
    PcrBank bank(HashAlgo::kSha256);
    if (!replay_ima_log(*events, bank)) continue;
    EXPECT_TRUE(to_hex(bank.value(10)) != kRealPcr10 || to_hex(bank.value(12)) != kRealPcr12) << "bit " << i;
  }
}

TEST(ImaLog, NamesTheEntryThatLies) {
  Bytes log = entry(event("/bin/a"));
  const size_t second = log.size();
  append(log, entry(event("/bin/b")));
  log[second + 10] ^= 1;  // in the SHA-1 template digest
  const auto events = read_ima_log(log);
  ASSERT_TRUE(events);
  PcrBank bank(HashAlgo::kSha256);
  const auto replayed = replay_ima_log(*events, bank);
  ASSERT_FALSE(replayed);
  EXPECT_THAT(replayed.error().message, HasSubstr("offset " + std::to_string(second) + ":"));
}

TEST(ImaEvent, RefusesWhatTheKernelWouldNotWrite) {
  NewImaEvent made = event("/x");
  made.digest.pop_back();
  EXPECT_EQ(write_ima_event(made).error().code, ErrorCode::kInvalid);
  made = event("/x", "ima-buf");
  EXPECT_EQ(write_ima_event(made).error().code, ErrorCode::kUnsupported);
  made = event("/x", "ima");
  made.algo = HashAlgo::kSha256;
  made.digest = Bytes(32, 1);
  EXPECT_EQ(write_ima_event(made).error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace diglim
