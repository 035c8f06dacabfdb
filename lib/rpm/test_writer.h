// SPDX-License-Identifier: Apache-2.0
// Test only: makes headers and package files, so that tests and fuzz seeds need no foreign package. A header
// list is append_signature(header, packets, SignatureType::kPgp) of lib/cms/appended_signature.h.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"

namespace diglim::rpm {

// Collects tags in the order of the calls; main() and signature() put the region around them. The data is
// aligned as each type wants it, as rpm does. Nothing is checked: tests write nonsense on purpose.
class HeaderWriter {
 public:
  HeaderWriter& string(uint32_t tag, std::string_view text);
  HeaderWriter& strings(uint32_t tag, const std::vector<std::string>& texts);
  HeaderWriter& number(uint32_t tag, uint32_t value);
  HeaderWriter& binary(uint32_t tag, ByteView bytes);
  HeaderWriter& raw(uint32_t tag, uint32_t type, uint32_t count, ByteView data, size_t alignment = 1);

  Bytes main() const { return finish(63); }       // region tag 63, HEADERIMMUTABLE
  Bytes signature() const { return finish(62); }  // region tag 62, HEADERSIGNATURES

 private:
  Bytes finish(uint32_t region_tag) const;
  Bytes index_;
  Bytes data_;
};

struct TestPackage {
  std::string name = "hello";
  std::string version = "2.0";
  std::string release = "1";
  std::optional<uint32_t> epoch;
  std::string arch = "x86_64";
  bool source = false;
  std::optional<uint32_t> digest_algo = 8;  // OpenPGP's number; 8 is sha256; nothing: MD5 by rpm's rule
  std::vector<std::string> digests;         // hexadecimal; empty for a directory
};

// The signed bytes of a package: a whole main header.
Bytes make_main_header(const TestPackage& package);

// The same with one file per element of `contents`, and a directory in front of them.
Bytes make_main_header_of(TestPackage package, HashAlgo algo, const std::vector<std::string>& contents);

// A whole file: lead, signature header with `signatures` (tag 267, 268: the packets; 278: base64 of each) and
// the SHA256 of the header (tag 273), padding, main header, payload.
Bytes make_package(ByteView main_header, const std::vector<std::pair<uint32_t, Bytes>>& signatures,
                   std::string_view payload = "payload");

// Overwrites four bytes. REQUIRES: they are there.
void patch_u32(Bytes& bytes, size_t at, uint32_t value);

}  // namespace diglim::rpm
