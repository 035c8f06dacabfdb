// SPDX-License-Identifier: Apache-2.0
// How people name an event: "3f2a91bc-57" is the 57th of the boot whose id begins with 3f2a91bc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace diglim {

// The first eight digits of this boot's id; "00000000" if the kernel does not tell.
std::string read_boot();

// The same of a whole id.
std::string boot_prefix(std::string_view boot_id);

// Empty without a number: the event is of programs that number none.
std::string event_id(std::string_view boot, uint64_t number);

// The whole id, from that or from the number alone ("57"), which is one of `boot`. Nothing: it is neither.
std::optional<std::string> find_event_id(std::string_view text, std::string_view boot);

}  // namespace diglim
