// SPDX-License-Identifier: Apache-2.0
// /etc/diglim/events.conf: where whole events go. See diglim-events.conf(5).
#pragma once

#include <string>
#include <string_view>

#include "lib/base/result.h"

namespace diglim::events {

constexpr char kConfigFile[] = "/etc/diglim/events.conf";

struct Config {
  bool journal = true;
  bool audit = false;
  bool syslog = false;
  std::string json_file;    // empty: none
  std::string json_socket;  // a Unix socket, stream or datagram; empty: none
};

// Lines "key = value", "#" starts a comment: journal, audit, syslog = on | off; json-file, json-socket =
// /path. kInvalid with the line number for anything else.
Result<Config> parse_config(std::string_view text);

}  // namespace diglim::events
