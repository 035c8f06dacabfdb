// SPDX-License-Identifier: Apache-2.0
#include "lib/generation/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace diglim {
namespace {

using testing::HasSubstr;

Bytes write(std::initializer_list<LoadedList> lists) {
  size_t size = 0;
  for (const LoadedList& list : lists) size += registry_bytes(list);
  Bytes bytes(size);
  uint8_t* end = bytes.data();
  for (const LoadedList& list : lists) end = write_registry(list, end);
  EXPECT_EQ(end, bytes.data() + size);
  return bytes;
}

LoadedList sample(const Bytes& hash) {
  LoadedList list;
  list.name = "0-file_list-rpm-hello-2.0-1.x86_64";
  list.content_hash = hash;
  list.package = "hello-2.0-1.x86_64";
  list.signer = "RSA/SHA256 0123456789abcdef";
  list.digests = 1u << 31;
  list.left_out = 7;
  list.origin = 1ull << 63;
  list.stamp = 12;
  list.number = 65535;
  return list;
}

TEST(Registry, GivesBackWhatWasWritten) {
  const Bytes hash(32, 0xab);
  LoadedList empty;
  empty.content_hash = hash;
  const Bytes bytes = write({sample(hash), empty, sample(hash)});
  RegistryReader reader(bytes, 0);
  for (const LoadedList& wanted : {sample(hash), empty, sample(hash)}) {
    const auto list = reader.next();
    ASSERT_TRUE(list) << list.error().message;
    EXPECT_EQ(list->name, wanted.name);
    EXPECT_EQ(to_bytes(list->content_hash), hash);
    EXPECT_EQ(list->package, wanted.package);
    EXPECT_EQ(list->signer, wanted.signer);
    EXPECT_EQ(list->digests, wanted.digests);
    EXPECT_EQ(list->left_out, wanted.left_out);
    EXPECT_EQ(list->origin, wanted.origin);
    EXPECT_EQ(list->stamp, wanted.stamp);
    EXPECT_EQ(list->number, wanted.number);
  }
  EXPECT_FALSE(reader.next()) << "there is no more";
}

TEST(Registry, RefusesEveryTruncation) {
  const Bytes whole = write({sample(Bytes(32, 1))});
  for (size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<ssize_t>(size));  // ASan sees its end
    RegistryReader reader(cut, 1000);
    const auto list = reader.next();
    ASSERT_FALSE(list) << size;
    EXPECT_EQ(list.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(list.error().message, HasSubstr("offset 1"));
  }
}

TEST(Registry, NeverReadsBeyondItsEnd) {
  const Bytes whole = write({sample(Bytes(32, 1)), sample(Bytes(32, 2))});
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    Bytes bad = whole;
    bad[random() % bad.size()] ^= static_cast<uint8_t>(1u << random() % 8);
    RegistryReader reader(bad, 0);
    while (reader.next()) {
    }
  }
}

}  // namespace
}  // namespace diglim
