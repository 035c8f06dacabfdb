// SPDX-License-Identifier: Apache-2.0
#include "lib/digest_list/rpm_list.h"

#include <algorithm>

#include "lib/cms/appended_signature.h"
#include "lib/crypto/hash.h"
#include "lib/digest_list/not_counted.h"
#include "lib/rpm/header.h"
#include "lib/rpm/package.h"

namespace diglim {
namespace {

constexpr uint8_t kHeaderMagic[] = {0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0};
constexpr size_t kMaxNameBytes = 255 - 7;  // NAME_MAX without the ".XXXXXX" of write_file_atomically()
constexpr size_t kHashBytes = 8;

// Bit 7 is set in the first byte of every packet (RFC 9580 section 4.2); the tag is 2 in the old and the new
// encoding.
bool looks_like_signature_packet(ByteView packet) {
  constexpr size_t kMinBytes = 10;
  if (packet.size() < kMinBytes) return false;
  return (packet[0] & 0xfc) == 0x88 || packet[0] == 0xc2;
}

}  // namespace

Result<Bytes> make_rpm_list(ByteView region, std::span<const Bytes> packets) {
  if (packets.empty()) return untrusted("the package is not signed");
  Bytes content = to_bytes(kHeaderMagic);
  append(content, region);
  TRY(rpm::check_main_header(content, 0));
  Bytes signature;
  for (size_t i = 0; i < packets.size(); ++i) {
    if (!looks_like_signature_packet(packets[i]))
      return corrupt(0, "a signature tag that holds no OpenPGP signature");
    const auto before = packets.first(i);
    if (std::find(before.begin(), before.end(), packets[i]) == before.end()) append(signature, packets[i]);
  }
  return append_signature(content, signature, SignatureType::kPgp);
}

Result<std::string> not_counted_in_rpm_list(ByteView list, HashAlgo kernel) {
  TRY_ASSIGN(const AppendedSignature parts, split_appended_signature(list));
  TRY_ASSIGN(const rpm::Package package, rpm::read_package(parts.content, 0));
  if (package.undigested > 0) return not_counted_text(package.undigested, std::nullopt, kernel);
  for (const auto& [algo, digests] : package.digests) {
    if (algo != kernel) return not_counted_text(digests.size() / hash_size(algo), algo, kernel);
  }
  return std::string();
}

Result<std::string> digest_kind_in_rpm_list(ByteView list) {
  TRY_ASSIGN(const AppendedSignature parts, split_appended_signature(list));
  TRY_ASSIGN(const rpm::Package package, rpm::read_package(parts.content, 0));
  if (package.digests.empty()) return std::string("without digests");
  return "with " + std::string(hash_name(package.digests.front().first)) + " digests only";
}

Result<std::string> rpm_list_name(std::string_view nvra) {
  std::string name(kRpmListPrefix);
  for (char c : nvra) {
    const auto byte = static_cast<uint8_t>(c);
    name += byte < 0x20 || byte == 0x7f || c == '/' ? '_' : c;
  }
  const bool changed = name.substr(kRpmListPrefix.size()) != nvra;
  if (!changed && name.size() <= kMaxNameBytes) return name;
  TRY_ASSIGN(const Bytes digest, hash(HashAlgo::kSha256, {as_bytes(nvra)}));
  name.resize(std::min(name.size(), kMaxNameBytes - 1 - 2 * kHashBytes));
  return name + "-" + to_hex(ByteView(digest).first(kHashBytes));
}

}  // namespace diglim
