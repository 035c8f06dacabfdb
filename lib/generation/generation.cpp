// SPDX-License-Identifier: Apache-2.0
#include "lib/generation/generation.h"

#include <algorithm>
#include <cstring>

#include "lib/generation/cuckoo.h"
#include "lib/generation/registry.h"

namespace diglim {
namespace {

constexpr size_t kElement = sizeof(diglim_bucket);
constexpr size_t kMaxDigests = 1u << 26;  // 2 GiB of table: a bound, not a goal

}  // namespace

Generation::Slot Generation::make_slot(ByteView digest) {
  Slot slot = {};
  std::memcpy(slot.word, digest.data(), std::min<size_t>(digest.size(), DIGLIM_SLOT_SIZE));
  return slot;
}

// Twice as many places as digests, so that probing stays short. A digest is random already: no hashing.
void Generation::index_slots(size_t capacity) {
  size_t size = 64;
  while (size < capacity * 2 + 2) size *= 2;
  index_.assign(size, 0);
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    size_t at = slots_[i].word[0] & (size - 1);
    while (index_[at] != 0) at = (at + 1) & (size - 1);
    index_[at] = i + 1;
  }
}

uint32_t Generation::intern(const Slot& slot) {
  if (index_.size() < slots_.size() * 2 + 2) index_slots(slots_.size());
  size_t at = slot.word[0] & (index_.size() - 1);
  for (; index_[at] != 0; at = (at + 1) & (index_.size() - 1)) {
    if (slots_[index_[at] - 1] == slot) return index_[at] - 1;
  }
  slots_.push_back(slot);
  index_[at] = static_cast<uint32_t>(slots_.size());
  return index_[at] - 1;
}

Result<Generation::Change> Generation::put(LoadedList list, ByteView digests) {
  if (list.name.empty() || list.name.size() > 255 || list.name.find('/') != std::string::npos) {
    return invalid("a list's name has 1 to 255 bytes and no '/'");
  }
  const size_t size = hash_size(algo_);
  if (digests.size() / size + slots_.size() > kMaxDigests)
    return unsupported("more digests than a table may have");
  const auto old = std::find_if(lists_.begin(), lists_.end(),
                                [&](const LoadedList& other) { return other.name == list.name; });
  if (old != lists_.end() && old->content_hash == list.content_hash) return Change::kSame;

  Entry entry;
  entry.members.reserve(digests.size() / size);
  const size_t capacity = slots_.size() + digests.size() / size;
  if (index_.size() < capacity * 2 + 2) index_slots(capacity);  // once, not at each doubling
  for (size_t at = 0; at + size <= digests.size(); at += size) {
    const Slot slot = make_slot(digests.subspan(at, size));
    if (slot == Slot{}) return invalid("a digest of zeros only");
    entry.members.push_back(intern(slot));
  }
  list.digests = static_cast<uint32_t>(entry.members.size());
  if (old == lists_.end()) {
    lists_.push_back(std::move(list));
    entries_.push_back(std::move(entry));
    return Change::kAdded;
  }
  entries_[static_cast<size_t>(old - lists_.begin())] = std::move(entry);
  *old = std::move(list);
  removed_ = true;
  return Change::kReplaced;
}

bool Generation::remove(std::string_view name) {
  const auto found =
      std::find_if(lists_.begin(), lists_.end(), [&](const LoadedList& list) { return list.name == name; });
  if (found == lists_.end()) return false;
  entries_.erase(entries_.begin() + (found - lists_.begin()));
  lists_.erase(found);
  removed_ = true;
  return true;
}

void Generation::seal(uint64_t now_seconds) {
  ++number_;
  loaded_at_ = now_seconds;
  // Keep only what some list still has, and number it anew.
  std::vector<uint32_t> renumbered(slots_.size(), 0);
  std::vector<Slot> kept;
  kept.reserve(slots_.size());
  for (Entry& entry : entries_) {
    for (uint32_t& member : entry.members) {
      if (renumbered[member] == 0) {
        kept.push_back(slots_[member]);
        renumbered[member] = static_cast<uint32_t>(kept.size());
      }
      member = renumbered[member] - 1;
    }
  }
  // Cached verdicts survive when nothing is missing: a replaced list often only moved its digests.
  if (removed_ && kept.size() < slots_.size()) last_removal_ = number_;
  removed_ = false;
  slots_ = std::move(kept);
  index_.clear();
}

Result<size_t> Generation::prepare() {
  std::vector<uint64_t> words(slots_.size());
  for (size_t i = 0; i < words.size(); ++i) words[i] = slots_[i].word[0];
  TRY_ASSIGN(CuckooTable table, CuckooTable::build(words));
  buckets_ = table.buckets;
  place_ = std::move(table.places);
  std::vector<uint32_t> where(slots_.size());
  for (uint32_t at = 0; at < place_.size(); ++at) {
    if (place_[at] != 0) where[place_[at] - 1] = at;
  }
  RegistryWriter writer;
  for (size_t i = 0; i < lists_.size(); ++i) writer.add(lists_[i], entries_[i].members, where);
  registry_ = std::move(writer).take();
  if (registry_.size() > UINT32_MAX)
    return unsupported("the lists together name more digests than a registry holds");
  return 1 + buckets_ + (registry_.size() + kElement - 1) / kElement;
}

void Generation::set_manifest(uint64_t number, Bytes hash) {
  manifest_number_ = number;
  manifest_hash_ = std::move(hash);
}

void Generation::encode(std::span<uint8_t> out) const {
  diglim_generation header = {};
  header.abi_version = DIGLIM_ABI_VERSION;
  header.algo = static_cast<uint32_t>(algo_);
  header.number = number_;
  header.last_removal = last_removal_;
  header.buckets = buckets_;
  header.digests = static_cast<uint32_t>(slots_.size());
  header.lists = static_cast<uint32_t>(lists_.size());
  header.registry_bytes = static_cast<uint32_t>(registry_.size());
  header.loaded_at = loaded_at_;
  header.manifest_number = manifest_number_;
  std::copy(manifest_hash_.begin(), manifest_hash_.end(), header.manifest_hash);
  std::memcpy(out.data(), &header, sizeof(header));
  for (size_t at = 0; at < place_.size(); ++at) {
    if (place_[at] != 0) {
      std::memcpy(out.data() + kElement + at * sizeof(Slot), &slots_[place_[at] - 1], sizeof(Slot));
    }
  }
  if (!registry_.empty()) {
    std::memcpy(out.data() + kElement * (1 + size_t{buckets_}), registry_.data(), registry_.size());
  }
}

Result<Generation> Generation::decode(ByteView map) {
  diglim_generation header = {};
  if (map.size() < sizeof(header)) return corrupt(0, "a generation map has at least 256 bytes");
  std::memcpy(&header, map.data(), sizeof(header));
  if (header.abi_version != DIGLIM_ABI_VERSION) {
    return unsupported("the running programs speak ABI version " + std::to_string(header.abi_version) +
                       ", this loader speaks " + std::to_string(DIGLIM_ABI_VERSION) +
                       ": reboot to change over");
  }
  const auto algo = hash_from_kernel(static_cast<uint16_t>(header.algo));
  if (!algo) return corrupt(4, "unknown hash algorithm");
  const size_t table_bytes = size_t{header.buckets} * kElement;
  if (table_bytes + kElement + header.registry_bytes > map.size()) return corrupt(24, "sizes exceed the map");

  Generation generation(*algo);
  generation.number_ = header.number;
  generation.last_removal_ = header.last_removal;
  generation.loaded_at_ = header.loaded_at;
  generation.manifest_number_ = header.manifest_number;
  if (header.manifest_number != 0)
    generation.manifest_hash_.assign(header.manifest_hash,
                                     header.manifest_hash + sizeof(header.manifest_hash));
  const ByteView table = map.subspan(kElement, table_bytes);
  std::vector<uint32_t> ids(size_t{header.buckets} * DIGLIM_SLOTS, 0);
  generation.slots_.reserve(header.digests);
  for (size_t at = 0; at < ids.size(); ++at) {
    Slot slot;
    std::memcpy(&slot, table.data() + at * sizeof(Slot), sizeof(Slot));
    if (slot == Slot{}) continue;
    generation.slots_.push_back(slot);
    ids[at] = static_cast<uint32_t>(generation.slots_.size());
  }
  if (generation.slots_.size() != header.digests)
    return corrupt(28, "the table has another number of digests");
  const size_t registry_at = kElement + table_bytes;
  RegistryReader reader(map.subspan(registry_at, header.registry_bytes), registry_at);
  for (uint32_t i = 0; i < header.lists; ++i) {
    LoadedList list;
    Entry entry;
    TRY(reader.next(ids, list, entry.members));
    generation.lists_.push_back(std::move(list));
    generation.entries_.push_back(std::move(entry));
  }
  return generation;  // not indexed: intern() does that if a list is put
}

bool table_has(ByteView map, ByteView digest) {
  diglim_generation header = {};
  std::memcpy(&header, map.data(), sizeof(header));
  uint64_t slot[DIGLIM_SLOT_SIZE / 8] = {};
  std::memcpy(slot, digest.data(), std::min<size_t>(digest.size(), DIGLIM_SLOT_SIZE));
  for (const uint32_t bucket :
       {first_bucket(slot[0], header.buckets), second_bucket(slot[0], header.buckets)}) {
    const uint8_t* at = map.data() + kElement * (1 + size_t{bucket});
    for (int i = 0; i < DIGLIM_SLOTS; ++i, at += DIGLIM_SLOT_SIZE) {
      if (std::memcmp(at, slot, DIGLIM_SLOT_SIZE) == 0) return true;
    }
  }
  return false;
}

}  // namespace diglim
