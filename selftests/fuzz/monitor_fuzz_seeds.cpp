// SPDX-License-Identifier: Apache-2.0
// Writes seeds for monitor_fuzz into the folder named by the first argument.
#include "lib/base/file.h"
#include "lib/monitor/statement.h"

int main(int argc, char** argv) {
  using namespace diglim;
  if (argc != 2) return 2;
  bool ok = true;
  for (const uint32_t seconds : {1u, 1800u, 28800u}) {
    const auto statement = write_monitor_statement(
        {"0f3a9c0e-1111-4222-8333-abcdefabcdef", seconds, seconds, seconds * 9ull, "ticket 42: no login"});
    ok = ok && statement &&
         write_file_atomically(std::string(argv[1]) + "/" + std::to_string(seconds), *statement, 0644);
  }
  return ok ? 0 : 1;
}
