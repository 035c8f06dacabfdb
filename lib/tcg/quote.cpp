// SPDX-License-Identifier: Apache-2.0
#include "lib/tcg/quote.h"

#include <openssl/rsa.h>

#include <optional>

#include "lib/crypto/public_key.h"
#include "lib/tcg/marshal.h"
#include "lib/tcg/tpm_hash.h"

namespace diglim {
namespace {

Result<TPM2B_PUBLIC> unmarshal_public(ByteView bytes) {
  return unmarshal<TPM2B_PUBLIC>(bytes, "TPM2B_PUBLIC", Tss2_MU_TPM2B_PUBLIC_Unmarshal);
}

template <typename Buffer>
Bytes copy_of(const Buffer& sized, const BYTE* data) {
  return Bytes(data, data + sized.size);
}

Result<PcrSelection> read_selection(const TPML_PCR_SELECTION& list) {
  if (list.count != 1)
    return unsupported("a quote over " + std::to_string(list.count) + " PCR banks; one is expected");
  const TPMS_PCR_SELECTION& one = list.pcrSelections[0];
  const auto bank = hash_from_tpm(one.hash);
  if (!bank) return unsupported("a quote over a PCR bank of an unknown hash");
  PcrSelection selection;
  selection.bank = *bank;
  for (unsigned pcr = 0; pcr < one.sizeofSelect * 8u; ++pcr) {
    if (one.pcrSelect[pcr / 8] & 1u << pcr % 8) selection.pcrs.push_back(pcr);
  }
  return selection;
}

Result<void> check_attributes(TPMA_OBJECT attributes) {
  struct Needed {
    TPMA_OBJECT bit;
    const char* what;
  };
  constexpr Needed kNeeded[] = {
      {TPMA_OBJECT_RESTRICTED, "it is not restricted: it would sign what was not made inside the TPM"},
      {TPMA_OBJECT_SIGN_ENCRYPT, "it is not a signing key"},
      {TPMA_OBJECT_FIXEDTPM, "it can be moved to another TPM"},
      {TPMA_OBJECT_FIXEDPARENT, "it can be moved to another TPM"},
      {TPMA_OBJECT_SENSITIVEDATAORIGIN, "it was not made inside the TPM"},
  };
  for (const Needed& needed : kNeeded) {
    if ((attributes & needed.bit) == 0) return untrusted(std::string("attestation key: ") + needed.what);
  }
  return {};
}

Result<void> read_rsa(const TPMT_PUBLIC& area, AttestationKey& key) {
  const TPMT_RSA_SCHEME& scheme = area.parameters.rsaDetail.scheme;
  if (scheme.scheme != TPM2_ALG_RSASSA && scheme.scheme != TPM2_ALG_RSAPSS)
    return unsupported("attestation key: no RSA signing scheme");
  key.rsa_pss = scheme.scheme == TPM2_ALG_RSAPSS;
  const auto algo = hash_from_tpm(scheme.details.anySig.hashAlg);
  if (!algo || *algo == HashAlgo::kSha1)
    return unsupported("attestation key: its hash is not of the SHA-2 family");
  key.hash = *algo;
  const uint32_t exponent =
      area.parameters.rsaDetail.exponent == 0 ? 65537 : area.parameters.rsaDetail.exponent;
  Bytes exponent_bytes;
  put_u32_be(exponent_bytes, exponent);
  const TPM2B_PUBLIC_KEY_RSA& modulus = area.unique.rsa;
  TRY_ASSIGN(key.key, rsa_public_key({modulus.buffer, modulus.size}, exponent_bytes));
  if (key_bits(key.key.get()) < 2048) return unsupported("attestation key: RSA of less than 2048 bits");
  return {};
}

Result<void> read_ecc(const TPMT_PUBLIC& area, AttestationKey& key) {
  const TPMS_ECC_PARMS& details = area.parameters.eccDetail;
  if (details.scheme.scheme != TPM2_ALG_ECDSA) return unsupported("attestation key: no ECDSA signing scheme");
  const auto algo = hash_from_tpm(details.scheme.details.anySig.hashAlg);
  if (!algo || *algo == HashAlgo::kSha1)
    return unsupported("attestation key: its hash is not of the SHA-2 family");
  key.hash = *algo;
  if (details.curveID != TPM2_ECC_NIST_P256 && details.curveID != TPM2_ECC_NIST_P384)
    return unsupported("attestation key: a curve that is neither P-256 nor P-384");
  const Curve curve = details.curveID == TPM2_ECC_NIST_P256 ? Curve::kP256 : Curve::kP384;
  const size_t size = curve == Curve::kP256 ? 32 : 48;
  const TPMS_ECC_POINT& point = area.unique.ecc;
  if (point.x.size > size || point.y.size > size) return corrupt(0, "attestation key: coordinates too long");
  Bytes encoded(1 + 2 * size, 0);
  encoded[0] = 4;  // uncompressed; a TPM may drop leading zeros
  std::copy_n(point.x.buffer, point.x.size,
              encoded.begin() + static_cast<ptrdiff_t>(1 + size - point.x.size));
  std::copy_n(point.y.buffer, point.y.size, encoded.end() - point.y.size);
  TRY_ASSIGN(key.key, ec_public_key(curve, encoded));
  return {};
}

bool verify_pss(EVP_PKEY* key, HashAlgo algo, ByteView digest, ByteView signature) {
  const PkeyContextPtr context(EVP_PKEY_CTX_new(key, nullptr));
  return context && EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context.get(), hash_evp(algo)) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_AUTO) == 1 &&
         EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size()) ==
             1;
}

}  // namespace

Result<Quote> parse_quote(ByteView attest, QuoteFault& fault) {
  fault = QuoteFault::kMalformed;
  // Before tss2-mu, which refuses other magics too but does not say so.
  ByteReader reader(attest);
  TRY_ASSIGN(const uint32_t magic, reader.u32_be());
  TRY_ASSIGN(const uint16_t type, reader.u16_be());
  if (magic != TPM2_GENERATED_VALUE) {
    fault = QuoteFault::kMagic;
    return untrusted("it does not begin with TPM_GENERATED_VALUE: no TPM made it");
  }
  if (type != TPM2_ST_ATTEST_QUOTE) {
    fault = QuoteFault::kType;
    return untrusted("signed by the TPM, but no quote");
  }
  TRY_ASSIGN(const TPMS_ATTEST parsed,
             unmarshal<TPMS_ATTEST>(attest, "TPMS_ATTEST", Tss2_MU_TPMS_ATTEST_Unmarshal));
  Quote quote;
  quote.nonce = copy_of(parsed.extraData, parsed.extraData.buffer);
  quote.clock_ms = parsed.clockInfo.clock;
  quote.resets = parsed.clockInfo.resetCount;
  quote.restarts = parsed.clockInfo.restartCount;
  quote.clock_safe = parsed.clockInfo.safe == TPM2_YES;
  quote.firmware_version = parsed.firmwareVersion;
  const TPMS_QUOTE_INFO& info = parsed.attested.quote;
  TRY_ASSIGN(quote.selection, read_selection(info.pcrSelect));
  quote.pcr_digest = copy_of(info.pcrDigest, info.pcrDigest.buffer);
  return quote;
}

Result<Bytes> tpm_name(ByteView public_area) {
  TRY_ASSIGN(const TPM2B_PUBLIC parsed, unmarshal_public(public_area));
  const auto algo = hash_from_tpm(parsed.publicArea.nameAlg);
  if (!algo) return unsupported("a TPM key without a hash for its name");
  Bytes name;
  put_u16_be(name, parsed.publicArea.nameAlg);
  // The name covers the public area without its size.
  TRY_ASSIGN(const Bytes digest, hash(*algo, {public_area.subspan(2)}));
  append(name, digest);
  return name;
}

Result<AttestationKey> parse_attestation_key(ByteView public_area) {
  TRY_ASSIGN(const TPM2B_PUBLIC parsed, unmarshal_public(public_area));
  const TPMT_PUBLIC& area = parsed.publicArea;
  TRY(check_attributes(area.objectAttributes));
  if (area.nameAlg == TPM2_ALG_SHA1) return unsupported("attestation key: its name is made with SHA-1");
  AttestationKey key;
  if (area.type == TPM2_ALG_RSA) {
    TRY(read_rsa(area, key));
  } else if (area.type == TPM2_ALG_ECC) {
    TRY(read_ecc(area, key));
  } else {
    return unsupported("attestation key: neither RSA nor ECC");
  }
  TRY_ASSIGN(key.name, tpm_name(public_area));
  return key;
}

Result<void> verify_quote_signature(const AttestationKey& key, ByteView attest, ByteView signature) {
  TRY_ASSIGN(const TPMT_SIGNATURE parsed,
             unmarshal<TPMT_SIGNATURE>(signature, "TPMT_SIGNATURE", Tss2_MU_TPMT_SIGNATURE_Unmarshal));
  const bool rsa = EVP_PKEY_get_base_id(key.key.get()) == EVP_PKEY_RSA;
  const TPM2_ALG_ID expected = !rsa ? TPM2_ALG_ECDSA : key.rsa_pss ? TPM2_ALG_RSAPSS : TPM2_ALG_RSASSA;
  if (parsed.sigAlg != expected) return unsupported("a signature of another scheme than the key's");
  if (hash_from_tpm(parsed.signature.any.hashAlg) != key.hash)
    return unsupported("a signature over another hash than the key's");
  TRY_ASSIGN(const Bytes digest, hash(key.hash, {attest}));
  bool good = false;
  if (!rsa) {
    const TPMS_SIGNATURE_ECDSA& ecdsa = parsed.signature.ecdsa;
    good = verify_ecdsa(key.key.get(), digest, {ecdsa.signatureR.buffer, ecdsa.signatureR.size},
                        {ecdsa.signatureS.buffer, ecdsa.signatureS.size});
  } else {
    const TPM2B_PUBLIC_KEY_RSA& value = parsed.signature.rsassa.sig;  // RSAPSS has the same layout
    good = key.rsa_pss ? verify_pss(key.key.get(), key.hash, digest, {value.buffer, value.size})
                       : verify_rsa(key.key.get(), key.hash, digest, {value.buffer, value.size});
  }
  if (!good) return untrusted("the signature is wrong");
  return {};
}

}  // namespace diglim
