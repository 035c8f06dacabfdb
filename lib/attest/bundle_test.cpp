// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace diglim {
namespace {

using testing::HasSubstr;

Bundle example() {
  Bundle bundle;
  bundle.attest = {1, 2, 3};
  bundle.signature = {4};
  bundle.ak = {5, 6};
  bundle.pcrs = {{0, Bytes(32, 7)}, {10, Bytes(32, 8)}};
  bundle.ima_log = Bytes(100, 9);
  bundle.manifests = {{10}, {}};
  return bundle;
}

std::string reading_error(const Bytes& file) {
  const auto bundle = read_bundle(file);
  return bundle ? "accepted" : bundle.error().message;
}

TEST(Bundle, RoundTrip) {
  const auto file = write_bundle(example());
  ASSERT_TRUE(file);
  const auto bundle = read_bundle(*file);
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_EQ(*bundle, example());
}

TEST(Bundle, IsTheDocumentedLayout) {
  EXPECT_EQ(to_hex(*write_bundle(example())).substr(0, 72),
            "4449474c494d4154"
            "01000000"
            "0100"
            "03000000"
            "010203"
            "0200"
            "01000000"
            "04"
            "0300"
            "02000000"
            "0506");
}

TEST(Bundle, RefusesEveryTruncatedFile) {
  const Bytes file = *write_bundle(example());
  // A file that ends before a manifest is a bundle with fewer of them; the verifier misses those.
  const size_t first_manifest = file.size() - 7 - 6;
  for (size_t size = 0; size < file.size(); ++size) {
    const bool whole = size == first_manifest || size == first_manifest + 7;
    EXPECT_EQ(reading_error(Bytes(file.begin(), file.begin() + static_cast<ptrdiff_t>(size))) == "accepted",
              whole)
        << size;
  }
}

TEST(Bundle, SaysWhatIsWrong) {
  const Bytes file = *write_bundle(example());
  Bytes bad = file;
  bad[12] = 2;
  EXPECT_THAT(reading_error(bad), HasSubstr("offset 12: quote expected"));
  bad = file;
  bad[15] = 0x20;
  EXPECT_THAT(reading_error(bad), HasSubstr("offset 14: quote of 8195 bytes, at most 4096"));
  bad = file;
  const size_t pcrs = 12 + 9 + 7 + 8 + 6;
  bad[pcrs] = 1;  // md5
  EXPECT_THAT(reading_error(bad), HasSubstr("unknown PCR bank"));
  bad = file;
  bad[pcrs + 2] = 11;
  EXPECT_THAT(reading_error(bad), HasSubstr("PCRs out of order"));
  bad[pcrs + 2] = 24;
  EXPECT_THAT(reading_error(bad), HasSubstr("there is no PCR 24"));
  Bundle large = example();
  large.attest = Bytes(4097, 0);
  EXPECT_EQ(write_bundle(large).error().code, ErrorCode::kInvalid);
  large = example();
  large.manifests.resize(4097);
  EXPECT_EQ(write_bundle(large).error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace diglim
