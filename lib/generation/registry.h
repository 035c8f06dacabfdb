// SPDX-License-Identifier: Apache-2.0
// The registry behind the digest table: which list has which digests (FORMAT.md). Members are places in the
// table, four bytes each, so that no digest is stored twice.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/base/bytes.h"

namespace diglim {

struct LoadedList;

class RegistryWriter {
 public:
  // `members`: ids of digests; `where`: id -> place in the table.
  void add(const LoadedList& list, const std::vector<uint32_t>& members, const std::vector<uint32_t>& where);
  Bytes take() && { return std::move(out_); }

 private:
  Bytes out_;
};

class RegistryReader {
 public:
  RegistryReader(ByteView bytes, uint64_t base) : reader_(bytes, base) {}
  // `ids`: place in the table -> 1 + id, or 0. kCorrupt if a member points to an empty or missing place.
  Result<void> next(const std::vector<uint32_t>& ids, LoadedList& list, std::vector<uint32_t>& members);

 private:
  ByteReader reader_;
};

}  // namespace diglim
