// SPDX-License-Identifier: Apache-2.0
// What a verified header says, and everything that may be wrong with it.
#include "lib/rpm/package.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/rpm/test_writer.h"

namespace diglim::rpm {
namespace {

using testing::HasSubstr;

constexpr uint64_t kAt = 4504;  // where the header would lie in a file

HeaderWriter named() {
  HeaderWriter header;
  return header.string(1000, "hello").string(1001, "2.0").string(1002, "1").string(1044, "hello.src.rpm");
}

// The offset of index entry `i`, 0 being the region.
uint64_t entry(size_t i) {
  return kAt + 16 + 16 * i;
}

void expect_corrupt(const Bytes& header, uint64_t offset, const std::string& reason) {
  const auto result = read_package(header, kAt);
  ASSERT_FALSE(result) << reason;
  EXPECT_EQ(result.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(result.error().message, "offset " + std::to_string(offset) + ": " + reason);
}

std::string nevra_of(const TestPackage& package) {
  const auto result = read_package(make_main_header(package), kAt);
  return result ? result->nevra : result.error().message;
}

TEST(ReadPackage, ReadsNameAndDigests) {
  const auto package = read_package(make_main_header_of({}, HashAlgo::kSha256, {"one", "two"}), kAt);
  ASSERT_TRUE(package) << package.error().message;
  EXPECT_EQ(package->nevra, "hello-2.0-1.x86_64");
  ASSERT_EQ(package->digests.size(), 1u);
  EXPECT_EQ(package->digests[0].first, HashAlgo::kSha256);
  Bytes expected = *hash(HashAlgo::kSha256, {as_bytes("one")});
  append(expected, *hash(HashAlgo::kSha256, {as_bytes("two")}));
  EXPECT_EQ(package->digests[0].second, expected);
}

TEST(ReadPackage, NamesEpochsAndSources) {
  TestPackage package;
  package.epoch = 7;
  EXPECT_EQ(nevra_of(package), "hello-7:2.0-1.x86_64");
  package.epoch = 0;
  EXPECT_EQ(nevra_of(package), "hello-0:2.0-1.x86_64");
  package.source = true;
  EXPECT_EQ(nevra_of(package), "hello-0:2.0-1.src");
  EXPECT_EQ(read_package(named().main(), kAt)->nevra, "hello-2.0-1") << "no arch, as in gpg-pubkey";
}

TEST(ReadPackage, NoAlgorithmMeansMd5) {
  TestPackage package;
  package.digest_algo = std::nullopt;
  package.digests = {"", "900150983cd24fb0d6963f7d28e17f72"};
  const auto read = read_package(make_main_header(package), kAt);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->digests.size(), 1u);
  EXPECT_EQ(read->digests[0].first, HashAlgo::kMd5);
  EXPECT_EQ(to_hex(read->digests[0].second), package.digests[1]);
}

TEST(ReadPackage, ReadsEveryAlgorithmItKnowsAndNoOther) {
  for (const auto algo : {HashAlgo::kMd5, HashAlgo::kSha1, HashAlgo::kSha224, HashAlgo::kSha256,
                          HashAlgo::kSha384, HashAlgo::kSha512}) {
    const auto read = read_package(make_main_header_of({}, algo, {"one"}), kAt);
    ASSERT_TRUE(read) << hash_name(algo);
    EXPECT_EQ(read->digests[0].first, algo);
  }
  for (const uint32_t number : {0u, 4u, 12u, 99u, 0xffffffffu}) {
    const auto read =
        read_package(named().strings(1035, {"00"}).strings(1117, {"a"}).number(5011, number).main(), kAt);
    ASSERT_FALSE(read) << number;
    EXPECT_EQ(read.error().code, ErrorCode::kUnsupported);
  }
}

TEST(ReadPackage, OnlyFoldersMeansNoDigests) {
  TestPackage package;
  package.digests = {"", "", ""};
  const auto read = read_package(make_main_header(package), kAt);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->digests.empty());
  EXPECT_EQ(read->undigested, 0u);
  EXPECT_TRUE(read_package(make_main_header({}), kAt)->digests.empty()) << "no files at all";
}

TEST(ReadPackage, CountsFilesOfAPackageWithoutDigests) {
  const auto read = read_package(named().strings(1117, {"a", "b"}).main(), kAt);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(read->digests.empty());
  EXPECT_EQ(read->undigested, 2u);
}

TEST(ReadPackage, RefusesDigestsOfTheWrongLength) {
  const std::string md5 = "900150983cd24fb0d6963f7d28e17f72";
  TestPackage package;
  package.digests = {"", md5};  // said to be sha256
  const auto wrong = read_package(make_main_header(package), kAt);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("a file digest of 32 characters, sha256 has 64"));
  package.digest_algo = 1;
  package.digests[1][31] = 'g';
  const auto not_hex = read_package(make_main_header(package), kAt);
  ASSERT_FALSE(not_hex);
  EXPECT_THAT(not_hex.error().message, HasSubstr("not hexadecimal"));
}

TEST(ReadPackage, TheOffsetNamesTheDigest) {
  const Bytes header = named().strings(1035, {"", "00"}).strings(1117, {"a", "b"}).number(5011, 8).main();
  // 8 entries with the region; the data before the digests: "hello", "2.0", "1", "hello.src.rpm", each with
  // its NUL.
  expect_corrupt(header, kAt + 16 + size_t{8} * 16 + 6 + 4 + 2 + 14 + 1,
                 "a file digest of 2 characters, sha256 has 64");
}

TEST(ReadPackage, AsManyDigestsAsFiles) {
  const std::string md5 = "900150983cd24fb0d6963f7d28e17f72";
  expect_corrupt(named().strings(1035, {md5, md5}).strings(1117, {"a"}).main(), entry(5) + 12,
                 "2 file digests for 1 files");
  expect_corrupt(named().strings(1035, {md5}).main(), entry(5) + 12, "1 file digests for 0 files");
  EXPECT_TRUE(read_package(named().strings(1027, {"/a"}).strings(1035, {md5}).main(), kAt)) << "as rpm 3 did";
}

TEST(ReadPackage, RefusesNamelessPackages) {
  HeaderWriter header;
  header.string(1000, "hello").string(1001, "2.0");
  expect_corrupt(header.main(), kAt, "a package without a release");
  expect_corrupt(HeaderWriter().string(1000, "").main(), kAt, "a package without a name");
  expect_corrupt(HeaderWriter().strings(1000, {"hello"}).main(), entry(1) + 4, "tag 1000 has the wrong type");
}

TEST(ReadPackage, RefusesTagsThatAreThereTwice) {
  expect_corrupt(named().string(1000, "other").main(), entry(5), "tag 1000 is there twice");
  expect_corrupt(named().number(9999, 1).number(9999, 1).main(), entry(6), "tag 9999 is there twice");
}

TEST(ReadPackage, RefusesWrongTypesAndCounts) {
  const Bytes two = {0, 0, 0, 8, 0, 0, 0, 1};
  const auto files = [] { return named().strings(1035, {"00"}).strings(1117, {"a"}); };
  expect_corrupt(files().raw(5011, 4, 2, two, 4).main(), entry(7) + 12, "tag 5011 should be one number");
  expect_corrupt(files().raw(5011, 3, 1, two, 4).main(), entry(7) + 4, "tag 5011 has the wrong type");
  expect_corrupt(named().string(1035, "00").main(), entry(5) + 4, "tag 1035 has the wrong type");
  expect_corrupt(named().string(1003, "1").main(), entry(5) + 4, "tag 1003 has the wrong type");
}

// Entry 5 is an ordinary tag here; one field of it at a time becomes nonsense.
TEST(ReadPackage, RefusesEntriesThatContradictThemselves) {
  const Bytes good = named().number(1003, 1).main();
  ASSERT_TRUE(read_package(good, kAt));
  const auto with = [&](size_t field, uint32_t value) {
    Bytes bad = good;
    patch_u32(bad, 16 + 16 * 5 + 4 * field, value);
    return bad;
  };
  for (const uint32_t tag : {0u, 61u, 62u, 63u, 99u, 0x80000000u, 0xffffffffu}) {
    expect_corrupt(with(0, tag), entry(5), "tag " + std::to_string(tag) + " may not be here");
  }
  for (const uint32_t type : {0u, 10u, 15u, 0x80000004u})
    expect_corrupt(with(1, type), entry(5) + 4, "tag 1003 has an unknown type");
  for (const uint32_t offset : {0xffffffffu, 0x80000000u, 1000u}) {
    expect_corrupt(with(2, offset), entry(5) + 8, "tag 1003 lies outside the data");
  }
  expect_corrupt(with(2, 0), entry(5) + 8, "tag 1003 overlaps the tag before it");
  expect_corrupt(with(2, 29), entry(5) + 8, "tag 1003 is misaligned");
  expect_corrupt(with(2, 32), entry(5) + 12,
                 "tag 1003 does not fit into the data");  // it would be the region trailer
  expect_corrupt(with(3, 0), entry(5) + 12, "tag 1003 has no value");
  for (const uint32_t count : {2u, 0x40000000u, 0x40000001u, 0xffffffffu}) {  // the middle two wrap 32 bits
    expect_corrupt(with(3, count), entry(5) + 12, "tag 1003 does not fit into the data");
  }
}

TEST(ReadPackage, RefusesStringsThatDoNotEnd) {
  expect_corrupt(named().raw(1022, 6, 1, as_bytes("x86_64")).main(), entry(5) + 12,
                 "tag 1022 does not fit into the data");
  expect_corrupt(named().raw(1117, 8, 3, as_bytes("ab")).main(), entry(5) + 12,
                 "tag 1117 does not fit into the data");
  expect_corrupt(named().raw(1117, 8, 0xffffffff, as_bytes(std::string(64, '\0'))).main(), entry(5) + 12,
                 "tag 1117 does not fit into the data");
  expect_corrupt(named().raw(1022, 6, 2, as_bytes(std::string(2, '\0'))).main(), entry(5) + 12,
                 "tag 1022 is one string but counts more");
}

TEST(ReadPackage, RefusesEveryTruncation) {
  const Bytes header = make_main_header_of({}, HashAlgo::kSha256, {"one"});
  for (size_t size = 0; size < header.size(); ++size) {
    const Bytes cut(header.begin(), header.begin() + static_cast<long>(size));
    EXPECT_FALSE(read_package(cut, kAt)) << size;
  }
}

TEST(ReadPackage, ReadsTheExampleOfFormatMd) {
  const Bytes header = *from_hex(
      "8eade80100000000000000050000001c"
      "0000003f000000070000000c00000010"
      "000003e8000000060000000000000001"
      "000003e9000000060000000200000001"
      "000003ea000000060000000400000001"
      "00000414000000060000000600000001"
      "610031003100612e73726300"
      "0000003f00000007ffffffb000000010");
  const auto package = read_package(header, 0);
  ASSERT_TRUE(package) << package.error().message;
  EXPECT_EQ(package->nevra, "a-1-1");
}

// Without the signature's protection a flip may go unnoticed; what counts here is that none of them is
// undefined.
TEST(ReadPackage, SurvivesEveryBitFlip) {
  const Bytes header = make_main_header_of({}, HashAlgo::kSha256, {"one"});
  size_t refused = 0;
  for (size_t bit = 0; bit < header.size() * 8; ++bit) {
    Bytes flipped = header;
    flipped[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    const auto result = read_package(flipped, kAt);
    if (!result) ++refused;
  }
  EXPECT_GT(refused, header.size()) << "most of the index is structure";
}

}  // namespace
}  // namespace diglim::rpm
