// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/test_attester.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "lib/attest/ecdsa_key.h"
#include "lib/attest/quote.h"
#include "lib/attest/tpm_hash.h"
#include "lib/tcg/ima_log.h"

namespace diglim {
namespace {

void must(bool truth, const char* what) {
  if (truth) return;
  (void)fprintf(stderr, "test attester: %s failed\n", what);
  std::abort();
}

template <typename T>
T take(Result<T> result) {
  if (!result) must(false, result.error().message.c_str());
  return *std::move(result);
}

template <typename Sized, size_t N>
void put(Sized& sized, BYTE (&buffer)[N], ByteView bytes) {
  must(fill(sized.size, buffer, bytes).has_value(), "copy");
}

Bytes sign_ecdsa(EVP_PKEY* key, ByteView message) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  size_t size = 0;
  must(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key) == 1, "sign");
  must(EVP_DigestSign(context, nullptr, &size, message.data(), message.size()) == 1, "sign");
  Bytes der(size);
  must(EVP_DigestSign(context, der.data(), &size, message.data(), message.size()) == 1, "sign");
  der.resize(size);
  EVP_MD_CTX_free(context);
  return der;
}

Bytes number_bytes(const BIGNUM* number) {
  Bytes bytes(32);
  must(BN_bn2binpad(number, bytes.data(), 32) == 32, "number");
  return bytes;
}

}  // namespace

TestAttester::TestAttester() : key_(EVP_EC_gen("P-256")) {
  must(key_ != nullptr, "make a key");
  attributes = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_FIXEDTPM |
               TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH;
  boot.boot.policy_hash = Bytes(32, 0x01);
  boot.boot.loader_hash = Bytes(32, 0x02);
  boot.boot.programs = {{"diglim.bpf.o", Bytes(32, 0x03)}, {"probe.bpf.o", Bytes(32, 0x04)}};
  boot.boot.keys = {{Bytes(32, 0x05), "x509:" + std::string(64, 'a')}};
  boot.lists = {
      {Bytes(32, 0x06), "0-file_list-rpm-bash-5.2-1.x86_64", "bash-5.2-1.x86_64", "CN=Distribution"},
      {Bytes(32, 0x07), "0-file_list-compact-tool", "", "CN=Developer"}};
}

VerifierPolicy TestAttester::policy() const {
  const TestAttester fresh;
  VerifierPolicy policy;
  policy.loaders = {{fresh.boot.boot.loader_hash}};
  policy.ima_policies = {{fresh.boot.boot.policy_hash}};
  policy.programs.emplace();
  for (const ManifestProgram& program : fresh.boot.boot.programs)
    (*policy.programs)[program.name] = {program.hash};
  policy.keys = {{fresh.boot.boot.keys[0].fingerprint}};
  policy.lists.emplace();
  for (const ManifestList& list : fresh.boot.lists) policy.lists->insert(list.hash);
  policy.minimum_versions = {{"bash", "5.2-1"}};
  policy.pcrs[0] = {Bytes(32, 0)};
  return policy;
}

Bytes TestAttester::ak() const {
  BIGNUM* x = nullptr;
  BIGNUM* y = nullptr;
  must(EVP_PKEY_get_bn_param(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
           EVP_PKEY_get_bn_param(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1,
       "public key");
  TPM2B_PUBLIC area = take(ecdsa_p256_public(attributes, number_bytes(x), number_bytes(y)));
  BN_free(x);
  BN_free(y);
  area.publicArea.nameAlg = name_algorithm;
  return take(marshal(area, "key", Tss2_MU_TPM2B_PUBLIC_Marshal));
}

void TestAttester::sign(Bundle& bundle) const {
  bundle.ak = ak();
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
  std::vector<Bytes> values;
  for (const unsigned index : quoted) {
    selection.pcrSelections[0].pcrSelect[index / 8] |= static_cast<BYTE>(1u << index % 8);
    const auto value = bundle.pcrs.find(index);
    if (value != bundle.pcrs.end()) values.push_back(value->second);
  }
  const Bytes digest = take(pcr_selection_digest(HashAlgo::kSha256, values));
  put(attest.attested.quote.pcrDigest, attest.attested.quote.pcrDigest.buffer, digest);
  bundle.attest = take(marshal(attest, "quote", Tss2_MU_TPMS_ATTEST_Marshal));
  bundle.attest[4] =
      static_cast<uint8_t>(type >> 8);  // tss2-mu would not write another type with this content
  bundle.attest[5] = static_cast<uint8_t>(type);

  const Bytes der = sign_ecdsa(key_.get(), bundle.attest);
  const unsigned char* at = der.data();
  ECDSA_SIG* parsed = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  must(parsed != nullptr, "signature");
  TPMT_SIGNATURE signature = {};
  signature.sigAlg = TPM2_ALG_ECDSA;
  TPMS_SIGNATURE_ECDSA& ecdsa = signature.signature.ecdsa;
  ecdsa.hash = TPM2_ALG_SHA256;
  put(ecdsa.signatureR, ecdsa.signatureR.buffer, number_bytes(ECDSA_SIG_get0_r(parsed)));
  put(ecdsa.signatureS, ecdsa.signatureS.buffer, number_bytes(ECDSA_SIG_get0_s(parsed)));
  ECDSA_SIG_free(parsed);
  bundle.signature = take(marshal(signature, "signature", Tss2_MU_TPMT_SIGNATURE_Marshal));
}

Bundle TestAttester::bundle() const {
  Bundle bundle;
  bundle.bank = bank;
  for (const unsigned index : quoted) bundle.pcrs[index] = Bytes(hash_size(bank), 0);
  append(bundle.ima_log,
         test_event(10, "ima-sig", take(boot_aggregate(PcrBank(HashAlgo::kSha256))), "boot_aggregate"));
  uint64_t number = 1;
  Bytes previous;
  const auto add = [&](Manifest manifest) {
    manifest.number = number;
    manifest.previous = previous;
    const Bytes content = take(write_manifest(std::move(manifest)));
    previous = take(manifest_hash(content));
    append(bundle.ima_log, test_event(pcr, "ima-ng", previous, manifest_path(number)));
    bundle.manifests.push_back(content);
    ++number;
  };
  add(boot);
  for (const Manifest& update : updates) add(update);
  for (const NewImaEvent& file : files) append(bundle.ima_log, take(write_ima_event(file)));
  replay_into(bundle);
  sign(bundle);
  return bundle;
}

Bytes test_event(unsigned pcr, const std::string& template_name, ByteView sha256, const std::string& path) {
  NewImaEvent event;
  event.pcr = pcr;
  event.template_name = template_name;
  event.digest = to_bytes(sha256);
  event.path = path;
  return take(write_ima_event(event));
}

void replay_into(Bundle& bundle) {
  const auto events = take(read_ima_log(bundle.ima_log));
  PcrBank bank(bundle.bank);
  for (const ImaEvent& event : events) {
    must(replay_ima_event(event, bank).has_value(), "replay");
    const auto quoted = bundle.pcrs.find(event.pcr);
    if (quoted != bundle.pcrs.end()) quoted->second = bank.value(event.pcr);
  }
}

}  // namespace diglim
