// SPDX-License-Identifier: Apache-2.0
// The deny lists in force together.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/revocation/deny_list.h"

namespace diglim {

// One whose signature was verified.
struct SignedDenyList {
  DenyList list;
  Bytes content;       // of which `list` was read
  Bytes content_hash;  // SHA-256 of the file, signature included
  std::string signer;  // for people
};

constexpr size_t kMaxDenyLists = 64;
constexpr size_t kMaxDenialBytes = 4u << 20;  // of all of them

class Denials {
 public:
  // Takes the place of the list of its name with a lower serial. kInvalid: that one has a higher serial, or
  // the same and is another. kUnsupported: too many, or too much.
  Result<void> add(SignedDenyList list);

  // By name.
  const std::vector<SignedDenyList>& lists() const { return lists_; }
  bool has(ByteView content_hash) const;

  // What speaks against it; null: nothing. `nevra`: "name-[epoch:]version-release.arch".
  const DenyEntry* of_digest(HashAlgo algo, ByteView digest) const;
  const DenyEntry* of_package(std::string_view nevra) const;
  // Sorted. Valid until the next add().
  std::span<const Bytes> digests(HashAlgo algo) const;

  // As the kernel keeps them, frozen. Layout in FORMAT.md. Nothing is verified again: REQUIRES the bytes of a
  // to_blob(). kCorrupt with the offset.
  Bytes to_blob() const;
  static Result<Denials> from_blob(ByteView blob);

 private:
  void sort_digests();
  std::vector<SignedDenyList> lists_;
  std::map<HashAlgo, std::vector<Bytes>> digests_;  // of all lists: each digest list asks
};

}  // namespace diglim
