// SPDX-License-Identifier: Apache-2.0
// The words that the kernel log has for each reason of a denial: the loader writes them, `diglim explain`
// reads them. There is no other copy.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bpf/abi.h"

namespace diglim {

struct ReasonWords {
  diglim_reason reason;
  std::string_view text;  // "{}" stands for what depends on the event
};

// Each reason of bpf/abi.h; one has two texts. No text has ": " in it, nor is one the end of another.
std::span<const ReasonWords> reason_words();

// The words of a reason with `hole` in place of "{}"; "reason N" if it is unknown. Of two texts the first.
std::string reason_text(unsigned reason, std::string_view hole = {});

// Of DIGLIM_REASON_MEMORY, if the module would count once the kernel enforces signatures.
std::string_view unsigned_module_text();

// What DIGLIM_REASON_HASH says instead of an error, if that says nothing of the file.
constexpr std::string_view kKilledWhileHashed = "its process was killed";

}  // namespace diglim
