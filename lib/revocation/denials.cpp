// SPDX-License-Identifier: Apache-2.0
#include "lib/revocation/denials.h"

#include <algorithm>

#include "lib/rpm/version.h"

namespace diglim {
namespace {

constexpr size_t kHashBytes = 32;
constexpr size_t kMaxSigner = 1024;

template <typename Match>
const DenyEntry* find(const std::vector<SignedDenyList>& lists, DenyEntry::Kind kind, Match match) {
  for (const SignedDenyList& one : lists) {
    for (const DenyEntry& denial : one.list.denials) {
      if (denial.kind == kind && match(denial)) return &denial;
    }
  }
  return nullptr;
}

Result<ByteView> read_part(ByteReader& reader) {
  TRY_ASSIGN(const uint32_t size, reader.u32_le());
  return reader.bytes(size);
}

}  // namespace

Result<void> Denials::add(SignedDenyList list) {
  const auto at = std::ranges::lower_bound(lists_, list.list.name, {},
                                           [](const SignedDenyList& one) { return one.list.name; });
  const bool replaces = at != lists_.end() && at->list.name == list.list.name;
  if (replaces && list.list.serial <= at->list.serial) {
    if (list.content_hash == at->content_hash) return {};
    return invalid("serial " + std::to_string(list.list.serial) + " of the deny list " + list.list.name +
                   ", of which serial " + std::to_string(at->list.serial) + " is in force");
  }
  size_t bytes = list.content.size();
  for (const SignedDenyList& one : lists_) bytes += one.content.size();
  if (bytes > kMaxDenialBytes || (!replaces && lists_.size() == kMaxDenyLists))
    return unsupported("more than 64 deny lists, or 4 MiB of them");
  list.signer.resize(std::min(list.signer.size(), kMaxSigner));
  if (replaces) {
    *at = std::move(list);
  } else {
    lists_.insert(at, std::move(list));
  }
  sort_digests();
  return {};
}

void Denials::sort_digests() {
  digests_.clear();
  for (const SignedDenyList& one : lists_) {
    for (const DenyEntry& denial : one.list.denials) {
      if (denial.kind == DenyEntry::Kind::kDigest) digests_[denial.algo].push_back(denial.digest);
    }
  }
  for (auto& [algo, digests] : digests_) std::sort(digests.begin(), digests.end());
}

bool Denials::has(ByteView content_hash) const {
  return std::ranges::any_of(
      lists_, [&](const SignedDenyList& one) { return std::ranges::equal(one.content_hash, content_hash); });
}

const DenyEntry* Denials::of_digest(HashAlgo algo, ByteView digest) const {
  return find(lists_, DenyEntry::Kind::kDigest, [&](const DenyEntry& denial) {
    return denial.algo == algo && std::ranges::equal(denial.digest, digest);
  });
}

const DenyEntry* Denials::of_package(std::string_view nevra) const {
  const auto package = rpm::split_nevra(nevra);
  if (!package) return nullptr;
  return find(lists_, DenyEntry::Kind::kPackage, [&](const DenyEntry& denial) {
    return denial.package == package->name && rpm::compare_evr(package->evr, denial.below) < 0;
  });
}

std::span<const Bytes> Denials::digests(HashAlgo algo) const {
  const auto found = digests_.find(algo);
  return found == digests_.end() ? std::span<const Bytes>() : std::span<const Bytes>(found->second);
}

Bytes Denials::to_blob() const {
  Bytes blob;
  for (const SignedDenyList& one : lists_) {
    append(blob, one.content_hash);
    for (const ByteView part : {as_bytes(one.signer), ByteView(one.content)}) {
      put_u32_le(blob, static_cast<uint32_t>(part.size()));
      append(blob, part);
    }
  }
  return blob;
}

Result<Denials> Denials::from_blob(ByteView blob) {
  Denials denials;
  ByteReader reader(blob);
  while (!reader.empty()) {
    SignedDenyList one;
    TRY_ASSIGN(const ByteView hash, reader.bytes(kHashBytes));
    one.content_hash = to_bytes(hash);
    TRY_ASSIGN(const ByteView signer, read_part(reader));
    one.signer = as_text(signer);
    TRY_ASSIGN(const ByteView content, read_part(reader));
    one.content = to_bytes(content);
    TRY_ASSIGN(one.list, read_deny_list(content));
    const size_t before = denials.lists_.size();
    if (before > 0 && denials.lists_.back().list.name >= one.list.name)
      return corrupt(reader.offset(), "deny lists out of order");
    TRY(denials.add(std::move(one)));
  }
  return denials;
}

}  // namespace diglim
