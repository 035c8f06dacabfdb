// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/doctor/efi_keys.h"

#include <gtest/gtest.h>

namespace diglim::doctor {
namespace {

constexpr const char* kX509 = "\xa1\x59\xc0\xa5\xe4\x94\xa7\x4a\x87\xb5\xab\x15\x5c\x2b\xf0\x72";
constexpr const char* kSha256 = "\x26\x16\xc4\xc1\x4c\x50\x92\x40\xac\xa9\x41\xf9\x36\x93\x43\x28";

void append_u32(Bytes& to, size_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) to.push_back(static_cast<uint8_t>(value >> shift));
}

Bytes list_of(const char* kind, const Bytes& signature, size_t count = 1) {
  Bytes list(kind, kind + 16);
  append_u32(list, 28 + count * (16 + signature.size()));
  append_u32(list, 0);
  append_u32(list, 16 + signature.size());
  for (size_t i = 0; i < count; ++i) {
    list.insert(list.end(), 16, 7);
    list.insert(list.end(), signature.begin(), signature.end());
  }
  return list;
}

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

TEST(EfiKeys, NoneInAnEmptyVariable) {
  const auto keys = read_efi_keys({});
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->keys.size() + keys->images + keys->others, 0u);
}

TEST(EfiKeys, HashesAndWhatIsNotKnownAreCounted) {
  const auto keys = read_efi_keys(list_of(kSha256, Bytes(32, 1), 3) +
                                  list_of("0123456789abcdef", Bytes(5, 1)) + list_of(kX509, Bytes(40, 0x30)));
  ASSERT_TRUE(keys) << keys.error().message;
  EXPECT_EQ(keys->images, 3u);
  EXPECT_EQ(keys->others, 2u) << "a kind of nobody's, and what is no certificate";
  EXPECT_TRUE(keys->keys.empty());
}

TEST(EfiKeys, WhatIsCutShortOrDoesNotFitIsCorrupt) {
  const Bytes whole = list_of(kSha256, Bytes(32, 1), 2);
  for (size_t size = 1; size < whole.size(); ++size)
    EXPECT_FALSE(read_efi_keys(ByteView(whole).first(size))) << size;
  for (const size_t at : {16u, 20u, 24u}) {  // the three sizes
    for (const unsigned value : {0x00u, 0x01u, 0xffu}) {
      Bytes changed = whole;
      for (size_t i = 0; i < 4; ++i) changed[at + i] = static_cast<uint8_t>(value);
      if (changed != whole && !(at == 20 && value == 0)) {
        EXPECT_FALSE(read_efi_keys(changed)) << at;
      }
    }
  }
}

}  // namespace
}  // namespace diglim::doctor
