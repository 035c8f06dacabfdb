// SPDX-License-Identifier: Apache-2.0
// DIGLIM's pins, or with DIGLIM off what stands in for them, so that each attack has its positive control.
#pragma once

#include "selftests/attacks/attack.h"

namespace attacks {

bool pins_are_real();
// With DIGLIM off: makes /sys/fs/bpf/diglim with a few pins. False with errno when there are none in the end.
bool make_pins();

// Unmounts something else while another process moves the pins' bpffs below it. Won: the pins are gone.
struct PinsRace {
  bool won = false;
  long tries = 0;
};
PinsRace race_for_pins(double seconds);

// Ends the keeper by cgroup.kill: harmless() if it died. With DIGLIM off a decoy stands in for it.
Report kill_keeper();

// Is the text in the kernel log?
bool is_in_log(const char* text);

}  // namespace attacks
