// SPDX-License-Identifier: Apache-2.0
// systemd-pcrlock's policy: which registers it guards, and how it is made anew.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "tools/pcrlock/values.h"

namespace diglim::pcrlock {

bool has_policy();

class Policy {
 public:
  // Of the components in that folder, with the registers of the policy that there is. Without one, and with
  // `is_new`, those that one should have; else those that this host could have one of. `own`: IMA's. Errors:
  // the policy has none.
  static Result<Policy> find(std::string components, unsigned own, bool is_new);

  const std::set<unsigned>& registers() const { return registers_; }
  Result<Values> predict();

  // Of what was predicted last. Each register or none: an error says what became of the policy. With
  // `has_images` the initramfs has to read it.
  Result<void> make(bool has_images);

 private:
  Policy(std::string components, std::set<unsigned> registers)
      : components_(std::move(components)), registers_(std::move(registers)) {}
  std::vector<std::string> words(const std::vector<std::string>& more) const;
  Result<void> check_all_predicted() const;
  Result<void> check_all_made() const;

  std::string components_;
  std::set<unsigned> registers_;
  Values predicted_;
  std::string said_;  // with that
};

// Where the firmware verifies no initramfs, a register has to say which one boots; who brings another one
// extends all others as he likes. Errors, with what to do.
Result<void> check_guarded(const Values& predicted);

}  // namespace diglim::pcrlock
