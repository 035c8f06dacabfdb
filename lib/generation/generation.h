// SPDX-License-Identifier: Apache-2.0
// One generation of the digest table with the registry of the lists that it was made from: the content of one
// frozen BPF map (layout in bpf/abi.h and FORMAT.md). The kernel's copy is the only state: a loader maps it,
// makes the next one beside it, publishes that.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bpf/abi.h"
#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"
#include "lib/generation/cuckoo.h"
#include "lib/generation/registry.h"

namespace diglim {

// Not thread-safe. Movable.
class Generation {
 public:
  // An empty one; `number` 0 means that nothing was published yet.
  explicit Generation(HashAlgo algo);
  Generation(Generation&&) = default;
  Generation& operator=(Generation&&) = default;

  // The content of a generation map, aligned to 8. Points into it; `keep` is held as long. kCorrupt with the
  // offset if the bytes contradict themselves: they come from the kernel's frozen map, so that would be a bug
  // or another version (kUnsupported).
  static Result<Generation> decode(ByteView map, std::shared_ptr<const void> keep);

  HashAlgo algo() const { return static_cast<HashAlgo>(header_.algo); }
  uint64_t number() const { return header_.number; }
  uint64_t last_removal() const { return header_.last_removal; }
  uint64_t loaded_at() const { return header_.loaded_at; }
  // As of decode() or seal().
  size_t distinct_digests() const { return header_.digests; }

  // Their views are valid until the next change.
  const std::vector<LoadedList>& lists() const { return lists_; }
  // What changed since decode(). A list whose content changed is in both.
  std::vector<LoadedList> added() const;
  const std::vector<LoadedList>& removed() const { return removed_; }

  // The manifest that was measured last (lib/manifest/FORMAT.md): 0 and empty if nothing is measured.
  uint64_t manifest_number() const { return header_.manifest_number; }
  ByteView manifest_hash() const;
  // Also after seal(). REQUIRES: a hash of 32 bytes.
  void set_manifest(uint64_t number, ByteView hash);

  // Monitor mode (bpf/abi.h), as the generation in force has it; the next one keeps it unless it is changed.
  struct Monitor {
    uint64_t until_ns = 0;  // by the kernel's CLOCK_BOOTTIME; 0: it was not begun, or was ended
    uint32_t count = 0;     // how often it was begun in this boot
    std::string reason;
  };
  Monitor monitor() const;
  // Begins it, or gives it another end. kInvalid for a reason that is longer than DIGLIM_MONITOR_REASON.
  Result<void> begin_monitor(uint64_t until_ns, std::string_view reason);
  void end_monitor();

  enum class Change { kAdded, kReplaced, kSame };
  // Adds a list, or replaces the one of the same name; texts are copied. kSame (and no change) if that one
  // has the same content hash. `digests`: concatenated, of algo(). kInvalid for a name that is empty, longer
  // than 255 bytes or contains '/'; for a digest that begins with eight zeros, which the table cannot hold.
  // kUnsupported for more than 65,535 lists; for more than 2^26 digests in all lists, each counted as often
  // as it is named. REQUIRES: a content hash of 32 bytes.
  Result<Change> put(LoadedList list, Bytes digests);
  // False if there is no list of that name. The last list takes its place in lists().
  bool remove(std::string_view name);
  // The loaded list of that name, or null. Valid until the next change.
  const LoadedList* find(std::string_view name) const;
  // REQUIRES: find(name).
  void set_source(std::string_view name, uint64_t origin, uint64_t stamp);

  // The deny lists in force, as bytes that mean nothing here (Denials::to_blob()). Valid until the next
  // change.
  ByteView denials() const { return denials_; }
  // Replaces them, and takes these digests of algo() from the lists that were decoded. Lists that are put
  // must be without them already. REQUIRES: less than 4 GiB.
  void deny(Bytes denials, std::span<const Bytes> digests);

  // The granted keys in force, the same way (grants_to_blob()).
  ByteView grants() const { return grants_; }
  void set_grants(Bytes grants);

  // Memory for so many elements of 256 bytes, zeroed. It is asked for again if the digests find no place;
  // only what it gave last has to last.
  using Allocate = std::function<Result<std::span<uint8_t>>(size_t elements)>;

  // Writes the successor of what was decoded: the next number, last_removal if a digest is gone, and the
  // table. Where there is room, all digests stay in their places, and only what changed is written to the
  // copy. Call once, after all changes but set_manifest(). kUnsupported if the digests do not fit a table
  // (only digests chosen to collide could do that), or the lists a registry; errors of `allocate`.
  Result<void> seal(uint64_t now_seconds, const Allocate& allocate);

 private:
  struct Fresh {  // what a list owns that is not in `map_`
    Bytes texts;
    Bytes slots;
  };
  struct Shared {  // `list` names a digest, too, that is another list's
    const Digest* digest;
    uint32_t place;
    uint16_t list;
  };
  struct Layout;
  struct Attempt;
  struct Gone;
  void number_lists();
  Gone find_gone() const;
  Result<Attempt> build(uint32_t buckets, size_t room, bool in_place, const Gone& gone,
                        const Allocate& allocate) const;
  void write_header();

  diglim_generation header_ = {};
  size_t named_ = 0;        // digests of all lists, each counted as often as it is named
  size_t fresh_named_ = 0;  // of lists that were put
  std::vector<LoadedList> lists_;
  std::vector<Fresh> fresh_;  // parallel to lists_; empty for those in `map_`
  std::vector<LoadedList> removed_;
  std::unordered_map<std::string_view, size_t> by_name_;  // index into lists_

  // The generation in force.
  std::shared_ptr<const void> keep_;
  std::span<const Digest> slots_;
  std::span<const uint16_t> owners_;
  std::vector<Shared> shared_;

  Bytes new_denials_;  // that denials_ points into, unless it points into the generation in force
  ByteView denials_;
  std::vector<Digest> denied_;
  Bytes new_grants_;  // the same of grants_
  ByteView grants_;

  std::span<uint8_t> written_;  // by seal()
};

}  // namespace diglim
