// SPDX-License-Identifier: Apache-2.0
#include "lib/cms/appended_signature.h"

namespace diglim {
namespace {

// MODULE_SIG_STRING, include/linux/module_signature.h; 28 bytes without a terminating zero.
constexpr std::string_view kMarker = "~Module signature appended~\n";
constexpr size_t kBlockBytes = 12;  // sizeof(struct module_signature)

Result<SignatureType> read_type(uint8_t id_type, uint64_t offset) {
  switch (id_type) {
    case 0:
      return SignatureType::kPgp;
    case 1:
      return SignatureType::kX509;
    case 2:
      return SignatureType::kPkcs7;
    default:
      return corrupt(offset, "unknown signature type " + std::to_string(id_type));
  }
}

}  // namespace

bool has_appended_signature(ByteView file) {
  return as_text(file).ends_with(kMarker);
}

Result<AppendedSignature> split_appended_signature(ByteView file) {
  if (!has_appended_signature(file)) return untrusted("no appended signature");
  const ByteView body = file.first(file.size() - kMarker.size());
  if (body.size() < kBlockBytes) return corrupt(0, "no room for the block before the signature marker");
  const size_t block_offset = body.size() - kBlockBytes;
  ByteReader block(body.subspan(block_offset), block_offset);

  // algo, hash, signer_len and key_id_len belong to the kernel's formats before PKCS#7 and must be zero
  // (mod_check_sig(), kernel/module_signature.c), as must the three bytes of padding.
  TRY_ASSIGN(const uint8_t algo, block.u8());
  TRY_ASSIGN(const uint8_t hash, block.u8());
  TRY_ASSIGN(const SignatureType type, read_type(body[block_offset + 2], block_offset + 2));
  TRY(block.skip(1));
  if (algo != 0 || hash != 0)
    return corrupt(block_offset, "reserved byte of the signature block is not zero");
  TRY_ASSIGN(const ByteView reserved, block.bytes(5));
  for (uint8_t byte : reserved) {
    if (byte != 0) return corrupt(block_offset + 3, "reserved byte of the signature block is not zero");
  }
  TRY_ASSIGN(const uint32_t signature_size, block.u32_be());
  if (signature_size == 0) return corrupt(block_offset + 8, "empty signature");
  if (signature_size > block_offset) {
    return corrupt(block_offset + 8, "signature of " + std::to_string(signature_size) + " bytes, but only " +
                                         std::to_string(block_offset) + " before the block");
  }
  AppendedSignature result;
  result.signature_offset = block_offset - signature_size;
  result.content = body.first(result.signature_offset);
  result.signature = body.subspan(result.signature_offset, signature_size);
  result.type = type;
  return result;
}

Bytes append_signature(ByteView content, ByteView signature, SignatureType type) {
  Bytes file;
  file.reserve(content.size() + signature.size() + kBlockBytes + kMarker.size());
  append(file, content);
  append(file, signature);
  const uint8_t block[] = {0, 0, static_cast<uint8_t>(type), 0, 0, 0, 0, 0};
  append(file, block);
  put_u32_be(file, static_cast<uint32_t>(signature.size()));
  append(file, as_bytes(kMarker));
  return file;
}

}  // namespace diglim
