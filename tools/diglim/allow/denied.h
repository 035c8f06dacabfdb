// SPDX-License-Identifier: Apache-2.0
// The file of a denial in this machine's log.
#pragma once

#include <string>

#include "lib/base/bytes.h"
#include "lib/base/result.h"

namespace diglim::allow {

struct DeniedFile {
  std::string path;
  Bytes digest;  // of the content that was denied, and that it has
};

// `event`: as find_event_id() takes it. kNotFound: the log has no such denial, or it names no file.
// kUntrusted: the file has another content now than the one that was denied, or it is not known which one
// that was.
Result<DeniedFile> denied_file(const std::string& event);

}  // namespace diglim::allow
