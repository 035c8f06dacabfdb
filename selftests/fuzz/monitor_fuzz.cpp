// SPDX-License-Identifier: Apache-2.0
// Goal: no statement about monitor mode makes the reader crash, and what it accepts has one spelling.
// Expected: what was read is written as the same bytes, within the limits.
#include <cstdlib>

#include "bpf/abi.h"
#include "lib/monitor/statement.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace diglim;
  const ByteView content(data, size);
  const auto statement = read_monitor_statement(content);
  if (!statement) {
    if (statement.error().message.empty()) std::abort();
    return 0;
  }
  const auto again = write_monitor_statement(*statement);
  const bool good = again && as_text(*again) == as_text(content) && statement->number > 0 &&
                    statement->seconds > 0 && statement->seconds <= DIGLIM_MONITOR_SECONDS;
  if (!good) std::abort();
  return 0;
}
