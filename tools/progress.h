// SPDX-License-Identifier: Apache-2.0
// One line on the terminal that says how far a long run is.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace diglim {

// Draws on stderr, only if that is a terminal, only from half a second after the start on, at most ten times
// a second. The destructor wipes the line.
class Progress {
 public:
  // `total` 0: not known. `enabled` false: never draws.
  Progress(std::string what, size_t total, bool enabled);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void step(std::string_view name);  // what is worked on now, unescaped
  // The same for work that others do: so many are done, of so many (0: not known).
  void at(size_t done, size_t total, std::string_view name);
  void wipe();  // before something else is printed

 private:
  using Clock = std::chrono::steady_clock;
  void draw(std::string_view name);

  std::string what_;
  size_t total_;
  size_t done_ = 0;
  bool enabled_;
  bool drawn_ = false;
  Clock::time_point next_;
};

}  // namespace diglim
