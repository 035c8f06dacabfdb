// SPDX-License-Identifier: Apache-2.0
// How many denials the kernel log gets: a user who causes thousands must not push everything else out of it.
#pragma once

#include <cstdint>

namespace diglim {

// A token bucket: kBurst lines at once, then kPerSecond.
class LogLimit {
 public:
  static constexpr uint64_t kBurst = 200;
  static constexpr uint64_t kPerSecond = 20;

  // May one more line be written? `now_ms`: a monotonic clock, milliseconds.
  bool allow(uint64_t now_ms);

 private:
  uint64_t tokens_ = kBurst;
  uint64_t filled_ms_ = 0;  // when the last token was added
};

}  // namespace diglim
