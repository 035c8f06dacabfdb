// SPDX-License-Identifier: Apache-2.0
// Inside tools/diglim/explain: what is said besides the reason and the cause.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/diglim/explain/advice.h"
#include "tools/diglim/explain/reasons.h"

namespace diglim::explain {

// Sentences about the file's own bytes, printable: for another machine, stripped, prelinked, of a
// configuration tool, of an unknown interpreter; and how the program that wanted a library put it.
std::vector<std::string> details(const Denial* denial, const Facts& facts);

// In place of the words of DIGLIM_REASON_PROTECTED, by what was tried (Denial::what). Null: an unknown one.
const Words* guard_explanation(std::string_view what);

}  // namespace diglim::explain
