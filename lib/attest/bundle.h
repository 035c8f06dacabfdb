// SPDX-License-Identifier: Apache-2.0
// One file with all that a verifier needs from a machine. Nothing in it is trusted by itself. FORMAT.md has
// the layout and the limits.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"

namespace diglim {

constexpr size_t kMaxBundleBytes = 256u << 20;

struct Bundle {
  Bytes attest;     // TPMS_ATTEST
  Bytes signature;  // TPMT_SIGNATURE
  Bytes ak;         // TPM2B_PUBLIC
  HashAlgo bank = HashAlgo::kSha256;
  std::map<unsigned, Bytes> pcrs;  // of `bank`: what was quoted
  Bytes ima_log;
  std::vector<Bytes> manifests;  // in the order in which they were written
  bool operator==(const Bundle&) const = default;
};

// The same without owning anything: views into the file that was read.
struct BundleView {
  ByteView attest, signature, ak;
  HashAlgo bank = HashAlgo::kSha256;
  std::map<unsigned, ByteView> pcrs;
  ByteView ima_log;
  std::vector<ByteView> manifests;
};

// kInvalid: something is larger than the format allows.
Result<Bytes> write_bundle(const Bundle& bundle);

// kCorrupt with the offset; kUnsupported: another version.
Result<BundleView> view_bundle(ByteView file);
Result<Bundle> read_bundle(ByteView file);

}  // namespace diglim
