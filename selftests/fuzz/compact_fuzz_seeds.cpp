// SPDX-License-Identifier: Apache-2.0
// Writes seeds for compact_fuzz into the folder named by the first argument.
#include <cstdio>

#include "lib/base/file.h"
#include "lib/cms/appended_signature.h"
#include "lib/digest_list/compact.h"

int main(int argc, char** argv) {
  using namespace diglim;
  if (argc != 2) return 2;
  Bytes several;
  bool ok = true;
  const auto write = [&](const std::string& name, ByteView content) {
    const auto written = write_file_atomically(std::string(argv[1]) + "/" + name, content, 0644);
    if (!written) std::fprintf(stderr, "%s\n", written.error().message.c_str());
    ok = ok && written.has_value();
  };
  for (uint16_t number = 1; number <= 7; ++number) {
    const HashAlgo algo = *hash_from_kernel(number);
    const Bytes list = write_compact(algo, Bytes(2 * hash_size(algo), 0xab), number % 2);
    append(several, list);
    write("algorithm-" + std::to_string(number), list);
  }
  write("several", several);
  write("none", write_compact(HashAlgo::kSha256, {}));
  write("signed", append_signature(several, as_bytes("signature"), SignatureType::kPkcs7));
  return ok ? 0 : 1;
}
