// SPDX-License-Identifier: Apache-2.0
#include "tools/events/config.h"

#include "lib/base/settings.h"
#include "lib/base/text.h"

namespace diglim::events {
namespace {

Result<void> set_switch(std::string_view key, std::string_view value, bool& where) {
  if (value != "on" && value != "off")
    return invalid(std::string(key) + " is \"on\" or \"off\", not \"" + escape(value, 40) + "\"");
  where = value == "on";
  return {};
}

Result<void> set_path(std::string_view key, std::string_view value, std::string& where) {
  if (!value.starts_with('/')) return invalid(std::string(key) + " is an absolute path");
  where = value;
  return {};
}

Result<void> set(std::string_view key, std::string_view value, Config& config) {
  if (key == "journal") return set_switch(key, value, config.journal);
  if (key == "audit") return set_switch(key, value, config.audit);
  if (key == "syslog") return set_switch(key, value, config.syslog);
  if (key == "json-file") return set_path(key, value, config.json_file);
  if (key == "json-socket") return set_path(key, value, config.json_socket);
  return invalid("unknown setting \"" + escape(key, 40) +
                 "\" (journal, audit, syslog, json-file, json-socket)");
}

}  // namespace

Result<Config> parse_config(std::string_view text) {
  Config config;
  TRY(read_settings(text,
                    [&](std::string_view key, std::string_view value) { return set(key, value, config); }));
  return config;
}

}  // namespace diglim::events
