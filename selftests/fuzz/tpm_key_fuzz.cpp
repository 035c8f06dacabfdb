// SPDX-License-Identifier: Apache-2.0
// Goal: no file of a TPM key makes a server that reads it crash; what is taken has a policy that is the
// key's. Expected: a file that reads is written back to what reads the same; one that is taken names PCRs in
// each way.
#include <cstdlib>

#include "lib/tpm/key_policy.h"
#include "lib/tpm/key_public.h"
#include "lib/tpm/sealed.h"

namespace diglim {
namespace {

void check(bool truth) {
  if (!truth) std::abort();
}

void read_der(ByteView der) {
  const auto file = read_key_der(der);
  if (!file) {
    check(!file.error().message.empty());
    return;
  }
  const auto again = write_key_der(*file);
  check(again.has_value());
  const auto reread = read_key_der(*again);
  check(reread && reread->public_part == file->public_part && reread->private_part == file->private_part &&
        reread->policy.size() == file->policy.size() &&
        reread->alternatives.size() == file->alternatives.size());
  const auto parts = read_key_parts(*file);
  if (!parts) return;
  const bool bound = !file->policy.empty() || !file->alternatives.empty();
  check(bound == !parts->ways.empty() && bound == (parts->public_part.publicArea.authPolicy.size > 0));
  for (const PolicyWay& way : parts->ways) {
    check(!way.pcrs.empty());
    check(!way.limit || (way.limit->index >= kFirstCounterIndex && way.limit->index <= kLastCounterIndex));
  }
  (void)openssl_public_key(parts->public_part);  // a point may be off its curve
}

}  // namespace
}  // namespace diglim

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  return setenv("TSS2_LOG", "all+NONE", 1);  // tpm2-tss would print each refusal
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const diglim::ByteView bytes(data, size);
  diglim::read_der(bytes);
  if (const auto file = diglim::read_key_pem(diglim::as_text(bytes))) (void)diglim::read_key_parts(*file);
  (void)diglim::read_authorization(diglim::as_text(bytes));
  return 0;
}
