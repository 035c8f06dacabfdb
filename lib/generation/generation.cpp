// SPDX-License-Identifier: Apache-2.0
#include "lib/generation/generation.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "lib/base/text.h"

namespace diglim {
namespace {

constexpr size_t kElement = sizeof(diglim_bucket);
constexpr size_t kMaxDigests = 1u << 26;  // 2 GiB of table: a bound, not a goal
constexpr size_t kMaxTextBytes = 1024;
constexpr size_t kNumbers = UINT16_MAX + 1;
constexpr size_t kSharedBytes = sizeof(uint32_t) + sizeof(uint16_t);
// How full a new table is to become; the later ones for when some digests find no place. One that grew by
// little will grow again, so it begins with the second and has room.
constexpr double kLoads[] = {0.985, 0.97, 0.9, 0.8, 0.5};
constexpr size_t kLittle = 16;  // a sixteenth
// How full a table may become in place: beyond, a digest takes hundreds of moves.
constexpr double kFull = 0.99;
constexpr double kSparse = 0.9;  // emptier than that is made anew

// Padded with zeros or cut, where a digest has not the size of a slot.
Bytes to_slots(Bytes digests, size_t size) {
  if (size == DIGLIM_SLOT_SIZE) return digests;
  Bytes slots(digests.size() / size * DIGLIM_SLOT_SIZE, 0);
  for (size_t from = 0, to = 0; to < slots.size(); from += size, to += DIGLIM_SLOT_SIZE)
    std::memcpy(&slots[to], &digests[from], std::min<size_t>(size, DIGLIM_SLOT_SIZE));
  return slots;
}

std::span<const Digest> as_digests(ByteView slots) {
  return {reinterpret_cast<const Digest*>(slots.data()), slots.size() / sizeof(Digest)};
}

}  // namespace

// Where things lie in a map, from its begin.
struct Generation::Layout {
  Layout(uint64_t buckets, uint64_t registry_bytes, uint64_t shared_room, uint64_t deny_bytes,
         uint64_t grant_bytes)
      : places(buckets * DIGLIM_SLOTS),
        owners(kElement + places * DIGLIM_SLOT_SIZE),
        registry(owners + places * sizeof(uint16_t)),
        shared(registry + registry_bytes),
        denials(shared + shared_room * kSharedBytes),
        grants(denials + deny_bytes),
        end(grants + grant_bytes) {}
  uint64_t places;
  uint64_t owners;
  uint64_t registry;
  uint64_t shared;
  uint64_t denials;  // with the room that `shared` needs; when written, they lie behind what it took
  uint64_t grants;   // behind the denials
  uint64_t end;
};

// What was in the generation in force and is in no list of then any more.
struct Generation::Gone {
  std::vector<bool> lists;       // by number
  std::vector<uint32_t> places;  // slots of these lists, ascending
};

struct Generation::Attempt {
  std::span<uint8_t> map;
  Layout at;
  CuckooTable table;
  std::vector<Shared> shared;
  bool fits = false;
};

Generation::Generation(HashAlgo algo) {
  header_.abi_version = DIGLIM_ABI_VERSION;
  header_.algo = static_cast<uint32_t>(algo);
}

ByteView Generation::manifest_hash() const {
  if (header_.manifest_number == 0) return {};
  return header_.manifest_hash;
}

void Generation::set_manifest(uint64_t number, ByteView hash) {
  header_.manifest_number = number;
  std::copy_n(hash.begin(), sizeof(header_.manifest_hash), header_.manifest_hash);
  if (!written_.empty()) write_header();
}

Generation::Monitor Generation::monitor() const {
  return {header_.monitor_until,
          header_.monitors,
          {header_.monitor_reason, strnlen(header_.monitor_reason, sizeof(header_.monitor_reason))}};
}

Result<void> Generation::begin_monitor(uint64_t until_ns, std::string_view reason) {
  if (reason.size() > sizeof(header_.monitor_reason)) return invalid("the reason is too long");
  header_.monitor_until = until_ns;
  ++header_.monitors;
  std::fill(std::begin(header_.monitor_reason), std::end(header_.monitor_reason), '\0');
  std::copy(reason.begin(), reason.end(), header_.monitor_reason);
  return {};
}

void Generation::end_monitor() {
  header_.monitor_until = 0;
}

std::vector<LoadedList> Generation::added() const {
  std::vector<LoadedList> added;
  for (size_t i = 0; i < lists_.size(); ++i) {
    if (!fresh_[i].texts.empty()) added.push_back(lists_[i]);
  }
  return added;
}

Result<Generation::Change> Generation::put(LoadedList list, Bytes digests) {
  if (list.name.empty() || list.name.size() > 255 || list.name.find('/') != std::string::npos) {
    return invalid("a list's name has 1 to 255 bytes and no '/'");
  }
  const size_t count = digests.size() / hash_size(algo());
  if (count + named_ > kMaxDigests) return unsupported("more digests than a table may have");
  Fresh fresh{{}, to_slots(std::move(digests), hash_size(algo()))};
  for (const Digest& digest : as_digests(fresh.slots)) {
    if (digest[0] == 0) return invalid("a digest that begins with eight zeros");
  }
  const auto known = by_name_.find(list.name);
  const bool replaces = known != by_name_.end();
  if (replaces && std::ranges::equal(lists_[known->second].content_hash, list.content_hash))
    return Change::kSame;
  if (!replaces && lists_.size() == kNumbers - 1) return unsupported("more lists than a table may have");
  if (replaces) (void)remove(list.name);

  list.digests = static_cast<uint32_t>(count);
  list.number = 0;
  list.package = list.package.substr(0, kMaxTextBytes);
  list.signer = list.signer.substr(0, kMaxTextBytes);
  fresh.texts = to_bytes(list.content_hash);
  for (const std::string_view text : {list.name, list.package, list.signer})
    append(fresh.texts, as_bytes(text));
  const ByteView texts(fresh.texts);
  size_t at = 0;
  const auto next = [&](size_t size) { return texts.subspan(std::exchange(at, at + size), size); };
  list.content_hash = next(list.content_hash.size());
  for (std::string_view* text : {&list.name, &list.package, &list.signer})
    *text = as_text(next(text->size()));

  named_ += count;
  fresh_named_ += count;
  by_name_.emplace(list.name, lists_.size());
  lists_.push_back(list);
  fresh_.push_back(std::move(fresh));
  return replaces ? Change::kReplaced : Change::kAdded;
}

void Generation::deny(Bytes denials, std::span<const Bytes> digests) {
  new_denials_ = std::move(denials);
  denials_ = new_denials_;
  denied_.clear();
  for (const Bytes& digest : digests) {
    const Bytes slot = to_slots(digest, hash_size(algo()));
    denied_.push_back(as_digests(slot).front());
  }
  std::sort(denied_.begin(), denied_.end());
}

void Generation::set_grants(Bytes grants) {
  new_grants_ = std::move(grants);
  grants_ = new_grants_;
}

bool Generation::remove(std::string_view name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return false;
  const size_t at = found->second;
  by_name_.erase(found);
  named_ -= lists_[at].digests;
  if (fresh_[at].texts.empty()) {
    removed_.push_back(lists_[at]);
  } else {
    fresh_named_ -= lists_[at].digests;
  }
  if (at + 1 < lists_.size()) {
    lists_[at] = lists_.back();
    fresh_[at] = std::move(fresh_.back());
    by_name_[lists_[at].name] = at;
  }
  lists_.pop_back();
  fresh_.pop_back();
  return true;
}

const LoadedList* Generation::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &lists_[found->second];
}

void Generation::set_source(std::string_view name, uint64_t origin, uint64_t stamp) {
  LoadedList& list = lists_[by_name_.at(name)];
  list.origin = origin;
  list.stamp = stamp;
}

// Of removed lists the numbers are free: their slots go before others come.
void Generation::number_lists() {
  std::vector<bool> taken(kNumbers, false);
  for (const LoadedList& list : lists_) taken[list.number] = true;
  uint16_t next = 1;
  for (LoadedList& list : lists_) {
    if (list.number != 0) continue;
    while (taken[next]) ++next;
    list.number = next++;
  }
}

Generation::Gone Generation::find_gone() const {
  Gone gone{std::vector<bool>(kNumbers, false), {}};
  if (removed_.empty()) return gone;
  for (const LoadedList& list : removed_) gone.lists[list.number] = true;
  for (uint32_t at = 0; at < owners_.size(); ++at) {
    if (gone.lists[owners_[at]]) gone.places.push_back(at);
  }
  return gone;
}

// One try, with room for so many entries of Attempt::shared. If it does not fit, only the numbers in the
// answer are of use.
Result<Generation::Attempt> Generation::build(uint32_t buckets, size_t room, bool in_place, const Gone& gone,
                                              const Allocate& allocate) const {
  uint64_t registry = 0;
  for (const LoadedList& list : lists_) registry += registry_bytes(list);
  if (registry > UINT32_MAX) return unsupported("the lists together have longer names than a registry holds");
  const Layout at(buckets, registry, room, denials_.size(), grants_.size());
  TRY_ASSIGN(const std::span<uint8_t> map, allocate((at.end + kElement - 1) / kElement));
  const std::span<Digest> slots(reinterpret_cast<Digest*>(&map[kElement]), at.places);
  const std::span<uint16_t> owners(reinterpret_cast<uint16_t*>(&map[at.owners]), at.places);
  if (in_place) {
    std::memcpy(slots.data(), slots_.data(), slots_.size_bytes());
    std::memcpy(owners.data(), owners_.data(), owners_.size_bytes());
  }
  Attempt attempt{map, at, CuckooTable(slots, owners), {}, false};
  // By first words, which digests may be there: most are new, and need no look into the table for that.
  std::vector<uint64_t> seen(in_place ? 1 : std::bit_ceil(at.places / 8), in_place ? ~uint64_t{0} : 0);
  const auto is_denied = [&](const Digest& digest) {
    return std::binary_search(denied_.begin(), denied_.end(), digest);
  };
  // False: it is full.
  const auto add = [&](std::span<const Digest> digests, uint16_t list) {
    const std::span<uint64_t> words(seen);
    for (const Digest& digest : digests) {
      uint64_t& bits = words[digest[0] & (words.size() - 1)];
      const uint64_t bit = uint64_t{1} << (digest[0] >> 58);
      const bool may_be_there = (bits & bit) != 0;
      bits |= bit;
      if (is_denied(digest)) continue;
      if (const auto place = may_be_there ? attempt.table.find(digest) : std::nullopt) {
        if (owners[*place] != list) attempt.shared.push_back({&digest, *place, list});
      } else if (!attempt.table.insert(digest, list)) {
        return false;
      }
    }
    return true;
  };
  if (in_place) {
    // From behind, since erase() may bring one from there.
    for (auto place = gone.places.rbegin(); place != gone.places.rend(); ++place) attempt.table.erase(*place);
    for (const Digest& digest : denied_) {
      if (const auto place = attempt.table.find(digest)) attempt.table.erase(*place);
    }
  } else {
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i][0] != 0 && !gone.lists[owners_[i]] && !add(slots_.subspan(i, 1), owners_[i]))
        return attempt;
    }
  }
  // A digest whose slot went with its owner gets one of another list here.
  for (const Shared& shared : shared_) {
    if (!gone.lists[shared.list] && !add({shared.digest, 1}, shared.list)) return attempt;
  }
  for (size_t i = 0; i < lists_.size(); ++i) {
    if (!add(as_digests(fresh_[i].slots), lists_[i].number)) return attempt;
  }
  attempt.fits = true;
  return attempt;
}

Result<void> Generation::seal(uint64_t now_seconds, const Allocate& allocate) {
  const Gone gone = find_gone();
  number_lists();
  std::optional<Attempt> done;
  const auto attempt = [&](uint32_t buckets, size_t room, bool in_place) -> Result<void> {
    TRY_ASSIGN(Attempt result, build(buckets, room, in_place, gone, allocate));
    done.reset();
    if (result.fits) done.emplace(std::move(result));
    return {};
  };
  // At most: of those that are gone other lists may have some.
  size_t expected =
      header_.digests - gone.places.size() + std::min(gone.places.size(), shared_.size()) + fresh_named_;
  if (expected > kMaxDigests) return corrupt(28, "fewer digests than there are");
  const double load_in_place = static_cast<double>(expected) / static_cast<double>(slots_.size());
  if (load_in_place >= kSparse && load_in_place <= kFull)
    TRY(attempt(header_.buckets, shared_.size() + fresh_named_, true));
  const bool grows_little = fresh_named_ < header_.digests / kLittle;
  for (const double load : std::span(kLoads).subspan(grows_little ? 1 : 0)) {
    if (done) break;
    const auto buckets = [&] {
      return static_cast<uint32_t>(static_cast<double>(expected) / (DIGLIM_SLOTS * load)) + 1;
    };
    TRY(attempt(buckets(), shared_.size(), false));
    if (!done || (done->shared.size() <= shared_.size() &&
                  static_cast<double>(done->table.size()) >= kSparse * static_cast<double>(expected)))
      continue;
    // Only now it is known how many digests lists have in common.
    expected = done->table.size();
    TRY(attempt(buckets(), done->shared.size(), false));
  }
  if (!done) return unsupported("the digests collide too often for a table: they were not made by a hash");

  ++header_.number;
  header_.loaded_at = now_seconds;
  // Cached verdicts survive when nothing is missing: a replaced list often only moved its digests.
  const auto is_missing = [&](uint32_t place) { return !done->table.find(slots_[place]); };
  const bool was_denied = !denied_.empty() && std::ranges::any_of(slots_, [&](const Digest& digest) {
    return std::binary_search(denied_.begin(), denied_.end(), digest);
  });
  if (was_denied || std::ranges::any_of(gone.places, is_missing)) header_.last_removal = header_.number;
  header_.buckets = static_cast<uint32_t>(done->at.places / DIGLIM_SLOTS);
  header_.digests = static_cast<uint32_t>(done->table.size());
  header_.lists = static_cast<uint32_t>(lists_.size());
  header_.registry_bytes = static_cast<uint32_t>(done->at.shared - done->at.registry);
  header_.shared = static_cast<uint32_t>(done->shared.size());
  header_.deny_bytes = static_cast<uint32_t>(denials_.size());
  header_.grant_bytes = static_cast<uint32_t>(grants_.size());
  written_ = done->map;
  write_header();
  uint8_t* to = &written_[done->at.registry];
  for (const LoadedList& list : lists_) to = write_registry(list, to);
  for (Shared& shared : done->shared) {
    const auto place = done->table.find(*shared.digest);  // it may have moved since
    if (!place) return corrupt(kElement, "the table lost a digest");
    shared.place = *place;
    std::memcpy(to, &shared.place, sizeof(shared.place));
    std::memcpy(to + sizeof(shared.place), &shared.list, sizeof(shared.list));
    to += kSharedBytes;
  }
  to = std::copy(denials_.begin(), denials_.end(), to);
  std::copy(grants_.begin(), grants_.end(), to);
  return {};
}

void Generation::write_header() {
  std::memcpy(written_.data(), &header_, sizeof(header_));
}

Result<Generation> Generation::decode(ByteView map, std::shared_ptr<const void> keep) {
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
  const Layout at(header.buckets, header.registry_bytes, header.shared, header.deny_bytes,
                  header.grant_bytes);
  if (header.digests > at.places) return corrupt(28, "more digests than places");
  if (header.buckets == 0) return corrupt(24, "a table without a bucket");
  if (header.lists >= kNumbers) return corrupt(32, "more lists than numbers");
  if (at.end > map.size()) return corrupt(24, "sizes exceed the map");

  Generation generation(*algo);
  generation.header_ = header;
  generation.keep_ = std::move(keep);
  generation.slots_ = as_digests(map.subspan(kElement, at.owners - kElement));
  generation.owners_ = {reinterpret_cast<const uint16_t*>(&map[at.owners]), at.places};
  generation.lists_.reserve(header.lists);
  generation.fresh_.resize(header.lists);
  generation.by_name_.reserve(header.lists);
  RegistryReader reader(map.subspan(at.registry, header.registry_bytes), at.registry);
  std::vector<bool> known(kNumbers, false);
  known[0] = true;
  for (uint32_t i = 0; i < header.lists; ++i) {
    TRY_ASSIGN(const LoadedList list, reader.next());
    if (known[list.number])
      return corrupt(at.registry, escape(list.name) + " has the number of another list");
    if (!generation.by_name_.try_emplace(list.name, i).second)
      return corrupt(at.registry, escape(list.name) + " is there twice");
    known[list.number] = true;
    generation.named_ += list.digests;
    generation.lists_.push_back(list);
  }
  generation.denials_ = map.subspan(at.denials, header.deny_bytes);
  generation.grants_ = map.subspan(at.grants, header.grant_bytes);
  for (uint64_t from = at.shared; from != at.denials; from += kSharedBytes) {
    Shared shared = {};
    std::memcpy(&shared.place, &map[from], sizeof(shared.place));
    std::memcpy(&shared.list, &map[from + sizeof(shared.place)], sizeof(shared.list));
    if (shared.place >= at.places || generation.slots_[shared.place][0] == 0)
      return corrupt(from, "a shared digest without a place");
    if (shared.list == 0 || !known[shared.list]) return corrupt(from, "a shared digest of no list");
    shared.digest = &generation.slots_[shared.place];
    generation.shared_.push_back(shared);
  }
  return generation;
}

}  // namespace diglim
