// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/doctor/efi_keys.h"

#include <algorithm>
#include <array>

#include "lib/base/error.h"
#include "lib/crypto/x509.h"

namespace diglim::doctor {
namespace {

constexpr size_t kGuid = 16;
constexpr size_t kHeader = kGuid + 12;  // kind, three sizes
// As they lie there: the first three parts of a GUID are little-endian.
constexpr std::array<uint8_t, kGuid> kX509 = {0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a,
                                              0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72};
constexpr std::array<uint8_t, kGuid> kSha256 = {0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40,
                                                0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28};

void add(EfiKeys& keys, ByteView kind, ByteView data) {
  if (std::ranges::equal(kind, kSha256)) {
    ++keys.images;
    return;
  }
  const auto certificates =
      std::ranges::equal(kind, kX509) ? read_x509(data) : Result<std::vector<X509Ptr>>(unsupported("kind"));
  if (!certificates || certificates->size() != 1) {
    ++keys.others;
    return;
  }
  keys.keys.push_back({x509_subject(*certificates->front()), to_bytes(data)});
}

}  // namespace

Result<EfiKeys> read_efi_keys(ByteView variable) {
  EfiKeys keys;
  ByteReader reader(variable);
  while (!reader.empty()) {
    const uint64_t at = reader.offset();
    TRY_ASSIGN(const ByteView kind, reader.bytes(kGuid));
    TRY_ASSIGN(const uint32_t list_size, reader.u32_le());
    TRY_ASSIGN(const uint32_t header_size, reader.u32_le());
    TRY_ASSIGN(const uint32_t size, reader.u32_le());
    if (list_size < kHeader || size <= kGuid) return corrupt(at, "a list of keys has impossible sizes");
    TRY_ASSIGN(ByteReader list, reader.sub(list_size - kHeader));
    TRY(list.skip(header_size));
    while (!list.empty()) {
      TRY(list.skip(kGuid));  // whose it is
      TRY_ASSIGN(const ByteView data, list.bytes(size - kGuid));
      add(keys, kind, data);
    }
  }
  return keys;
}

}  // namespace diglim::doctor
