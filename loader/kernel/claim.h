// SPDX-License-Identifier: Apache-2.0
// The right to publish one generation. If two loaders start from the same generation, one of them is refused,
// whatever locks they see. So no update undoes another.
#pragma once

#include <cstdint>

#include "lib/base/file.h"

namespace diglim {

class Claim {
 public:
  // Claims `number` in the kernel, where no mount namespace hides anything. EAGAIN: a loader that lives has
  // it; the claim of a dead one does not count. Afterwards the caller must look once more whether number - 1
  // is in force: another loader may have published and dropped its claim just before. kUnsupported: this
  // process is in a pid namespace.
  static Result<Claim> take(uint64_t number);

  Claim(Claim&& other) noexcept;
  Claim& operator=(Claim&&) = delete;
  ~Claim();  // lets go of it

 private:
  Claim(Fd map, uint64_t key) : map_(std::move(map)), key_(key) {}
  Fd map_;
  uint64_t key_;
};

}  // namespace diglim
