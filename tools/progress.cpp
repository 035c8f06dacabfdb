// SPDX-License-Identifier: Apache-2.0
#include "tools/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "lib/base/text.h"

namespace diglim {

Progress::Progress(std::string what, size_t total, bool enabled)
    : what_(std::move(what)),
      total_(total),
      enabled_(enabled && isatty(STDERR_FILENO) == 1),
      next_(Clock::now() + std::chrono::milliseconds(500)) {}

Progress::~Progress() {
  wipe();
}

void Progress::at(size_t done, size_t total, std::string_view name) {
  done_ = done;
  total_ = total;
  draw(name);
}

void Progress::step(std::string_view name) {
  ++done_;
  draw(name);
}

void Progress::draw(std::string_view name) {
  if (!enabled_ || Clock::now() < next_) return;
  next_ = Clock::now() + std::chrono::milliseconds(100);
  constexpr size_t kShown = 50;
  const std::string count =
      total_ > 0 ? fmt::format("{}/{} {}%", done_, total_, done_ * 100 / total_) : fmt::format("{}", done_);
  fmt::print(stderr, "\r\x1b[K{} {} {}", what_, count, escape(name, kShown));
  (void)std::fflush(stderr);
  drawn_ = true;
}

void Progress::wipe() {
  if (!drawn_) return;
  fmt::print(stderr, "\r\x1b[K");
  (void)std::fflush(stderr);
  drawn_ = false;
}

}  // namespace diglim
