// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/written.h"

#include <fmt/format.h>

namespace diglim {

void Written::add_option(OptionParser& app) {
  app.add_flag("--json", wanted_, "print JSON: what was written; with -o FILE");
}

Result<void> Written::begin(const std::string& output) {
  if (wanted_ && output == "-")
    return invalid("--json says what was written, and standard output has the result: name a file (-o FILE)");
  json_.begin_object().key("written").value(output);
  return {};
}

void Written::print() {
  if (wanted_) fmt::print("{}\n", json_.end_object().text());
}

}  // namespace diglim
