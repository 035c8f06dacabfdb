// SPDX-License-Identifier: Apache-2.0
#include "loader/kernel/claim.h"

#include <bpf/bpf.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "loader/kernel/lease.h"
#include "loader/kernel/maps.h"

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

// A frozen one lives: it would publish when it goes on. Asked of the kernel, since root can mount something
// else on /proc. Another process that was given the id of a dead one keeps its claim until it ends.
bool lives(uint32_t pid) {
  return kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH;
}

// The ids in claims are those of the first pid namespace. In another one this loader's id would be nobody's
// outside, or somebody else's, and it would pass for dead.
Result<void> check_pid_namespace() {
  TRY_ASSIGN(const Lease kernel, Lease::open());
  TRY_ASSIGN(const Lease::Holder answer, kernel.ask());
  if (!answer.is_inner) return {};
  return unsupported("in a pid namespace (container, unshare -p) nothing can be published; call it outside");
}

}  // namespace

Result<Claim> Claim::take(uint64_t number) {
  TRY_ASSIGN(Fd map, find_map(kClaimsMap));
  TRY(check_pid_namespace());
  const auto self = static_cast<uint32_t>(getpid());
  forget_before(map, number);
  for (uint64_t i = 0; i < kTries; ++i) {
    const uint64_t key = number << 8 | i;
    if (bpf_map_update_elem(map.get(), &key, &self, BPF_NOEXIST) == 0) return Claim(std::move(map), key);
    if (errno != EEXIST) return from_errno("claim the next generation", errno);
    uint32_t holder = 0;
    if (bpf_map_lookup_elem(map.get(), &key, &holder) != 0) break;
    if (lives(holder)) {
      return Error{ErrorCode::kIo, EAGAIN,
                   "another loader (process " + std::to_string(holder) +
                       ") is publishing; try again. If it stays, something stopped it: kill -9 " +
                       std::to_string(holder)};
    }
  }
  return Error{ErrorCode::kIo, EAGAIN, "another loader is publishing; try again"};
}

Claim::Claim(Claim&& other) noexcept : map_(std::move(other.map_)), key_(other.key_) {}

Claim::~Claim() {
  if (map_) (void)bpf_map_delete_elem(map_.get(), &key_);
}

}  // namespace diglim
