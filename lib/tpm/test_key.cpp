// SPDX-License-Identifier: Apache-2.0
#include "lib/tpm/test_key.h"

#include "lib/tcg/marshal.h"
#include "lib/tcg/test_tpm.h"
#include "lib/tpm/key_policy.h"
#include "lib/tpm/pcr_policy.h"
#include "lib/tpm/signing_key.h"

namespace diglim {
namespace {

const PcrSelection kSelection = {HashAlgo::kSha256, {12}};
const std::map<unsigned, Bytes> kValues = {{12, Bytes(32, 1)}};

PkeyPtr new_key() {
  init_openssl();
  return PkeyPtr(EVP_EC_gen("P-256"));
}

}  // namespace

TestKey::TestKey() : key_(new_key()), authority_(new_key()) {
  must(key_ && authority_, "make keys");
}

KeyFile TestKey::file(ByteView policy) const {
  TPM2B_PUBLIC area = must_have(tpm_public_key(key_.get()));
  area.publicArea.objectAttributes = TPMA_OBJECT_SIGN_ENCRYPT;
  if (policy.empty()) area.publicArea.objectAttributes |= TPMA_OBJECT_USERWITHAUTH;
  must(fill(area.publicArea.authPolicy.size, area.publicArea.authPolicy.buffer, policy).has_value(),
       "policy");
  KeyFile file;
  file.public_part = must_have(marshal(area, "key", Tss2_MU_TPM2B_PUBLIC_Marshal));
  file.private_part = Bytes{0, 3, 'a', 'b', 'c'};
  return file;
}

KeyFile TestKey::unbound() const {
  return file({});
}

KeyFile TestKey::bound() const {
  KeyFile key = file(must_have(policy_pcr_digest(kSelection, kValues)));
  key.policy = {must_have(pcr_command(kSelection, kValues))};
  return key;
}

Authorization TestKey::signed_approval(Authorization approval) const {
  const Bytes digest = must_have(authorization_hash(must_have(approved_policy(approval))));
  approval.signature = must_have(sign_digest(authority_.get(), digest));
  return approval;
}

Authorization TestKey::approval() const {
  return signed_approval({kSelection, kValues, {}, {}});
}

Authorization TestKey::limited_approval() const {
  return signed_approval({kSelection, kValues, {}, CounterLimit{kDefaultCounterIndex, 5}});
}

std::string TestKey::authority_pem() const {
  return must_have(public_pem(authority_.get()));
}

KeyFile TestKey::approved() const {
  return approved_by(approval());
}

KeyFile TestKey::limited() const {
  return approved_by(limited_approval());
}

KeyFile TestKey::approved_by(const Authorization& approval) const {
  const Bytes name = must_have(tpm_public_key_name(authority_.get()));
  KeyFile key = file(must_have(policy_authorize_digest(name)));
  key.alternatives = {must_have(approved_commands(authority_pem(), approval))};
  return key;
}

}  // namespace diglim
