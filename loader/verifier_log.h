// SPDX-License-Identifier: Apache-2.0
// The end of what the kernel's verifier wrote of a program that it refused.
#pragma once

#include <string>
#include <string_view>

namespace diglim {

// `text`: one of libbpf's log messages. Its last lines between "BEGIN PROG LOAD LOG" and its end, without the
// statistics, joined by " | ", at most 400 bytes and printable; empty if it has none.
std::string end_of_verifier_log(std::string_view text);

}  // namespace diglim
