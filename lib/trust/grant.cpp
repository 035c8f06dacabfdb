// SPDX-License-Identifier: Apache-2.0
#include "lib/trust/grant.h"

namespace diglim {

Bytes grants_to_blob(std::span<const Grant> grants) {
  Bytes blob;
  for (const Grant& grant : grants) {
    for (const ByteView part : {as_bytes(grant.signer), ByteView(grant.keys)}) {
      put_u32_le(blob, static_cast<uint32_t>(part.size()));
      append(blob, part);
    }
  }
  return blob;
}

Result<std::vector<Grant>> grants_from_blob(ByteView blob) {
  std::vector<Grant> grants;
  ByteReader reader(blob);
  while (!reader.empty()) {
    if (grants.size() == kMaxGrants) return corrupt(reader.offset(), "too many granted keys");
    TRY_ASSIGN(const uint32_t signer_size, reader.u32_le());
    TRY_ASSIGN(const ByteView signer, reader.bytes(signer_size));
    TRY_ASSIGN(const uint32_t keys_size, reader.u32_le());
    TRY_ASSIGN(const ByteView keys, reader.bytes(keys_size));
    grants.push_back({std::string(as_text(signer)), to_bytes(keys)});
  }
  return grants;
}

}  // namespace diglim
