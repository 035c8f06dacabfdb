// SPDX-License-Identifier: Apache-2.0
// The verbs `seal` and `unseal`. See diglim-seal(1).
#include <fmt/format.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/tpm/signing_key.h"
#include "lib/tpm/tpm.h"
#include "tools/diglim/measure/options.h"
#include "tools/diglim/verbs.h"
#include "tools/diglim/written.h"
#include "tools/tool.h"

namespace diglim {
namespace {

constexpr size_t kMaxFileBytes = 1u << 20;
constexpr size_t kMaxSecretBytes = 128;

struct SealOptions {
  std::string secret;
  std::string output;
  std::string pcrs = "10";
  std::string bank = "sha256";
  std::string authorize_key;
  std::vector<std::string> values;
  std::string tcti;
  Written written;
};

struct UnsealOptions {
  std::string object;
  std::vector<std::string> authorizations;
  std::string output = "-";
  std::string tcti;
  Written written;
};

// Software registers are the operating system's to extend: whoever boots another one can extend them as he
// likes.
bool has_boot_register(const std::vector<unsigned>& pcrs) {
  return !pcrs.empty() && pcrs.front() <= 7;
}

void write_policy(JsonWriter& json, const SealPolicy& policy) {
  json.key("bank").value(hash_name(policy.selection.bank)).key("pcrs").begin_array();
  for (const unsigned pcr : policy.selection.pcrs) json.value(uint64_t{pcr});
  json.end_array().key("by_authorization").value(!policy.authorize_key.empty());
}

Result<void> seal(SealOptions& options) {
  TRY(options.written.begin(options.output));
  SealPolicy policy;
  TRY_ASSIGN(policy.selection.bank, parse_bank(options.bank));
  TRY_ASSIGN(policy.selection.pcrs, parse_pcr_list(options.pcrs));
  auto secret = read_stream(options.secret, kMaxSecretBytes + 1);
  if (!secret) return secret.error();
  TRY_ASSIGN(Tpm tpm, Tpm::open(options.tcti));
  if (!options.authorize_key.empty()) {
    TRY_ASSIGN(const std::string pem, read_text_file(options.authorize_key, kMaxFileBytes));
    const auto key = read_public_pem(pem);
    if (!key)
      return with_context(escape(options.authorize_key) + " (of a private key: openssl pkey -in KEY -pubout)",
                          key.error());
    TRY_ASSIGN(policy.authorize_key, public_pem(key->get()));
  } else {
    TRY(read_pcr_values(options.values, policy.selection.pcrs, policy.values));
    TRY_ASSIGN(const auto now, tpm.read_pcrs(policy.selection));
    policy.values.insert(now.begin(), now.end());  // those that were not given
  }
  TRY_ASSIGN(const SealedObject object, tpm.seal(*secret, policy));
  write_policy(options.written.more(), policy);
  return write_output(options.output, as_bytes(write_sealed(object)), 0600);
}

Result<Bytes> unseal(UnsealOptions& options) {
  TRY(options.written.begin(options.output));
  TRY_ASSIGN(const std::string text, read_text_file(options.object, kMaxFileBytes));
  auto object = read_sealed(text);
  if (!object) return with_context(escape(options.object), object.error());
  std::vector<Authorization> authorizations;
  for (const std::string& path : options.authorizations) {
    TRY_ASSIGN(const std::string content, read_text_file(path, kMaxFileBytes));
    auto authorization = read_authorization(content);
    if (!authorization) return with_context(escape(path), authorization.error());
    authorizations.push_back(*std::move(authorization));
  }
  write_policy(options.written.more(), object->policy);
  TRY_ASSIGN(Tpm tpm, Tpm::open(options.tcti));
  auto secret = tpm.unseal(*object, authorizations);
  if (!secret && secret.error().code == ErrorCode::kCorrupt)
    return with_context(escape(options.object), secret.error());
  return secret;
}

}  // namespace

int run_seal(int argc, char** argv) {
  SealOptions options;
  OptionParser app("Seals a secret to PCRs of this machine's TPM.", argv[0]);
  app.add_option("SECRET", options.secret, "file with the secret, 1 to 128 bytes").required();
  app.add_option("-o,--output", options.output, "file for the sealed object").required();
  app.add_option("--pcrs", options.pcrs, "to which, such as 0-7,10 (default: 10)");
  app.add_option("--bank", options.bank, "sha1, sha256, sha384, sha512 (default: sha256)");
  app.add_option("--value", options.values,
                 "PCR=HEX, such as a predicted one (default: as the TPM has it now)")
      .one_value_each();
  app.add_option("--authorize-key", options.authorize_key,
                 "public key (PEM): whatever values it signs open the secret (diglim pcr predict --sign)");
  add_tcti_option(app, options.tcti);
  options.written.add_option(app);
  if (const auto wrong = app.parse(argc, argv)) return *wrong;
  if (!options.authorize_key.empty() && !options.values.empty())
    return fail(app, kExitUsage, "--value has no meaning with --authorize-key");
  const auto sealed = seal(options);
  if (!sealed) return fail(app, sealed.error());
  options.written.print();
  const auto pcrs = parse_pcr_list(options.pcrs);
  if (pcrs && !has_boot_register(*pcrs))
    complain(app.name(),
             "note: none of PCRs 0 to 7 is among them, so whoever boots another system on this machine can "
             "open the secret");
  return kExitOk;
}

int run_unseal(int argc, char** argv) {
  UnsealOptions options;
  OptionParser app("Opens a sealed secret, if the PCRs say so.", argv[0]);
  app.add_option("OBJECT", options.object, "file that diglim seal made").required();
  app.add_option("--authorization", options.authorizations,
                 "file of diglim pcr predict --sign; may be repeated, the one that fits is used")
      .one_value_each();
  app.add_option("-o,--output", options.output, "file for the secret (default: stdout)");
  add_tcti_option(app, options.tcti);
  options.written.add_option(app);
  if (const auto wrong = app.parse(argc, argv)) return *wrong;
  const auto secret = unseal(options);
  if (!secret) return fail(app, secret.error());
  const auto written = write_output(options.output, *secret, 0600);
  if (!written) return fail(app, written.error());
  options.written.print();
  return kExitOk;
}

}  // namespace diglim
