// SPDX-License-Identifier: Apache-2.0
// Kernel command lines as boot loaders keep them. Text in, text out; nothing else of a file changes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"

namespace diglim::setup {

using Words = std::vector<std::string>;

// `line` without the words of the same names ("rdinit=..."), and with `add` before "--", if that is there.
// For a word without "=" the whole word is its name.
std::string with_words(std::string_view line, const Words& add);
// Words are the kernel's: quotes keep blanks within one. `line` without exactly these words.
std::string without_words(std::string_view line, const Words& remove);

// Would a kernel that is started with `line` see `words`? kInvalid: why not, and what to do. `others`: bytes
// that a boot loader adds.
Result<void> check_line(std::string_view line, const Words& words, size_t others);

// The same for the text of a file whose lines become one line of an image (tools/uki/pack_uki): would its
// kernel start the loader?
Result<void> check_file(std::string_view text);

// The formats: how to find the command line in a file.
enum class Format {
  kBlsEntry,    // /boot/loader/entries/*.conf: lines "options ..." (UAPI Boot Loader Specification)
  kPlain,       // /etc/kernel/cmdline: the whole file is one
  kGrubDefault  // /etc/default/grub: GRUB_CMDLINE_LINUX="..."
};

// The file with its command line changed by with_words(); if it has none, one is added.
std::string add_to_file(std::string_view text, Format format, const Words& add);
// The file with its command line changed by without_words(). Text that has none of the words comes back
// unchanged, byte for byte.
std::string remove_from_file(std::string_view text, Format format, const Words& remove);

// The command line of a BLS entry: its "options" lines, joined. Empty if it has none.
std::string options_of(std::string_view entry);

// What GRUB_CMDLINE_LINUX is in /etc/default/grub, the last time.
std::string grub_line_of(std::string_view text);

// A copy of a BLS entry that boots without denying anything: another title, `mode_word` on its command line,
// and without the lines that would sort it before the entry that it was copied from.
std::string permissive_entry(std::string_view entry, const Words& add, std::string_view mode_word);

}  // namespace diglim::setup
