// SPDX-License-Identifier: Apache-2.0
// Goal: no grant of keys, and no map of the kernel, makes the readers crash.
// Expected: what was read is written as it was; who is not trusted grants nothing.
#include <cstdlib>

#include "lib/digest_list/signed_grant.h"

namespace diglim {
namespace {

void check(bool truth) {
  if (!truth) std::abort();
}

}  // namespace
}  // namespace diglim

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace diglim;
  const ByteView file(data, size);
  const auto grants = grants_from_blob(file);
  if (grants) check(grants_to_blob(*grants) == to_bytes(file));
  if (!grants) check(!grants.error().message.empty());
  TrustStore trust = *TrustStore::from_blob(as_bytes(std::string_view("DIGLIMTS\2\0\0\0\0\0\0\0\0", 17)));
  check(!verify_grant(file, trust));
  // Whether it counts or not, the readers agree on it.
  const auto keys = TrustStore::keys_of_file(file);
  check(keys.has_value() == TrustStore::check_file(file).has_value());
  check(keys.has_value() == trust.grant(file).has_value());
  return 0;
}
