// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <cstdio>
#include "lib/attest/test_attester.h"
#include "lib/attest/verify.h"
namespace diglim {
namespace {
TEST(Mutations, All) {
  TestAttester machine;
  Manifest add;
  add.kind = ManifestKind::kAdd;
  add.lists = {{Bytes(32, 0x06), "bash-2", "bash-5.2-2.x86_64", "CN=Distribution"}};
  machine.updates = {add};
  NewImaEvent file; file.template_name="ima-sig"; file.digest=Bytes(32,0xdd); file.path="/tolerated"; 
  machine.files = {file};
  VerifierPolicy policy = machine.policy();
  policy.tolerated_files = {Bytes(32,0xdd)};
  const Bytes ak = machine.ak();
  const Bytes good = *write_bundle(machine.bundle());
  const auto trusted = [&](const Bytes& f) { return verify_attestation({f, ak, machine.nonce}, policy).trusted(); };
  ASSERT_TRUE(trusted(good));
  size_t n = 0;
  const auto look = [&](const Bytes& f, size_t at, const char* how, int v) {
    ++n;
    if (f != good && trusted(f)) printf("accepted: %s at %zu of %zu, %d -> %d\n", how, at, good.size(), good[at], v);
  };
  for (size_t at = 0; at < good.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) { Bytes f = good; f[at] = static_cast<uint8_t>(f[at] ^ 1 << bit); look(f, at, "flip", f[at]); }
    for (int v : {0, 255, good[at]+1, good[at]-1}) { Bytes f = good; f[at] = static_cast<uint8_t>(v); look(f, at, "set", f[at]); }
    Bytes f = good; f.erase(f.begin()+static_cast<ptrdiff_t>(at)); look(f, at, "erase", 0);
    f = good; f.insert(f.begin()+static_cast<ptrdiff_t>(at), good[at]); look(f, at, "dup", 0);
    f = good; f.insert(f.begin()+static_cast<ptrdiff_t>(at), 0); look(f, at, "zero", 0);
    f = good; f.resize(at); look(f, at, "cut", 0);
  }
  printf("%zu mutations\n", n);
}
}
}
