// SPDX-License-Identifier: Apache-2.0
#include "loader/kernel/libbpf_error.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <string>

namespace diglim {
namespace {

std::string last_warning;  // the loader has one thread

int keep_warning(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  char line[512];
  const int size = vsnprintf(line, sizeof(line), format, arguments);
  std::string_view text(line);
  // The first lines of a failure name the cause; what follows repeats it.
  if (size > 0 && last_warning.empty()) last_warning = text.substr(0, text.find('\n'));
  return 0;
}

}  // namespace

void catch_libbpf_warnings() {
  libbpf_set_print(keep_warning);
}

void forget_libbpf_warning() {
  last_warning.clear();
}

Error libbpf_error(std::string_view what, int error) {
  Error result = from_errno(what, error < 0 ? -error : error);
  if (!last_warning.empty()) result.message += " (" + last_warning + ")";
  last_warning.clear();
  return result;
}

}  // namespace diglim
