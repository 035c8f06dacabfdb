// SPDX-License-Identifier: Apache-2.0
// Goal: no content of a generation map makes the loader crash, nor does the next generation made of it.
// Expected: if the next one reads back, the list that was added is in it.
#include <cstdlib>

#include "lib/generation/generation.h"

namespace diglim {
namespace {

constexpr size_t kMaxElements = 1 << 16;

void check(bool truth) {
  if (!truth) std::abort();
}

void change(Generation& generation) {
  const Bytes hash(32, 7);
  LoadedList list;
  list.name = "new";
  list.content_hash = hash;
  Bytes digests(3 * hash_size(generation.algo()), 0xab);
  digests[0] = 1;
  if (!generation.lists().empty()) (void)generation.remove(std::string(generation.lists()[0].name));
  if (!generation.put(list, digests)) return;  // so many digests are said to be there
  Bytes map;
  const auto sealed = generation.seal(1, [&](size_t elements) -> Result<std::span<uint8_t>> {
    if (elements > kMaxElements) return unsupported("too large");
    map = Bytes(elements * sizeof(diglim_bucket), 0);
    return std::span(map);
  });
  if (!sealed) return;
  const auto next = Generation::decode(map, nullptr);
  // Where slots, owners and lists contradicted each other, they may still do.
  if (next) check(next->find("new") != nullptr && next->lists().size() == generation.lists().size());
}

}  // namespace
}  // namespace diglim

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace diglim;
  const Bytes map(data, data + size);  // aligned
  auto generation = Generation::decode(map, nullptr);
  if (generation) change(*generation);
  return 0;
}
