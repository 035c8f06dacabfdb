// SPDX-License-Identifier: Apache-2.0
// Goal: no appended signature and no CMS makes the verifier crash, hang or accept.
// Expected: only the content that the seeds signed verifies, whatever is done to the signature.
#include <cstdlib>

#include "lib/cms/appended_signature.h"
#include "lib/cms/cms.h"
#include "selftests/fuzz/appended_signature_fuzz_keys.h"

namespace diglim {
namespace {

void check(bool truth) {
  if (!truth) std::abort();
}

std::vector<X509Ptr> read_trusted() {
  std::vector<X509Ptr> all;
  for (const FuzzKey& key : kFuzzKeys) {
    auto some = read_x509(as_bytes(key.certificate));
    check(some.has_value());
    for (X509Ptr& certificate : *some) all.push_back(std::move(certificate));
  }
  return all;
}

void verify(ByteView cms, uint64_t base, ByteView content) {
  static const std::vector<X509Ptr> trusted = read_trusted();
  const SignaturePolicy everything{{HashAlgo::kMd5, HashAlgo::kSha1, HashAlgo::kRipemd160}};
  MessageHash message(content);
  const auto signer = verify_cms(cms, base, message, trusted, everything);
  if (signer) check(as_text(content) == kFuzzContent);
  if (!signer) check(!signer.error().message.empty());
}

}  // namespace
}  // namespace diglim

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace diglim;
  const ByteView file(data, size);
  const auto parts = split_appended_signature(file);
  if (!parts) {
    // So that a mutation need not first find the block and the marker.
    verify(file, 0, as_bytes("other content"));
    return 0;
  }
  check(parts->content.size() + parts->signature.size() < file.size());
  check(append_signature(parts->content, parts->signature, parts->type) == to_bytes(file));
  verify(parts->signature, parts->signature_offset, parts->content);
  return 0;
}
