// SPDX-License-Identifier: Apache-2.0
// Goal: no deny list, signed or not, and no map of the kernel makes the readers crash.
// Expected: what was read is written as it was.
#include <cstdlib>

#include "lib/cms/appended_signature.h"
#include "lib/revocation/denials.h"

namespace diglim {
namespace {

void check(bool truth) {
  if (!truth) std::abort();
}

void read(ByteView content) {
  const auto list = read_deny_list(content);
  if (!list) {
    check(!list.error().message.empty());
    return;
  }
  const auto again = write_deny_list(*list);
  check(again.has_value() && *again == to_bytes(content));
  for (const DenyEntry& denial : list->denials) check(!revoked_text(denial).empty());
  Denials denials;
  check(denials.add({*list, to_bytes(content), Bytes(32, 1), "signer"}).has_value());
  (void)denials.of_package("bash-1:5.2-3.x86_64");
  const Bytes blob = denials.to_blob();
  const auto back = Denials::from_blob(blob);
  check(back.has_value() && back->to_blob() == blob);
}

}  // namespace
}  // namespace diglim

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace diglim;
  const ByteView file(data, size);
  read(file);
  const auto parts = split_appended_signature(file);
  if (parts) read(parts->content);
  (void)Denials::from_blob(file);
  return 0;
}
