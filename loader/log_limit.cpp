// SPDX-License-Identifier: Apache-2.0
#include "loader/log_limit.h"

namespace diglim {

bool LogLimit::allow(uint64_t now_ms) {
  constexpr uint64_t kMsPerToken = 1000 / kPerSecond;
  const uint64_t due = now_ms > filled_ms_ ? (now_ms - filled_ms_) / kMsPerToken : 0;
  if (tokens_ + due >= kBurst) {
    tokens_ = kBurst;
    filled_ms_ = now_ms;
  } else {
    tokens_ += due;
    filled_ms_ += due * kMsPerToken;
  }
  if (tokens_ == 0) return false;
  --tokens_;
  return true;
}

}  // namespace diglim
