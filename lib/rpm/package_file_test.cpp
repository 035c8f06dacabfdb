// SPDX-License-Identifier: Apache-2.0
// What happens before a signature is verified: the geometry of a package file.
#include "lib/rpm/package_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/rpm/header.h"
#include "lib/rpm/package.h"
#include "lib/rpm/test_writer.h"

namespace diglim::rpm {
namespace {

using testing::HasSubstr;

const Bytes kPackets = {0xc2, 0x01, 0x04};

// Offsets in sample(): the signature header follows the 96 bytes of lead, its region is entry 0.
constexpr size_t kSignatureHeader = 96;

Bytes sample_header() {
  return make_main_header_of({}, HashAlgo::kSha256, {"one", "two"});
}
Bytes sample() {
  return make_package(sample_header(), {{268, kPackets}});
}

size_t main_header_of(const Bytes& file) {
  return locate_package(file)->header_offset;
}
size_t trailer_of(const Bytes& file) {
  return file.size() - std::string_view("payload").size() - 16;
}

void expect_corrupt(const Bytes& file, uint64_t offset, const std::string& reason) {
  const auto result = locate_package(file);
  ASSERT_FALSE(result) << reason;
  EXPECT_EQ(result.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(result.error().message, HasSubstr("offset " + std::to_string(offset) + ": "));
  EXPECT_THAT(result.error().message, HasSubstr(reason));
}

TEST(LocatePackage, FindsTheSignedBytesAndEverySignature) {
  const Bytes first = {0xc2, 0x01, 0x04};
  const Bytes second = {0x88, 0x02, 0x04, 0x00};
  const Bytes header = sample_header();
  const Bytes file = make_package(header, {{267, first}, {268, second}, {278, first}, {278, second}});
  const auto located = locate_package(file);
  ASSERT_TRUE(located) << located.error().message;
  EXPECT_EQ(to_bytes(located->signed_bytes), header);
  EXPECT_EQ(located->header_offset % 8, 0u);
  ASSERT_EQ(located->signatures.size(), 4u);
  EXPECT_EQ(located->signatures[0].first, first);
  EXPECT_EQ(located->signatures[1].first, second);
  EXPECT_EQ(located->signatures[2].first, first);
  EXPECT_EQ(located->signatures[3].first, second);
  const auto at = located->signatures[1].second;
  EXPECT_EQ(Bytes(file.begin() + static_cast<long>(at), file.begin() + static_cast<long>(at) + 4), second);
}

TEST(LocatePackage, NeedsNoPayloadAndMindsNoLeadVersion) {
  Bytes file = sample();
  file[4] = 4;  // rpm 6
  const size_t head = *package_head_size(file);
  EXPECT_EQ(head + 7, file.size());
  file.resize(head);
  EXPECT_TRUE(locate_package(file));
}

TEST(LocatePackage, AnUnsignedPackageHasNoSignatures) {
  const auto located = locate_package(make_package(sample_header(), {}));
  ASSERT_TRUE(located);
  EXPECT_TRUE(located->signatures.empty());
}

TEST(LocatePackage, SignaturesOverThePayloadAreNotHeaderSignatures) {
  const auto located = locate_package(make_package(sample_header(), {{1002, kPackets}, {1005, kPackets}}));
  ASSERT_TRUE(located);
  EXPECT_TRUE(located->signatures.empty());
}

TEST(LocatePackage, RefusesEveryTruncation) {
  const Bytes file = sample();
  const size_t head = *package_head_size(file);
  for (size_t size = 0; size < head; ++size) {
    const Bytes cut(file.begin(),
                    file.begin() + static_cast<long>(size));  // a copy, so that ASan sees the end
    const auto result = locate_package(cut);
    ASSERT_FALSE(result) << size;
    EXPECT_EQ(result.error().code, ErrorCode::kCorrupt) << size;
  }
}

TEST(LocatePackage, RefusesBadMagics) {
  Bytes file = sample();
  const size_t main = main_header_of(file);
  for (const size_t at :
       {size_t{0}, size_t{3}, kSignatureHeader, kSignatureHeader + 3, kSignatureHeader + 4, main, main + 7}) {
    Bytes bad = file;
    bad[at] ^= 0x01;
    EXPECT_FALSE(locate_package(bad)) << at;
  }
}

TEST(LocatePackage, RefusesSizesAboveRpmsLimits) {
  const Bytes file = sample();
  const size_t main = main_header_of(file);
  const auto with = [&](size_t at, uint32_t value) {
    Bytes bad = file;
    patch_u32(bad, at, value);
    return bad;
  };
  expect_corrupt(with(kSignatureHeader + 8, 33), kSignatureHeader + 8, "33 index entries, the limit is 32");
  expect_corrupt(with(kSignatureHeader + 12, (64u << 20) + 1), kSignatureHeader + 12,
                 "the limit is 67108864");
  expect_corrupt(with(main + 8, 0x10000), main + 8, "65536 index entries, the limit is 65535");
  expect_corrupt(with(main + 8, 0xffffffff), main + 8, "4294967295 index entries");
  expect_corrupt(with(main + 12, 0x10000000), main + 12, "268435456 bytes of data, the limit is 268435455");
  expect_corrupt(with(main + 12, 0xffffffff), main + 12, "4294967295 bytes of data");
  // Within the limits, but not there: nothing of that size is allocated to find out.
  expect_corrupt(with(main + 12, 0x0fffffff), main, "bytes wanted");
  expect_corrupt(with(main + 8, 0), main + 16, "a header without entries");
}

TEST(LocatePackage, TheRegionMustBeTheWholeMainHeader) {
  const Bytes file = sample();
  const size_t main = main_header_of(file);
  const size_t trailer = trailer_of(file);
  const auto with = [&](size_t at, uint32_t value) {
    Bytes bad = file;
    patch_u32(bad, at, value);
    return bad;
  };
  expect_corrupt(with(main + 16, 61), main + 16, "not the header's region");
  expect_corrupt(with(main + 16, 62), main + 16, "not the header's region");
  expect_corrupt(with(main + 20, 6), main + 16, "not the header's region");
  expect_corrupt(with(main + 28, 32), main + 16, "not the header's region");
  expect_corrupt(with(main + 24, 0xfffffff0), main + 24, "outside the data");  // -16 to rpm
  expect_corrupt(with(main + 24, 0x7fffffff), main + 24, "outside the data");
  expect_corrupt(with(trailer, 62), trailer, "not a region trailer");
  expect_corrupt(with(trailer + 4, 8), trailer, "not a region trailer");
  expect_corrupt(with(trailer + 12, 15), trailer, "not a region trailer");
  expect_corrupt(with(trailer + 8, 0), trailer + 8, "contradicts the index");
  expect_corrupt(with(trailer + 8, 0u - 16 * 200), trailer + 8, "contradicts the index");
  expect_corrupt(with(trailer + 8, 0u - 17), trailer + 8, "contradicts the index");
  expect_corrupt(with(trailer + 8, 16), trailer + 8, "contradicts the index");
  expect_corrupt(with(trailer + 8, 0x80000000), trailer + 8, "contradicts the index");
  expect_corrupt(with(trailer + 8, 0u - 16), trailer, "not the whole header");
}

TEST(LocatePackage, RefusesATrailerThatIsNotAtTheEnd) {
  // A second, well-formed trailer in the middle of the data, and the region points to it.
  HeaderWriter header;
  header.string(1000, "hello");
  Bytes trailer;
  for (uint32_t field : {63u, 7u, 0u - 3 * 16u, 16u}) put_u32_be(trailer, field);
  header.binary(1140, trailer);
  Bytes bytes = header.main();
  patch_u32(bytes, 16 + 8, 6);  // behind "hello\0"
  const Bytes file = make_package(bytes, {{268, kPackets}});
  const auto result = locate_package(file);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("not the whole header"));
}

TEST(LocatePackage, RefusesSignatureTagsThatContradictThemselves) {
  const Bytes file = sample();  // entries: region, 268, 273
  const size_t entry = kSignatureHeader + 32;
  const auto with = [&](size_t at, uint32_t value) {
    Bytes bad = file;
    patch_u32(bad, at, value);
    return bad;
  };
  expect_corrupt(with(entry + 4, 6), entry + 4, "signature tag 268 has the wrong type");
  expect_corrupt(with(entry + 8, 0xffffffff), entry + 8, "lies outside the data");
  expect_corrupt(with(entry + 12, 0), entry + 12, "is empty");
  expect_corrupt(with(entry + 12, 0x7fffffff), kSignatureHeader + 16 + size_t{3} * 16, "bytes wanted");
  expect_corrupt(with(entry + 16, 268), entry + 16, "is there twice");
  expect_corrupt(with(entry, 278), entry + 4, "signature tag 278 has the wrong type");
  expect_corrupt(with(kSignatureHeader + 16, 63), kSignatureHeader + 16, "not the header's region");
}

TEST(LocatePackage, RefusesBadBase64Values) {
  const auto file_with = [](uint32_t count, std::string_view data) {
    HeaderWriter header;
    header.raw(278, 8, count, as_bytes(data));
    Bytes file = make_package({}, {});
    file.resize(96);
    append(file, header.signature());
    file.resize((file.size() + 7) & ~size_t{7});
    append(file, make_main_header({}));
    return file;
  };
  using namespace std::string_view_literals;
  const size_t data_at = 96 + 16 + 2 * 16;
  EXPECT_TRUE(locate_package(file_with(2, "Zm9v\0Zg==\0"sv)));
  expect_corrupt(file_with(1, "Zm*v\0"sv), data_at + 2, "not a base64 character");
  expect_corrupt(file_with(2, "Zm9v\0Zm9\0"sv), data_at + 5, "no multiple of 4");
  expect_corrupt(file_with(2, "Zm9v\0\0"sv), data_at + 5, "an empty signature");
  expect_corrupt(file_with(2, "Zm9v\0"sv), data_at + 5,
                 "an empty signature");  // the trailer's first zero byte
  expect_corrupt(file_with(65, "Zm9v\0"sv), data_at, "more than 64 signatures");
  expect_corrupt(file_with(0xffffffff, "Zm9v\0"sv), data_at, "more than 64 signatures");
}

TEST(PackageHeadSize, GrowsInTwoStepsAndStops) {
  const Bytes file = sample();
  const ByteView view = file;
  EXPECT_EQ(*package_head_size({}), 112u);
  EXPECT_EQ(*package_head_size(view.first(111)), 112u);
  const size_t second = *package_head_size(view.first(112));
  EXPECT_EQ(second, main_header_of(file) + 16);
  const size_t third = *package_head_size(view.first(second));
  EXPECT_EQ(third, file.size() - 7);
  EXPECT_EQ(*package_head_size(view.first(third)), third);
  EXPECT_EQ(*package_head_size(view), third);
}

TEST(PackageHeadSize, NeverExceedsWhatTheLimitsAddUpTo) {
  Bytes file = sample();
  const size_t main = main_header_of(file);
  patch_u32(file, main + 8, 0xffff);
  patch_u32(file, main + 12, 0x0fffffff);
  EXPECT_EQ(*package_head_size(file), main + 16 + size_t{16} * 0xffff + 0x0fffffff);
  patch_u32(file, main + 12, 0x10000000);
  EXPECT_FALSE(package_head_size(file));
  EXPECT_FALSE(package_head_size(as_bytes("not a package")));
}

TEST(CheckMainHeader, WantsExactlyOneHeader) {
  Bytes header = sample_header();
  EXPECT_TRUE(check_main_header(header, 0));
  header.push_back(0);
  const auto longer = check_main_header(header, 1000);
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().message,
            "offset " + std::to_string(1000 + header.size() - 1) + ": bytes after the header");
  header.resize(header.size() - 2);
  EXPECT_FALSE(check_main_header(header, 0));
}

}  // namespace
}  // namespace diglim::rpm
