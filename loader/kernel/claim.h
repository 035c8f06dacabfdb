// SPDX-License-Identifier: Apache-2.0
// The right to publish one generation: of two loaders that both start from the same one, whatever locks they
// see, one is refused, so that no update undoes another.
#pragma once

#include <cstdint>

#include "lib/base/file.h"

namespace diglim {

class Claim {
 public:
  // Claims `number` in the kernel, where no mount namespace hides anything. EAGAIN: a loader that lives has
  // it. What a dead one left behind does not count. Who has the claim must look once more whether number - 1
  // is in force: another one may have published and let go of it just before.
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
