// SPDX-License-Identifier: Apache-2.0
// Writes seeds for generation_fuzz into the folder named by the first argument.
#include <cstdio>

#include "lib/base/file.h"
#include "lib/generation/generation.h"

int main(int argc, char** argv) {
  using namespace diglim;
  if (argc != 2) return 2;
  bool ok = true;
  const Bytes hash(32, 1);
  for (uint8_t lists = 0; lists < 4; ++lists) {
    Generation generation(HashAlgo::kSha256);
    for (uint8_t i = 0; i < lists; ++i) {
      const std::string name(i + 1u, 'a');
      LoadedList list;
      list.name = name;
      list.content_hash = hash;
      Bytes digests(32, 0xff);  // of all of them
      for (uint8_t k = 0; k < 5 * i; ++k) append(digests, *diglim::hash(HashAlgo::kSha256, {Bytes{i, k}}));
      ok = ok && generation.put(list, digests);
    }
    Bytes map;
    ok = ok && generation.seal(1, [&](size_t elements) -> Result<std::span<uint8_t>> {
      map = Bytes(elements * sizeof(diglim_bucket), 0);
      return std::span(map);
    });
    ok = ok && write_file_atomically(std::string(argv[1]) + "/" + std::to_string(lists), map, 0644);
  }
  if (!ok) (void)std::fputs("generation_fuzz_seeds: failed\n", stderr);
  return ok ? 0 : 1;
}
