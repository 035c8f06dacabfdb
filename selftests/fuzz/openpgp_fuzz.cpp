// SPDX-License-Identifier: Apache-2.0
// Goal: no bytes make the OpenPGP readers crash, hang, or give a good verdict without a trusted key.
// Input: one byte that selects. Even: the rest is a key file. Odd: a big-endian 16-bit size, a key file of
// that size, and signatures over kMessage.
#include <cstdlib>

#include "lib/openpgp/signature.h"

namespace {

using diglim::as_bytes;
using diglim::ByteReader;
using diglim::ByteView;
namespace openpgp = diglim::openpgp;

constexpr std::string_view kMessage = "the immutable region of a header";

void require(bool condition) {
  if (!condition) std::abort();
}

// What read_certificates() promises, whatever the file is.
void check(const std::vector<openpgp::Certificate>& certificates) {
  for (const openpgp::Certificate& certificate : certificates) {
    require(!certificate.keys.empty());
    for (const openpgp::Key& key : certificate.keys) {
      require(key.fingerprint.size() == (key.version == 6 ? 32u : 20u));
      require(!certificate.keys[0].revoked_hard || key.revoked_hard);
      (void)openpgp::state_at(key, key.created);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteReader reader(ByteView(data, size));
  const auto selector = reader.u8();
  if (!selector) return 0;
  if ((*selector & 1) == 0) {
    (void)openpgp::looks_like_certificates(reader.rest());
    if (const auto read = openpgp::read_certificates(reader.rest())) check(*read);
    return 0;
  }
  const auto key_size = reader.u16_be();
  if (!key_size) return 0;
  const auto keys = reader.bytes(*key_size);
  if (!keys) return 0;
  auto trusted = openpgp::read_certificates(*keys);
  if (!trusted) trusted = std::vector<openpgp::Certificate>{};
  check(*trusted);
  diglim::MessageHash message(as_bytes(kMessage));
  const auto judged = openpgp::judge_signatures(reader.rest(), 0, message, *trusted, {});
  if (!judged) return 0;
  for (const openpgp::Judgement& judgement : *judged) {
    const bool good = judgement.verdict == openpgp::Verdict::kGood;
    require(good == judgement.reason.empty());
    require(!good || !trusted->empty());
  }
  return 0;
}
