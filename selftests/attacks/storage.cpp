// SPDX-License-Identifier: Apache-2.0
#include "selftests/attacks/attack.h"

namespace attacks {
std::span<const Attack> storage_attacks() {
  return {};
}
}  // namespace attacks
