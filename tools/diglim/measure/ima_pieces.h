// SPDX-License-Identifier: Apache-2.0
// The IMA log as the verbs read it: the kernel's, or files, also in pieces. Kernels with CONFIG_IMA_STAGING
// let root export records and delete them (Documentation/security/IMA-export-delete.rst); what was exported
// and what is left are then one log only together.
#pragma once

#include <string>
#include <vector>

#include "lib/tcg/ima_log.h"

namespace diglim {

constexpr char kImaLog[] = "/sys/kernel/security/ima/binary_runtime_measurements";
// What to do if records are missing.
constexpr char kNamePieces[] =
    "name the exported pieces, oldest first, and then the kernel's log (--log FILE, once for each)";

struct ImaPieces {
  Bytes log;                     // all pieces in a row
  std::vector<ImaEvent> events;  // views into it
};

// `paths`, oldest first; none: the kernel's log. kCorrupt names the piece that does not consist of whole
// records. kIo: the log lacks its beginning, so it adds up to nothing. kUnsupported for more than
// kMaxImaLogBytes altogether.
Result<ImaPieces> read_ima_pieces(const std::vector<std::string>& paths);

}  // namespace diglim
