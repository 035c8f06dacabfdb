// SPDX-License-Identifier: Apache-2.0
#include "lib/generation/generation.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "lib/base/text.h"
#include "lib/generation/cuckoo.h"
#include "lib/generation/registry.h"

namespace diglim {
namespace {

constexpr size_t kElement = sizeof(diglim_bucket);
constexpr size_t kMaxDigests = 1u << 26;  // 2 GiB of table: a bound, not a goal

uint64_t first_word(const uint8_t* digest) {
  uint64_t word = 0;
  std::memcpy(&word, digest, sizeof(word));
  return word;
}

bool is_empty(const uint8_t* slot) {
  static constexpr uint8_t kEmpty[DIGLIM_SLOT_SIZE] = {};
  return std::memcmp(slot, kEmpty, sizeof(kEmpty)) == 0;
}

// Padded with zeros or cut, where a digest has not the size of a slot.
Bytes to_slots(Bytes digests, size_t size) {
  if (size == DIGLIM_SLOT_SIZE) return digests;
  Bytes slots(digests.size() / size * DIGLIM_SLOT_SIZE, 0);
  for (size_t from = 0, to = 0; to < slots.size(); from += size, to += DIGLIM_SLOT_SIZE)
    std::memcpy(&slots[to], &digests[from], std::min<size_t>(size, DIGLIM_SLOT_SIZE));
  return slots;
}

}  // namespace

Result<Generation::Change> Generation::put(LoadedList list, Bytes digests) {
  if (list.name.empty() || list.name.size() > 255 || list.name.find('/') != std::string::npos) {
    return invalid("a list's name has 1 to 255 bytes and no '/'");
  }
  const size_t count = digests.size() / hash_size(algo_);
  if (count + named_ > kMaxDigests) return unsupported("more digests than a table may have");
  Bytes slots = to_slots(std::move(digests), hash_size(algo_));
  for (size_t at = 0; at < slots.size(); at += DIGLIM_SLOT_SIZE) {
    if (is_empty(&slots[at])) return invalid("a digest of zeros only");
  }
  const auto [known, added] = by_name_.try_emplace(list.name, lists_.size());
  if (!added && lists_[known->second].content_hash == list.content_hash) return Change::kSame;
  list.digests = static_cast<uint32_t>(count);
  named_ += count;
  if (added) {
    lists_.push_back(std::move(list));
    slots_.push_back(std::move(slots));
    return Change::kAdded;
  }
  LoadedList& old = lists_[known->second];
  named_ -= old.digests;
  old = std::move(list);
  gone_.push_back(std::exchange(slots_[known->second], std::move(slots)));
  return Change::kReplaced;
}

bool Generation::remove(std::string_view name) {
  const auto found = by_name_.find(std::string(name));
  if (found == by_name_.end()) return false;
  const size_t at = found->second;
  by_name_.erase(found);
  named_ -= lists_[at].digests;
  gone_.push_back(std::move(slots_[at]));
  if (at + 1 < lists_.size()) {
    lists_[at] = std::move(lists_.back());
    slots_[at] = std::move(slots_.back());
    by_name_[lists_[at].name] = at;
  }
  lists_.pop_back();
  slots_.pop_back();
  return true;
}

const LoadedList* Generation::find(std::string_view name) const {
  const auto found = by_name_.find(std::string(name));
  return found == by_name_.end() ? nullptr : &lists_[found->second];
}

void Generation::set_source(std::string_view name, uint64_t origin, uint64_t stamp) {
  LoadedList& list = lists_[by_name_.at(std::string(name))];
  list.origin = origin;
  list.stamp = stamp;
}

// Numbers all digests through, in the order of the lists, and finds those that are equal.
Generation::Numbered Generation::number_digests() {
  Numbered all{std::vector<uint64_t>(named_), std::vector<uint32_t>(named_, 0),
               std::vector<uint32_t>(named_)};
  // Open addressing in at most two thirds of the places; a digest is random already, so nothing is hashed.
  std::vector<uint32_t> index(std::bit_ceil(named_ * 3 / 2 + 1), 0);  // 1 + id, or 0
  const auto look_up = [this, words = all.words.data(), ids = index.data(), mask = index.size() - 1](
                           uint64_t word, const uint8_t* bytes) -> uint32_t& {
    for (size_t at = word & mask;; at = (at + 1) & mask) {
      const uint32_t id = ids[at];
      if (id == 0) return ids[at];
      if (words[id - 1] == word && std::memcmp(slot(id - 1), bytes, DIGLIM_SLOT_SIZE) == 0) return ids[at];
    }
  };
  first_id_.clear();
  list_of_.resize(named_);
  uint32_t id = 0;
  distinct_ = 0;
  for (uint32_t list = 0; list < slots_.size(); ++list) {
    first_id_.push_back(id);
    const uint8_t* const end = slots_[list].data() + slots_[list].size();
    for (const uint8_t* at = slots_[list].data(); at != end; at += DIGLIM_SLOT_SIZE, ++id) {
      list_of_[id] = list;
      all.words[id] = first_word(at);
      uint32_t& first = look_up(all.words[id], at);
      if (first == 0) {
        first = id + 1;
        all.distinct[distinct_++] = id;
      } else {
        all.again[id] = std::exchange(all.again[first - 1], id + 1);
      }
    }
  }
  all.distinct.resize(distinct_);
  // Cached verdicts survive when nothing is missing: a replaced list often only moved its digests.
  for (const Bytes& slots : std::exchange(gone_, {})) {
    for (size_t at = 0; at < slots.size(); at += DIGLIM_SLOT_SIZE) {
      if (look_up(first_word(&slots[at]), &slots[at]) == 0) last_removal_ = number_;
    }
  }
  return all;
}

Result<void> Generation::seal(uint64_t now_seconds) {
  ++number_;
  loaded_at_ = now_seconds;
  Numbered all = number_digests();
  TRY_ASSIGN(CuckooTable table, CuckooTable::build(all.words, all.distinct));
  buckets_ = table.buckets;
  place_ = std::move(table.places);
  // The table is walked once, and each place noted for all lists that have its digest: so each has them
  // sorted.
  std::vector<uint32_t> places = std::move(all.distinct);  // fresh memory costs more than what is done in it
  places.resize(named_);
  std::vector<uint32_t> next = first_id_;
  for (uint32_t at = 0; at < place_.size(); ++at) {
    for (uint32_t id = place_[at]; id != 0; id = all.again[id - 1]) places[next[list_of_[id - 1]]++] = at;
  }
  RegistryWriter writer;
  for (size_t i = 0; i < lists_.size(); ++i)
    writer.add(lists_[i], std::span(places).subspan(first_id_[i], lists_[i].digests));
  registry_ = std::move(writer).take();
  if (registry_.size() > UINT32_MAX)
    return unsupported("the lists together name more digests than a registry holds");
  return {};
}

size_t Generation::elements() const {
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
  header.digests = static_cast<uint32_t>(distinct_);
  header.lists = static_cast<uint32_t>(lists_.size());
  header.registry_bytes = static_cast<uint32_t>(registry_.size());
  header.loaded_at = loaded_at_;
  header.manifest_number = manifest_number_;
  std::copy(manifest_hash_.begin(), manifest_hash_.end(), header.manifest_hash);
  std::memcpy(out.data(), &header, sizeof(header));
  uint8_t* to = out.data() + kElement;
  for (const uint32_t id : place_) {
    if (id != 0) std::memcpy(to, slot(id - 1), DIGLIM_SLOT_SIZE);
    to += DIGLIM_SLOT_SIZE;
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
  if (header.digests > uint64_t{header.buckets} * DIGLIM_SLOTS)
    return corrupt(28, "more digests than places");
  const size_t table_bytes = size_t{header.buckets} * kElement;
  if (table_bytes + kElement + header.registry_bytes > map.size()) return corrupt(24, "sizes exceed the map");

  Generation generation(*algo);
  generation.number_ = header.number;
  generation.last_removal_ = header.last_removal;
  generation.loaded_at_ = header.loaded_at;
  generation.distinct_ = header.digests;
  generation.manifest_number_ = header.manifest_number;
  if (header.manifest_number != 0)
    generation.manifest_hash_.assign(header.manifest_hash,
                                     header.manifest_hash + sizeof(header.manifest_hash));
  const ByteView table = map.subspan(kElement, table_bytes);
  const size_t registry_at = kElement + table_bytes;
  RegistryReader reader(map.subspan(registry_at, header.registry_bytes), registry_at);
  std::vector<uint32_t> places;
  for (uint32_t i = 0; i < header.lists; ++i) {
    LoadedList list;
    TRY(reader.next(table_bytes / DIGLIM_SLOT_SIZE, list, places));
    Bytes slots(places.size() * DIGLIM_SLOT_SIZE);
    for (size_t k = 0; k < places.size(); ++k) {
      const uint8_t* const slot = &table[size_t{places[k]} * DIGLIM_SLOT_SIZE];
      if (is_empty(slot)) return corrupt(registry_at, escape(list.name) + " names an empty place");
      std::memcpy(&slots[k * DIGLIM_SLOT_SIZE], slot, DIGLIM_SLOT_SIZE);
    }
    generation.named_ += places.size();
    if (!generation.by_name_.try_emplace(list.name, i).second)
      return corrupt(registry_at, escape(list.name) + " is there twice");
    generation.lists_.push_back(std::move(list));
    generation.slots_.push_back(std::move(slots));
  }
  return generation;
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
