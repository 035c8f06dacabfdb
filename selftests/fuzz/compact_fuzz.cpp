// SPDX-License-Identifier: Apache-2.0
// Goal: no compact list, signed or not, makes the reader crash, and what it accepts is consistent.
// Expected: every digest is whole, and a list written from what was read reads back the same.
#include <cstdlib>

#include "lib/cms/appended_signature.h"
#include "lib/digest_list/compact.h"

namespace diglim {
namespace {

void check(bool truth) {
  if (!truth) std::abort();
}

void read(ByteView content) {
  const auto list = read_compact(content);
  if (!list) {
    check(!list.error().message.empty());
    return;
  }
  Bytes again;
  for (const auto& [algo, digests] : list->digests) {
    check(!digests.empty() && digests.size() % hash_size(algo) == 0);
    append(again, write_compact(algo, digests));
  }
  if (again.empty()) return;
  const auto second = read_compact(again);
  check(second.has_value() && second->digests == list->digests);
}

}  // namespace
}  // namespace diglim

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace diglim;
  const ByteView file(data, size);
  read(file);
  // The way of a file in the loader, with the signature taken for good.
  const auto parts = split_appended_signature(file);
  if (parts) read(parts->content);
  return 0;
}
