// SPDX-License-Identifier: Apache-2.0
// Text that came from outside, made fit for one line of a terminal or a log.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace diglim {

// `text` with control characters, backslash and bytes that are not valid UTF-8 written as \n, \t, \\ or \xNN,
// cut after `max` source bytes ("..." says so). Printable text stays as it is: no quotes are added.
std::string escape(std::string_view text, size_t max = 4096);

// The text from which escape() made this, if nothing was cut; nothing if it contains a backslash that
// escape() does not write.
std::optional<std::string> unescape(std::string_view text);

// Length of the valid, printable UTF-8 sequence that starts at text[at] (RFC 3629: no overlong forms, no
// surrogates; nor C1 controls, on which terminals act), or 0. REQUIRES: at < text.size() and text[at] is not
// ASCII.
size_t utf8_length(std::string_view text, size_t at);

// Without leading and trailing spaces, tabs, CR and LF. The view is into `text`.
std::string_view trim(std::string_view text);

// Is it one of the items between commas? White space at the ends of the list does not count.
bool has_item(std::string_view list, std::string_view item);

// What lies between spaces, tabs, CR and LF, never empty. The views are into `text`.
std::vector<std::string_view> split_words(std::string_view text);

}  // namespace diglim
