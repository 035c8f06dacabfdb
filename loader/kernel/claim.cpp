// SPDX-License-Identifier: Apache-2.0
#include "loader/kernel/claim.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <cerrno>

#include "loader/kernel/maps.h"
#include "loader/kernel/roles.h"

namespace diglim {
namespace {

// A dead claimant's entry stays while its number counts, and the next one claims the same number at the next
// try. The last byte of the key counts the tries.
constexpr uint64_t kTries = 32;

// Claims of earlier numbers mean nothing any more: a loader that claims such a number finds it published.
void forget_before(const Fd& map, uint64_t number) {
  uint64_t key = 0;
  uint64_t next = 0;
  void* from = nullptr;
  while (bpf_map_get_next_key(map.get(), from, &next) == 0) {
    key = next;
    // After a deletion it begins anew, since a key that is gone has no "next".
    const bool deleted = key >> 8 < number && bpf_map_delete_elem(map.get(), &key) == 0;
    from = deleted ? nullptr : &key;
  }
}

}  // namespace

Result<Claim> Claim::take(uint64_t number) {
  TRY_ASSIGN(Fd map, find_map(kClaimsMap));
  TRY_ASSIGN(const Fd roles, open_roles());
  const auto self = static_cast<uint32_t>(getpid());
  forget_before(map, number);
  for (uint64_t i = 0; i < kTries; ++i) {
    const uint64_t key = number << 8 | i;
    if (bpf_map_update_elem(map.get(), &key, &self, BPF_NOEXIST) == 0) return Claim(std::move(map), key);
    if (errno != EEXIST) return from_errno("claim the next generation", errno);
    uint32_t holder = 0;
    if (bpf_map_lookup_elem(map.get(), &key, &holder) != 0 || has_role(roles, holder)) break;
  }
  return Error{ErrorCode::kIo, EAGAIN, "another loader is publishing; try again"};
}

Claim::Claim(Claim&& other) noexcept : map_(std::move(other.map_)), key_(other.key_) {}

Claim::~Claim() {
  if (map_) (void)bpf_map_delete_elem(map_.get(), &key_);
}

}  // namespace diglim
