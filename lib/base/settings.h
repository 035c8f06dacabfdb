// SPDX-License-Identifier: Apache-2.0
// Configuration files: lines "key = value", of which "#" begins a comment.
#pragma once

#include <functional>
#include <string_view>

#include "lib/base/result.h"

namespace diglim {

// Calls `set` for each setting, in the order of the file, and ends with the first error; it names the line,
// as does a line that is none (kInvalid). Key and value are trimmed views into `text`.
Result<void> read_settings(
    std::string_view text,
    const std::function<Result<void>(std::string_view key, std::string_view value)>& set);

}  // namespace diglim
