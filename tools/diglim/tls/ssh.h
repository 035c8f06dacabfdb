// SPDX-License-Identifier: Apache-2.0
// `diglim tls ssh-key` and `diglim tls ssh-agent`. See diglim-tls(1).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/tool.h"

namespace diglim {

class SshVerbs {
 public:
  explicit SshVerbs(OptionParser& tls);
  // The exit status if one of them was given.
  std::optional<int> run(const OptionParser& tls) const;

 private:
  int print_key(const OptionParser& app) const;

  struct {
    std::string key;
    std::string output;
    std::string comment;
    bool json = false;
  } key_;
  struct {
    std::vector<std::string> keys;
    std::string socket;
    std::string tcti;
    unsigned wait_ms = 5000;
  } agent_;
  OptionParser* key_app_;
  OptionParser* agent_app_;
};

}  // namespace diglim
