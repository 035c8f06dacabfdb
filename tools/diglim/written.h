// SPDX-License-Identifier: Apache-2.0
// Verbs whose result is a file that the caller names.
#pragma once

#include <sys/types.h>

#include <string>

#include "lib/base/bytes.h"
#include "lib/base/json.h"
#include "tools/tool.h"

namespace diglim {

// To a file that somebody named, all or nothing, or to stdout for "-". Of a link the file that it names, if
// there is one; what is no file (a device, a FIFO) is written to, and stays. kInvalid: such a link or device
// is another user's, who may have put it there.
Result<void> write_output(const std::string& path, ByteView bytes, mode_t mode);

// Their --json: one object on standard output, {"written":FILE, and what is in it}.
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
