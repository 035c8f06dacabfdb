// SPDX-License-Identifier: Apache-2.0
// The paths of a package, from its header: for who tells people of it. The loader knows digests only.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lib/base/bytes.h"

namespace diglim::rpm {

// Calls `on_file` for each file, folder and link, in the order of the header. `path` is unescaped; `digest`
// is hexadecimal, empty if there is none (folders, links, ghosts, packages without digests). A header that
// names its files as rpm did before 4.0 gives none. Errors: kCorrupt as read_package(), with the offset in
// `signed_bytes`; for sizes that do not fit each other, nothing was called.
Result<void> for_each_file(
    ByteView signed_bytes,
    const std::function<void(std::string_view path, std::string_view digest)>& on_file);

}  // namespace diglim::rpm
