// SPDX-License-Identifier: Apache-2.0
// The kernel's module signature format (struct module_signature, include/linux/module_signature.h): content,
// signature, a 12-byte block that describes the signature, and a marker line. See FORMAT.md.
#pragma once

#include "lib/base/bytes.h"

namespace diglim {

enum class SignatureType : uint8_t { kPgp = 0, kX509 = 1, kPkcs7 = 2 };

struct AppendedSignature {
  ByteView content;  // what is signed; views live as long as the file's bytes
  ByteView signature;
  SignatureType type = SignatureType::kPkcs7;
  uint64_t signature_offset = 0;  // in the file
};

// True if the file ends in the marker "~Module signature appended~\n".
bool has_appended_signature(ByteView file);

// kUntrusted ("no appended signature") without the marker; kCorrupt for a block that contradicts itself or
// the file's size, or has non-zero reserved bytes.
Result<AppendedSignature> split_appended_signature(ByteView file);

// content || signature || block || marker.
Bytes append_signature(ByteView content, ByteView signature, SignatureType type);

}  // namespace diglim
