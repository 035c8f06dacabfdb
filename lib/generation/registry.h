// SPDX-License-Identifier: Apache-2.0
// The registry behind the digest table: the lists that are loaded (FORMAT.md).
#pragma once

#include <cstdint>
#include <string_view>

#include "lib/base/bytes.h"

namespace diglim {

// What is known of one loaded list. Owns nothing: Generation says how long its views are valid.
struct LoadedList {
  std::string_view name;     // the file's name without directories; one list a name
  ByteView content_hash;     // SHA-256 of the bytes that were verified
  std::string_view package;  // what the signed header calls it (DigestList::name); empty for a compact list
  std::string_view signer;
  uint32_t digests = 0;   // published ones, duplicates within the list included
  uint32_t left_out = 0;  // files with a digest that the kernel does not use, or none
  // 0: somebody loaded it by name, and it stays until somebody unloads it. Else whose it is: of a root, whose
  // lists follow its directories (list_origin() in policy/boot_trust.h).
  uint64_t origin = 0;
  // Of the file that was read (file_stamp(), the same place); 0: unknown. Equal stamps, equal content.
  uint64_t stamp = 0;
  uint16_t number = 0;  // of the owner of slots; 0: it has none yet
};

// How many bytes it takes, and writes it. Returns the end. REQUIRES: a hash of 32 bytes, texts of less than
// 64 KiB.
size_t registry_bytes(const LoadedList& list);
uint8_t* write_registry(const LoadedList& list, uint8_t* to);

class RegistryReader {
 public:
  RegistryReader(ByteView bytes, uint64_t base) : reader_(bytes, base) {}
  // The next one, which points into the bytes. kCorrupt with the offset.
  Result<LoadedList> next();

 private:
  ByteReader reader_;
};

}  // namespace diglim
