// SPDX-License-Identifier: Apache-2.0
// One generation of the digest table with the registry of the lists that it was made from: the content of one
// frozen BPF map (layout in bpf/abi.h and FORMAT.md). The kernel's copy is the only state: a loader reads it,
// makes the next one, publishes it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bpf/abi.h"
#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"

namespace diglim {

// What is known of one loaded list.
struct LoadedList {
  std::string name;     // the file's name without directories; one list a name
  Bytes content_hash;   // SHA-256 of the bytes that were verified
  std::string package;  // what the signed header calls it (DigestList::name); empty for a compact list
  std::string signer;
  uint32_t digests = 0;   // published ones, duplicates within the list included
  uint32_t left_out = 0;  // files with a digest that the kernel does not use, or none
  // 0: somebody loaded it by name, and it stays until somebody unloads it. Else whose it is: of a root, whose
  // lists follow its directories (list_origin() in policy/boot_trust.h).
  uint64_t origin = 0;
  // Of the file that was read (file_stamp(), the same place); 0: unknown. Equal stamps, equal content.
  uint64_t stamp = 0;
};

// Not thread-safe. Movable.
class Generation {
 public:
  // An empty one; `number` 0 means that nothing was published yet.
  explicit Generation(HashAlgo algo) : algo_(algo) {}

  // The content of a generation map. Copies what it needs. kCorrupt with the offset if the bytes contradict
  // themselves: they come from the kernel's frozen map, so that would be a bug or another version
  // (kUnsupported).
  static Result<Generation> decode(ByteView map);

  HashAlgo algo() const { return algo_; }
  uint64_t number() const { return number_; }
  uint64_t last_removal() const { return last_removal_; }
  uint64_t loaded_at() const { return loaded_at_; }
  // As of decode() or seal().
  size_t distinct_digests() const { return distinct_; }
  const std::vector<LoadedList>& lists() const { return lists_; }

  // The manifest that was measured last (lib/manifest/FORMAT.md): 0 and empty if nothing is measured.
  uint64_t manifest_number() const { return manifest_number_; }
  const Bytes& manifest_hash() const { return manifest_hash_; }
  // REQUIRES: a hash of 32 bytes.
  void set_manifest(uint64_t number, Bytes hash);

  enum class Change { kAdded, kReplaced, kSame };
  // Adds a list, or replaces the one of the same name. kSame (and no change) if that one has the same content
  // hash. `digests`: concatenated, of algo(). kInvalid for a name that is empty, longer than 255 bytes or
  // contains '/'; for a digest of all zeros, which the table cannot hold. kUnsupported for more than 2^26
  // digests in all lists, each counted as often as it is named.
  Result<Change> put(LoadedList list, Bytes digests);
  // False if there is no list of that name. The last list takes its place in lists().
  bool remove(std::string_view name);
  // The loaded list of that name, or null. Valid until the next change.
  const LoadedList* find(std::string_view name) const;
  // REQUIRES: find(name).
  void set_source(std::string_view name, uint64_t origin, uint64_t stamp);

  // Makes this the successor of what was decoded: the next number, last_removal if a digest is gone, and the
  // table. Call once, after all changes. kUnsupported if the digests do not fit a table (only digests chosen
  // to collide could do that), or the lists a registry.
  Result<void> seal(uint64_t now_seconds);

  // How many 256-byte elements the map needs, and writes them. REQUIRES: seal(); out.size() == elements() *
  // 256, zeroed.
  size_t elements() const;
  void encode(std::span<uint8_t> out) const;

 private:
  struct Numbered {                  // by id
    std::vector<uint64_t> words;     // the first eight bytes of each digest
    std::vector<uint32_t> again;     // 1 + id of the same digest in another list, or 0
    std::vector<uint32_t> distinct;  // ids, of equal digests the first
  };
  Numbered number_digests();
  // REQUIRES: number_digests() since the last change.
  const uint8_t* slot(uint32_t id) const {
    const uint32_t list = list_of_[id];
    return slots_[list].data() + size_t{id - first_id_[list]} * DIGLIM_SLOT_SIZE;
  }

  HashAlgo algo_;
  uint64_t number_ = 0;
  uint64_t last_removal_ = 0;
  uint64_t loaded_at_ = 0;
  uint64_t manifest_number_ = 0;
  Bytes manifest_hash_;
  size_t distinct_ = 0;
  size_t named_ = 0;  // digests of all lists, each counted as often as it is named
  std::vector<LoadedList> lists_;
  std::vector<Bytes> slots_;  // parallel to lists_: of each digest what a slot holds
  std::vector<Bytes> gone_;   // of removed and replaced lists, since decode() or seal()
  std::unordered_map<std::string, size_t> by_name_;  // index into lists_

  // Made by seal().
  std::vector<uint32_t> first_id_;  // of each list
  std::vector<uint32_t> list_of_;   // of each id
  uint32_t buckets_ = 0;
  std::vector<uint32_t> place_;  // slot of the table -> 1 + id, or 0
  Bytes registry_;
};

// True if the table in `map` (an encoded generation) has the digest: what the kernel does, for tests and
// benchmarks.
bool table_has(ByteView map, ByteView digest);

}  // namespace diglim
