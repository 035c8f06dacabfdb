// SPDX-License-Identifier: Apache-2.0
// What was measured beside what was predicted: which component makes the register another?
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/tcg/ima_log.h"
#include "tools/diglim/measure/extends.h"
#include "tools/diglim/measure/prediction.h"

namespace diglim {

struct Difference {
  size_t extend = 0;  // which extend by IMA differs first, counted from 1; 0: before all of them
  std::string code;   // "list-added"; diglim-pcr(1) explains each
  std::string name;   // what is another: file, list, key; may be empty
  std::string text;   // one sentence, printable
};

// One boot, as its logs tell it.
struct MeasuredBoot {
  std::vector<ImaEvent> events;     // the whole IMA log
  std::vector<ByteView> manifests;  // of which some may be lacking
  Bytes start;                      // of the register, before IMA began
};

struct Comparison {
  Bytes measured;  // to which start and events add up
  Bytes predicted;
  std::vector<Difference> differences;  // by `extend`; none if and only if the two are equal
};

// kInvalid: OpenSSL fails.
Result<Comparison> compare(const Prediction& prediction, unsigned pcr, HashAlgo bank,
                           const MeasuredBoot& boot);
// What the register holds after each event, the start first.
Result<std::vector<Bytes>> values_of(unsigned pcr, HashAlgo bank, const MeasuredBoot& boot);

// Two boots before IMA, in the registers named: at which event do they part?
std::vector<Difference> compare_before_ima(const std::vector<Extend>& predicted,
                                           const std::vector<Extend>& measured,
                                           const std::vector<unsigned>& pcrs);

// The register holds something else than what its logs add up to. `systemd`: what its log has, of all
// registers.
Result<Difference> explain_register(ByteView value, unsigned pcr, HashAlgo bank, const MeasuredBoot& boot,
                                    const std::vector<Extend>& systemd);

}  // namespace diglim
