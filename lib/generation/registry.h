// SPDX-License-Identifier: Apache-2.0
// The registry behind the digest table: which list has which digests (FORMAT.md). Members are places in the
// table, so that no digest is stored twice, as differences, so that most take one byte or two.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/base/bytes.h"

namespace diglim {

struct LoadedList;

class RegistryWriter {
 public:
  // `places` of its digests, ascending; a digest that it has twice is there twice.
  void add(const LoadedList& list, std::span<const uint32_t> places);
  Bytes take() && { return std::move(out_); }

 private:
  Bytes out_;
};

class RegistryReader {
 public:
  RegistryReader(ByteView bytes, uint64_t base) : reader_(bytes, base) {}
  // The same back; every place is below `end`. kCorrupt with the offset. No more memory than four bytes for
  // each that is there.
  Result<void> next(uint64_t end, LoadedList& list, std::vector<uint32_t>& places);

 private:
  ByteReader reader_;
};

}  // namespace diglim
