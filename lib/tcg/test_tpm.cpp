// SPDX-License-Identifier: Apache-2.0
#include "lib/tcg/test_tpm.h"

#include <openssl/core_names.h>

#include <cstdio>
#include <cstdlib>

#include "lib/tcg/ecdsa_key.h"
#include "lib/tcg/tpm_hash.h"

namespace diglim {
namespace {

template <typename Sized, size_t N>
void put(Sized& sized, BYTE (&buffer)[N], ByteView bytes) {
  must(fill(sized.size, buffer, bytes).has_value(), "copy");
}

Bytes sign_ecdsa(EVP_PKEY* key, ByteView message) {
  const MdContextPtr context(EVP_MD_CTX_new());
  size_t size = 0;
  must(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1, "sign");
  must(EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) == 1, "sign");
  Bytes der(size);
  must(EVP_DigestSign(context.get(), der.data(), &size, message.data(), message.size()) == 1, "sign");
  der.resize(size);
  return der;
}

Bytes number_bytes(const BIGNUM* number) {
  Bytes bytes(32);
  must(BN_bn2binpad(number, bytes.data(), 32) == 32, "number");
  return bytes;
}

Bytes number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  must(EVP_PKEY_get_bn_param(key, name, &number) == 1, name);
  const BignumPtr owner(number);
  return number_bytes(number);
}

}  // namespace

void must(bool truth, const char* what) {
  if (truth) return;
  (void)fprintf(stderr, "test TPM: %s failed\n", what);
  std::abort();
}

TestTpm::TestTpm() : key_(EVP_EC_gen("P-256")) {
  must(key_ != nullptr, "make a key");
  attributes = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_FIXEDTPM |
               TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH;
}

Bytes TestTpm::ak() const {
  TPM2B_PUBLIC area = must_have(ecdsa_p256_public(attributes, number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X),
                                                  number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y)));
  area.publicArea.nameAlg = name_algorithm;
  return must_have(marshal(area, "key", Tss2_MU_TPM2B_PUBLIC_Marshal));
}

SignedQuote TestTpm::quote(const std::map<unsigned, Bytes>& values) const {
  SignedQuote out;
  out.ak = ak();
  TPMS_ATTEST attest = {};
  attest.magic = magic;
  attest.type = TPM2_ST_ATTEST_QUOTE;
  put(attest.extraData, attest.extraData.buffer, nonce);
  attest.clockInfo.clock = 1000;
  attest.clockInfo.resetCount = 3;
  attest.clockInfo.safe = TPM2_YES;
  TPML_PCR_SELECTION& selection = attest.attested.quote.pcrSelect;
  selection.count = 1;
  selection.pcrSelections[0].hash = hash_to_tpm(bank);
  selection.pcrSelections[0].sizeofSelect = 3;
  std::vector<Bytes> ordered;
  for (const unsigned index : quoted) {
    selection.pcrSelections[0].pcrSelect[index / 8] |= static_cast<BYTE>(1u << index % 8);
    const auto value = values.find(index);
    if (value != values.end()) ordered.push_back(value->second);
  }
  const Bytes digest = must_have(pcr_selection_digest(HashAlgo::kSha256, ordered));
  put(attest.attested.quote.pcrDigest, attest.attested.quote.pcrDigest.buffer, digest);
  out.attest = must_have(marshal(attest, "quote", Tss2_MU_TPMS_ATTEST_Marshal));
  // tss2-mu would not write another type with this content.
  out.attest[4] = static_cast<uint8_t>(type >> 8);
  out.attest[5] = static_cast<uint8_t>(type);

  const Bytes der = sign_ecdsa(key_.get(), out.attest);
  const unsigned char* at = der.data();
  const EcdsaSigPtr parsed(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  must(parsed != nullptr, "signature");
  TPMT_SIGNATURE signature = {};
  signature.sigAlg = TPM2_ALG_ECDSA;
  TPMS_SIGNATURE_ECDSA& ecdsa = signature.signature.ecdsa;
  ecdsa.hash = TPM2_ALG_SHA256;
  put(ecdsa.signatureR, ecdsa.signatureR.buffer, number_bytes(ECDSA_SIG_get0_r(parsed.get())));
  put(ecdsa.signatureS, ecdsa.signatureS.buffer, number_bytes(ECDSA_SIG_get0_s(parsed.get())));
  out.signature = must_have(marshal(signature, "signature", Tss2_MU_TPMT_SIGNATURE_Marshal));
  return out;
}

}  // namespace diglim
