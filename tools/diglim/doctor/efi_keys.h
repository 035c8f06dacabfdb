// SPDX-License-Identifier: Apache-2.0
// The firmware's database of what it boots: EFI_SIGNATURE_LIST (UEFI specification 2.10, 32.4.1).
#pragma once

#include <string>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/result.h"

namespace diglim::doctor {

struct EfiKeys {
  struct Key {
    std::string subject;  // "CN=Admin", printable
    Bytes der;
  };
  std::vector<Key> keys;
  size_t images = 0;  // that it boots by their hash, whoever signed them
  size_t others = 0;  // of kinds that are not known here: whom they let in nobody can say
};

// `variable`: db, without the four bytes of attributes before it. kCorrupt: it is cut short, or its sizes do
// not fit each other.
Result<EfiKeys> read_efi_keys(ByteView variable);

}  // namespace diglim::doctor
