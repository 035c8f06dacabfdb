// SPDX-License-Identifier: Apache-2.0
// Writes seeds for tpm_key_fuzz into the folder named by the first argument.
#include <cstdio>

#include "lib/base/file.h"
#include "lib/tcg/test_tpm.h"
#include "lib/tpm/test_key.h"

int main(int argc, char** argv) {
  using namespace diglim;
  if (argc != 2) return 2;
  bool ok = true;
  const auto write = [&](const std::string& name, ByteView content) {
    const auto written = write_file_atomically(std::string(argv[1]) + "/" + name, content, 0644);
    if (!written) std::fprintf(stderr, "%s\n", written.error().message.c_str());
    ok = ok && written.has_value();
  };
  const TestKey maker;
  write("unbound", must_have(write_key_der(maker.unbound())));
  write("bound", must_have(write_key_der(maker.bound())));
  write("approved", must_have(write_key_der(maker.approved())));
  write("limited", must_have(write_key_der(maker.limited())));
  write("pem", as_bytes(must_have(write_key_pem(maker.approved()))));
  write("authorization", as_bytes(write_authorization(maker.approval())));
  write("limited_authorization", as_bytes(write_authorization(maker.limited_approval())));
  return ok ? 0 : 1;
}
