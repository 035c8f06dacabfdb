// SPDX-License-Identifier: Apache-2.0
// The kernel command line, as /proc/cmdline has it.
//
// The first word "--" ends what is the kernel's: parse_args() in kernel/params.c stops there, and
// start_kernel() in init/main.c hands what follows to init, which is us. So settings ("diglim.mode=",
// "ima_hash=") count before it only, and arguments of the loader after it only. All of DIGLIM goes by this
// text, never by the arguments that a process was given: these also hold words before "--" that the kernel
// does not know, and whoever foretells a boot does not have them.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "lib/crypto/hash.h"

namespace diglim {

// What the kernel and everybody who reads /proc/cmdline is told, and what only init is.
struct KernelLine {
  std::vector<std::string_view> words;      // before "--"
  std::vector<std::string_view> arguments;  // after it

  // The value of the last of `words` that is "NAME=VALUE"; nothing if there is none.
  std::optional<std::string_view> value(std::string_view name) const;
};

// What IMA, and so DIGLIM, hashes with on a kernel that was started with `line`: ima_hash=, else SHA-256,
// which is how the kernels of distributions are built (CONFIG_IMA_DEFAULT_HASH).
HashAlgo ima_hash(std::string_view line);

// Words are what lies between white space (isspace() in lib/ctype.c, so also byte 0xA0). Quotes keep it
// within a word, wherever they stand, as in next_arg(), and stay part of it: a value of ours in quotes is
// none, and is refused. The views are into `line`.
std::vector<std::string_view> kernel_words(std::string_view line);
KernelLine split_kernel_line(std::string_view line);

}  // namespace diglim
