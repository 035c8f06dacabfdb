// SPDX-License-Identifier: Apache-2.0
#include "lib/digest_list/not_counted.h"

namespace diglim {

std::string not_counted_text(size_t files, std::optional<HashAlgo> theirs, HashAlgo kernel) {
  if (files == 0) return {};
  const std::string which = files == 1 ? "one of its files" : std::to_string(files) + " of its files";
  const std::string why = theirs ? "with digests in " + std::string(hash_name(*theirs)) +
                                       " only, and the kernel hashes with " + std::string(hash_name(kernel))
                                 : "without any digest";
  return which + " will be denied: listed " + why +
         "; rebuild the package, or allow the files with compact_gen";
}

}  // namespace diglim
