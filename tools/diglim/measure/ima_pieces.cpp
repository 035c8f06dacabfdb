// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/measure/ima_pieces.h"

#include <algorithm>

#include "lib/base/file.h"
#include "lib/base/text.h"

namespace diglim {
namespace {

// IMA measures it first, whatever its policy says (ima_add_boot_aggregate() in security/integrity/ima/).

// A predicted log of another register has no record of PCR 10; what a kernel shows always begins with it.
bool lacks_beginning(const std::vector<ImaEvent>& events, bool is_kernels) {
  if (events.empty()) return true;
  if (is_kernels) return events.front().path != kBootAggregate;
  const auto first =
      std::find_if(events.begin(), events.end(), [](const ImaEvent& event) { return event.pcr == kImaPcr; });
  return first != events.end() && first->path != kBootAggregate;
}

Result<void> check_piece(ByteView piece) {
  ImaLogReader reader(piece);
  for (;;) {
    TRY_ASSIGN(const auto event, reader.next());
    if (!event) return {};
  }
}

}  // namespace

Result<ImaPieces> read_ima_pieces(const std::vector<std::string>& paths) {
  const std::vector<std::string> kernels = {kImaLog};
  const std::vector<std::string>& all = paths.empty() ? kernels : paths;
  ImaPieces pieces;
  for (const std::string& path : all) {
    TRY_ASSIGN(Bytes piece, read_stream(path, kMaxImaLogBytes - pieces.log.size()));
    if (const auto whole = check_piece(piece); !whole) return with_context(escape(path), whole.error());
    if (pieces.log.empty())
      pieces.log = std::move(piece);
    else
      pieces.log.insert(pieces.log.end(), piece.begin(), piece.end());
  }
  TRY_ASSIGN(pieces.events, read_ima_log(pieces.log));
  if (lacks_beginning(pieces.events, all.size() == 1 && all.front() == kImaLog))
    return Error{ErrorCode::kIo, 0,
                 escape(all.front()) + ": records are missing before those in it: " + kNamePieces};
  return pieces;
}

}  // namespace diglim
