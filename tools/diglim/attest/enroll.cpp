// SPDX-License-Identifier: Apache-2.0
// `diglim attest enroll-*`: how a verifier learns that an attestation key lives in a certain TPM.
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/base/base64.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/crypto/openssl.h"
#include "lib/crypto/x509.h"
#include "lib/tpm/credential.h"
#include "lib/tpm/tpm.h"
#include "tools/diglim/attest/verbs.h"
#include "tools/diglim/written.h"

namespace diglim {
namespace {

using nlohmann::json;

constexpr size_t kMaxFileBytes = 1u << 20;
constexpr char kRequest[] = "diglim-enrolment-request";
constexpr char kChallenge[] = "diglim-enrolment-challenge";
constexpr char kAnswer[] = "diglim-enrolment-answer";

struct Options {
  std::string request, challenge, answer, secret, output;
  std::vector<std::string> ek_ca;
  std::string ek;
  bool any_ek = false;
  std::string state = "/var/lib/diglim";
  std::string tcti;
  Written written;
};

Result<json> read_message(const std::string& path, const char* kind) {
  TRY_ASSIGN(const std::string text, read_text_file(path, kMaxFileBytes));
  json object = json::parse(text, nullptr, false);
  if (object.is_discarded() || !object.is_object() || !object.contains(kind) || object[kind] != 1)
    return corrupt(0, escape(path) + " is no '" + kind + "' of version 1");
  return object;
}

Result<Bytes> bytes_of(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string())
    return corrupt(0, std::string("'") + key + "' is missing");
  return from_base64(found->get_ref<const std::string&>());
}

Result<void> write_message(const std::string& path, const json& object) {
  return write_output(path, as_bytes(object.dump(2) + "\n"), 0644);
}

// By what a person compares keys: SHA-256 of the endorsement key, as for --ek; the attestation key's name.
Result<void> say_keys(Options& options, ByteView ek, ByteView ak) {
  if (!ek.empty()) {
    TRY_ASSIGN(const Bytes fingerprint, hash(HashAlgo::kSha256, {ek}));
    options.written.more().key("ek").value(to_hex(fingerprint));
  }
  TRY_ASSIGN(const Bytes name, tpm_name(ak));
  options.written.more().key("ak").value(to_hex(name));
  return {};
}

// --- the machine ---

Result<void> make_request(Options& options) {
  TRY_ASSIGN(Tpm tpm, Tpm::open(options.tcti));
  TRY_ASSIGN(const EndorsementKey ek, tpm.endorsement_key());
  TRY_ASSIGN(const Bytes ak, tpm.attestation_key());
  TRY(say_keys(options, ek.public_area, ak));
  TRY(make_folder(options.state));
  // From now on another endorsement key means somebody on the bus.
  TRY(write_file_atomically(options.state + "/ek.pub", ek.public_area, 0644));
  TRY(write_file_atomically(options.state + "/ak.pub", ak, 0644));
  return write_message(options.output, {{kRequest, 1},
                                        {"ek", to_base64(ek.public_area)},
                                        {"ek_certificate", to_base64(ek.certificate)},
                                        {"ak", to_base64(ak)}});
}

Result<void> make_answer(Options& options) {
  TRY_ASSIGN(const json challenge, read_message(options.challenge, kChallenge));
  TRY_ASSIGN(const Bytes credential, bytes_of(challenge, "credential"));
  TRY_ASSIGN(Tpm tpm, Tpm::open(options.tcti));
  if (const auto ek = read_file(options.state + "/ek.pub", kMaxFileBytes)) {
    TRY(tpm.expect_endorsement_key(*ek));
  } else if (ek.error().code != ErrorCode::kNotFound) {
    return ek.error();
  }
  TRY_ASSIGN(const Bytes secret, tpm.activate_credential(credential));
  return write_message(options.output, {{kAnswer, 1}, {"secret", to_base64(secret)}});
}

// --- the verifier ---

// Vendors mark subjectAltName critical (it names the TPM), which OpenSSL does not handle by itself.
int accept_san(int ok, X509_STORE_CTX* context) {
  if (ok == 1 || X509_STORE_CTX_get_error(context) != X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION) return ok;
  const X509* certificate = X509_STORE_CTX_get_current_cert(context);
  for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
    X509_EXTENSION* extension = X509_get_ext(certificate, i);
    if (X509_EXTENSION_get_critical(extension) == 0 || X509_supported_extension(extension) != 0) continue;
    if (OBJ_obj2nid(X509_EXTENSION_get_object(extension)) != NID_subject_alt_name) return 0;
  }
  return 1;
}

// A vendor's CA may certify other keys, too, which live outside of a TPM: extendedKeyUsage, if present, must
// name endorsement keys (tcg-kp-EKCertificate; TCG EK Credential Profile for TPM 2.0, section 3.2).
bool is_for_endorsement_key(const X509& certificate) {
  constexpr std::string_view kEkCertificate = "2.23.133.8.1";
  const Owned<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free> usage(
      static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(&certificate, NID_ext_key_usage, nullptr, nullptr)));
  if (!usage) return X509_get_ext_by_NID(&certificate, NID_ext_key_usage, -1) < 0;  // none, not a broken one
  for (int i = 0; i < sk_ASN1_OBJECT_num(usage.get()); ++i) {
    char text[80] = "";
    (void)OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(usage.get(), i), 1);  // else another text
    if (text == kEkCertificate) return true;
  }
  return false;
}

Result<void> check_certificate(const json& request, ByteView ek,
                               const std::vector<std::string>& authorities) {
  TRY_ASSIGN(const Bytes der, bytes_of(request, "ek_certificate"));
  if (der.empty())
    return untrusted("the TPM has no endorsement key certificate; use --ek with what its vendor says");
  TRY_ASSIGN(const auto certificates, read_x509(der));
  if (certificates.size() != 1) return corrupt(0, "'ek_certificate' is not one certificate");
  const Owned<X509_STORE, X509_STORE_free> store(X509_STORE_new());
  for (const std::string& path : authorities) {
    TRY_ASSIGN(const Bytes file, read_file(path, kMaxFileBytes));
    auto read = read_x509(file);
    if (!read) return with_context(escape(path), read.error());
    for (const X509Ptr& authority : *read) X509_STORE_add_cert(store.get(), authority.get());
  }
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  X509_STORE_set_verify_cb(store.get(), accept_san);
  const Owned<X509_STORE_CTX, X509_STORE_CTX_free> context(X509_STORE_CTX_new());
  if (!context || X509_STORE_CTX_init(context.get(), store.get(), certificates[0].get(), nullptr) != 1)
    return openssl_error("check the endorsement key certificate");
  if (X509_verify_cert(context.get()) != 1)
    return untrusted(std::string("the endorsement key certificate: ") +
                     X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
  if (!is_for_endorsement_key(*certificates[0]))
    return untrusted("the certificate is not meant for an endorsement key (extendedKeyUsage)");
  TRY_ASSIGN(const PkeyPtr key, endorsement_public_key(ek));
  if (EVP_PKEY_eq(X509_get0_pubkey(certificates[0].get()), key.get()) != 1)
    return untrusted("the certificate is of another endorsement key");
  return {};
}

Result<void> check_ek(const Options& options, const json& request, ByteView ek) {
  TRY_ASSIGN(const Bytes fingerprint, hash(HashAlgo::kSha256, {ek}));
  if (!options.ek_ca.empty()) return check_certificate(request, ek, options.ek_ca);
  if (!options.ek.empty()) {
    if (const auto wanted = from_hex(options.ek); wanted && *wanted == fingerprint) return {};
    return untrusted("the endorsement key's fingerprint is " + to_hex(fingerprint));
  }
  if (options.any_ek) return {};
  return invalid("say how to know the TPM: --ek-ca, --ek " + to_hex(fingerprint) + ", or --any-ek");
}

Result<void> make_challenge(Options& options) {
  if (options.secret == options.output)
    return invalid(
        "--secret and -o name one file: the machine gets what -o says, and must not get the secret");
  TRY_ASSIGN(const json request, read_message(options.request, kRequest));
  TRY_ASSIGN(const Bytes ek, bytes_of(request, "ek"));
  TRY_ASSIGN(const Bytes ak, bytes_of(request, "ak"));
  TRY(check_ek(options, request, ek));
  TRY(say_keys(options, ek, ak));
  TRY_ASSIGN(const AttestationKey key, parse_attestation_key(ak));
  Bytes secret(kMaxCredentialSecret);
  if (RAND_bytes(secret.data(), static_cast<int>(secret.size())) != 1) return openssl_error("random bytes");
  TRY_ASSIGN(const Bytes credential, make_credential(ek, key.name, secret));
  // With the name of the key that it is for: the request may be another by the time of the answer.
  TRY(write_file_atomically(options.secret, as_bytes(to_hex(secret) + " " + to_hex(key.name) + "\n"), 0600));
  return write_message(options.output, {{kChallenge, 1}, {"credential", to_base64(credential)}});
}

Result<void> accept(Options& options) {
  TRY_ASSIGN(const json request, read_message(options.request, kRequest));
  TRY_ASSIGN(const json answer, read_message(options.answer, kAnswer));
  TRY_ASSIGN(const Bytes ak, bytes_of(request, "ak"));
  TRY_ASSIGN(const Bytes given, bytes_of(answer, "secret"));
  TRY_ASSIGN(const std::string text, read_text_file(options.secret, kMaxFileBytes));
  const size_t space = std::min(text.find(' '), text.size());
  const auto wanted = from_hex(trim(text.substr(0, space)));
  if (!wanted) return with_context(escape(options.secret), wanted.error());
  TRY_ASSIGN(const AttestationKey key, parse_attestation_key(ak));
  if (trim(text.substr(space)) != to_hex(key.name))
    return untrusted("the request names another attestation key than the one that was challenged");
  if (given.size() != wanted->size() || CRYPTO_memcmp(given.data(), wanted->data(), wanted->size()) != 0)
    return untrusted("the answer is wrong: this attestation key is not in the TPM with that endorsement key");
  TRY(say_keys(options, {}, ak));
  return write_output(options.output, ak, 0644);
}

}  // namespace

void add_enroll_commands(OptionParser& app, Subcommands& commands) {
  auto options = std::make_shared<Options>();
  const auto add = [&](const char* name, const char* what, Result<void> (*run)(Options&)) {
    OptionParser* command = app.add_subcommand(name, what);
    command->add_option("-o,--output", options->output, "file to write").required();
    options->written.add_option(*command);
    commands.emplace_back(command, [&app, options, run] {
      auto done = options->written.begin(options->output);
      if (done) done = run(*options);
      if (!done) return fail(app, done.error());
      options->written.print();
      return kExitOk;
    });
    return command;
  };
  OptionParser* request = add("enroll-request", "on the machine: name its keys", make_request);
  OptionParser* challenge =
      add("enroll-challenge", "verifier: make a secret that only that TPM opens", make_challenge);
  OptionParser* answer = add("enroll-answer", "on the machine: open it", make_answer);
  OptionParser* accepted = add("enroll-accept", "verifier: compare, and write the attestation key", accept);
  for (OptionParser* command : {request, answer}) {
    command->add_option("--state", options->state,
                        "directory for the keys' names (default: /var/lib/diglim)");
    add_tcti_option(*command, options->tcti);
  }
  for (OptionParser* command : {challenge, accepted}) {
    command->add_option("REQUEST", options->request, "of enroll-request").required();
    command->add_option("--secret", options->secret, "file that the verifier keeps to itself").required();
  }
  challenge->add_option("--ek-ca", options->ek_ca, "certificates of the TPM's vendor (PEM); may be repeated")
      .one_value_each();
  challenge->add_option("--ek", options->ek, "SHA-256 of the endorsement key, known from elsewhere");
  challenge->add_flag("--any-ek", options->any_ek, "take whatever TPM it is");
  answer->add_option("CHALLENGE", options->challenge, "of enroll-challenge").required();
  accepted->add_option("ANSWER", options->answer, "of enroll-answer").required();
}

}  // namespace diglim
