// SPDX-License-Identifier: Apache-2.0
#include "loader/kernel/libbpf_error.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <string>

#include "loader/verifier_log.h"

namespace diglim {
namespace {

// The loader has one thread.
std::string last_warning;
std::string verifier_said;

int keep_warning(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  va_list again;
  va_copy(again, arguments);
  std::string text(1, '\0');
  const int size = vsnprintf(text.data(), text.size(), format, arguments);
  if (size > 0) text.resize(static_cast<size_t>(size) + 1);
  (void)vsnprintf(text.data(), text.size(), format, again);
  va_end(again);
  text.pop_back();  // the zero
  if (verifier_said.empty()) verifier_said = end_of_verifier_log(text);
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
  verifier_said.clear();
}

Error libbpf_error(std::string_view what, int error) {
  Error result = from_errno(what, error < 0 ? -error : error);
  if (!last_warning.empty()) result.message += " (" + last_warning + ")";
  if (!verifier_said.empty()) result.message += "; the verifier: " + verifier_said;
  forget_libbpf_warning();
  return result;
}

}  // namespace diglim
