// SPDX-License-Identifier: Apache-2.0
// Samples and their printing, one line each: "NAME MEDIAN P10 P90". In a VM with `--icount` a nanosecond is
// one instruction.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <vector>

namespace diglim::bench {

inline uint64_t now_ns(clockid_t clock = CLOCK_MONOTONIC) {
  timespec now = {};
  (void)clock_gettime(clock, &now);  // cannot fail for these clocks
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

class Stopwatch {
 public:
  // CLOCK_PROCESS_CPUTIME_ID: what this process did, also in the kernel, without waiting and what others did.
  explicit Stopwatch(clockid_t clock = CLOCK_MONOTONIC) : clock_(clock) {}
  // Nanoseconds since the last call, or since the construction.
  double lap_ns() {
    const uint64_t now = now_ns(clock_);
    const uint64_t passed = now - start_ns_;
    start_ns_ = now;
    return static_cast<double>(passed);
  }

 private:
  clockid_t clock_;
  uint64_t start_ns_ = now_ns(clock_);
};

inline void print(const char* name, double value) {
  printf("%s %.3f %.3f %.3f\n", name, value, value, value);
}

// REQUIRES: at least one sample.
inline void print(const char* name, std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  const size_t last = samples.size() - 1;
  printf("%s %.3f %.3f %.3f\n", name, samples[last / 2], samples[last / 10], samples[last - last / 10]);
}

}  // namespace diglim::bench
