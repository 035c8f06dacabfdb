// SPDX-License-Identifier: Apache-2.0
// Writes seeds for grant_fuzz into the folder named by the first argument.
#include <cstdio>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "lib/cms/appended_signature.h"
#include "lib/digest_list/signed_grant.h"
#include "selftests/fuzz/appended_signature_fuzz_keys.h"

int main(int argc, char** argv) {
  using namespace diglim;
  if (argc != 2) return 2;
  bool ok = true;
  const auto write = [&](const std::string& name, ByteView content) {
    const auto written = write_file_atomically(std::string(argv[1]) + "/" + name, content, 0644);
    if (!written) (void)std::fprintf(stderr, "%s\n", written.error().message.c_str());
    ok = ok && written.has_value();
  };
  const Bytes keys = to_bytes(as_bytes(kFuzzKeys[0].certificate));
  write("keys", keys);
  write("signed", append_signature(write_grant(keys), Bytes(64, 1), SignatureType::kPkcs7));
  write("blob", grants_to_blob(std::vector<Grant>{{"CN=a", keys}, {"", keys}}));
  return ok ? 0 : 1;
}
