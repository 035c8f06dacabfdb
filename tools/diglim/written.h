// SPDX-License-Identifier: Apache-2.0
// --json of verbs whose result is a file: one object on standard output, {"written":FILE, and what is in it}.
#pragma once

#include <string>

#include "lib/base/json.h"
#include "tools/tool.h"

namespace diglim {

class Written {
 public:
  void add_option(OptionParser& app);
  // Before anything is done. kInvalid: the result itself goes to standard output ("-").
  Result<void> begin(const std::string& output);
  // Between begin() and print(): more keys.
  JsonWriter& more() { return json_; }
  // Afterwards; nothing unless it was asked for.
  void print();

 private:
  bool wanted_ = false;
  JsonWriter json_;
};

}  // namespace diglim
