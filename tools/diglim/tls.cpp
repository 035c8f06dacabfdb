// SPDX-License-Identifier: Apache-2.0
// The verb `tls`. See diglim-tls(1).
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/tpm/key_policy.h"
#include "lib/tpm/key_public.h"
#include "lib/tpm/pcr_policy.h"
#include "lib/tpm/signer.h"
#include "lib/tpm/signing_key.h"
#include "lib/tpm/tpm.h"
#include "tools/diglim/changing.h"
#include "tools/diglim/measure/options.h"
#include "tools/diglim/tls/asks.h"
#include "tools/diglim/tls/replace.h"
#include "tools/diglim/tls/request.h"
#include "tools/diglim/tls/ssh.h"
#include "tools/diglim/verbs.h"
#include "tools/diglim/written.h"
#include "tools/tool.h"

namespace diglim {
namespace {

constexpr size_t kMaxFileBytes = 1u << 20;
constexpr unsigned kLastBootPcr = 7;
constexpr std::pair<std::string_view, SigningKeyKind> kKinds[] = {{"ec256", SigningKeyKind::kEcP256},
                                                                  {"ec384", SigningKeyKind::kEcP384},
                                                                  {"rsa2048", SigningKeyKind::kRsa2048},
                                                                  {"rsa3072", SigningKeyKind::kRsa3072}};

struct Options {
  std::string output;
  std::string kind = "ec256";
  std::string pcrs;
  std::string bank = "sha256";
  std::vector<std::string> values;
  std::string authorized_by;
  std::vector<std::string> authorizations;
  std::string request;
  std::vector<std::string> names;
  std::string tcti;
  LimitOptions limit;
  std::string key;  // authorize
  bool weaker = false;
  bool json = false;
  Written written;  // create-key
};

// What the system refused names the file already.
Error of_file(const std::string& path, const Error& error) {
  return error.sys_errno != 0 ? error : with_context(escape(path), error);
}

Result<std::vector<Authorization>> read_authorizations(const std::vector<std::string>& paths) {
  std::vector<Authorization> all;
  for (const std::string& path : paths) {
    const auto text = read_text_file(path, kMaxFileBytes);
    if (!text) return of_file(path, text.error());
    auto one = read_authorization(*text);
    if (!one) return with_context(escape(path), one.error());
    all.push_back(*std::move(one));
  }
  return all;
}

// Each asks for no less than the one before it, the first for no less than `before`.
Result<void> check_no_weaker(const Options& options, const std::vector<Authorization>& authorizations,
                             Asks before) {
  if (options.weaker) return {};
  for (size_t i = 0; i < authorizations.size(); ++i) {
    Asks next = asks_of(authorizations[i]);
    const auto checked = check_asks_no_less(before, next);
    if (!checked) return with_context(escape(options.authorizations[i]), checked.error());
    before = std::move(next);
  }
  return {};
}

struct Policy {
  Bytes digest;  // empty: none
  PolicyCommands commands;
  std::vector<PolicyCommands> alternatives;
};

// As they are given, else as the TPM has them.
Result<std::map<unsigned, Bytes>> register_values(const Options& options, const PcrSelection& selection,
                                                  Tpm& tpm) {
  std::map<unsigned, Bytes> values;
  TRY(read_pcr_values(options.values, selection.pcrs, values));
  TRY_ASSIGN(const auto now, tpm.read_pcrs(selection));
  values.insert(now.begin(), now.end());
  return values;
}

Result<Policy> authorized_policy(const Options& options, const PcrSelection& selection, Tpm& tpm) {
  TRY_ASSIGN(const std::string pem, read_text_file(options.authorized_by, kMaxFileBytes));
  TRY_ASSIGN(auto authorizations, read_authorizations(options.authorizations));
  auto key = read_public_pem(pem);
  if (key && options.limit.until)
    return invalid("--until-counter is for what the private key signs; the authorizations have their own");
  TRY(check_no_weaker(options, authorizations, asks_of(selection, options.limit.until.has_value())));
  if (!key) {
    // Who has the private key at hand approves of what is now, or of --value.
    key = read_private_pem(pem);
    if (!key) return with_context(escape(options.authorized_by), key.error());
    if (!selection.pcrs.empty()) {
      Authorization now;
      now.selection = selection;
      TRY_ASSIGN(now.limit, read_limit(options.limit));
      TRY_ASSIGN(now.values, register_values(options, selection, tpm));
      TRY_ASSIGN(const Bytes approved, approved_policy(now));
      TRY_ASSIGN(const Bytes digest, authorization_hash(approved));
      TRY_ASSIGN(now.signature, sign_digest(key->get(), digest));
      authorizations.push_back(std::move(now));
    }
  }
  if (authorizations.empty())
    return invalid(
        "a key that --authorized-by governs needs an authorization to begin with: --authorization FILE (of "
        "diglim "
        "pcr predict --sign), or --pcrs and the private key");
  TRY_ASSIGN(const std::string public_key, public_pem(key->get()));
  Policy policy;
  TRY_ASSIGN(const Bytes name, tpm_public_key_name(key->get()));
  TRY_ASSIGN(policy.digest, policy_authorize_digest(name));
  for (const Authorization& authorization : authorizations) {
    TRY_ASSIGN(auto commands, approved_commands(public_key, authorization));
    policy.alternatives.push_back(std::move(commands));
  }
  return policy;
}

Result<Policy> make_policy(const Options& options, Tpm& tpm) {
  PcrSelection selection;
  TRY_ASSIGN(selection.bank, parse_bank(options.bank));
  if (!options.pcrs.empty()) {
    TRY_ASSIGN(selection.pcrs, parse_pcr_list(options.pcrs));
  }
  if (!options.authorized_by.empty()) return authorized_policy(options, selection, tpm);
  Policy policy;
  if (selection.pcrs.empty()) return policy;
  TRY_ASSIGN(const auto values, register_values(options, selection, tpm));
  TRY_ASSIGN(policy.digest, policy_pcr_digest(selection, values));
  TRY_ASSIGN(PolicyCommand command, pcr_command(selection, values));
  policy.commands = {std::move(command)};
  return policy;
}

Result<std::string> request_for(const Options& options, const KeyFile& file) {
  TRY_ASSIGN(const TpmKeyParts parts, read_key_parts(file));
  TRY_ASSIGN(const PkeyPtr key, openssl_public_key(parts.public_part));
  TpmSigner signer({.tcti = options.tcti});
  const auto scheme =
      EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA ? SignatureScheme::kRsaPkcs1 : SignatureScheme::kEcdsa;
  return certificate_request(key.get(), options.names, [&](HashAlgo algo, ByteView digest) {
    return signer.sign(parts, scheme, algo, digest);
  });
}

Result<void> create_key(Options& options) {
  TRY(options.written.begin(options.output));
  const auto* kind = std::ranges::find(kKinds, std::string_view(options.kind),
                                       &std::pair<std::string_view, SigningKeyKind>::first);
  if (kind == std::end(kKinds)) return invalid("--type is ec256, ec384, rsa2048 or rsa3072");
  KeyFile file;
  {
    TRY_ASSIGN(Tpm tpm, Tpm::open(options.tcti));
    TRY_ASSIGN(Policy policy, make_policy(options, tpm));
    TRY_ASSIGN(file, tpm.make_signing_key(kind->second, policy.digest));
    file.policy = std::move(policy.commands);
    file.alternatives = std::move(policy.alternatives);
  }
  // The request first: a key that cannot sign it is not left behind.
  if (!options.request.empty()) {
    TRY_ASSIGN(const std::string request, request_for(options, file));
    TRY(write_output(options.request, as_bytes(request), 0644));
  }
  TRY_ASSIGN(const std::string pem, write_key_pem(file));
  TRY(write_output(options.output, as_bytes(pem), 0600));
  JsonWriter& json = options.written.more().key("type").value(options.kind);
  if (!options.request.empty()) json.key("request").value(options.request);
  json.key("has_policy").value(!file.policy.empty() || !file.alternatives.empty());
  json.key("authorizations").value(uint64_t{file.alternatives.size()});
  return {};
}

// The key that has to approve, from the file: a public key cannot be asked of whoever has only the host.
Result<std::string> authority_of(const TpmKeyParts& parts) {
  if (parts.ways.empty() || !parts.ways.front().approval)
    return invalid("this key was made for fixed values (without --authorized-by): make another one");
  TRY_ASSIGN(const PkeyPtr key, openssl_public_key(parts.ways.front().approval->authority));
  return public_pem(key.get());
}

Result<size_t> authorize(const Options& options) {
  // No link: the folder may be the server's, and it is root who reads and writes here.
  TRY_ASSIGN(const Fd present, open_to_change(options.key, O_NOFOLLOW));
  const auto pem = read_open_file(present, options.key, kMaxFileBytes);
  if (!pem) return of_file(options.key, pem.error());
  auto file = read_key_pem(as_text(*pem));
  if (!file) return with_context(escape(options.key), file.error());
  const auto parts = read_key_parts(*file);
  if (!parts) return with_context(escape(options.key), parts.error());
  auto authority = authority_of(*parts);
  if (!authority) return with_context(escape(options.key), authority.error());
  TRY_ASSIGN(const auto authorizations, read_authorizations(options.authorizations));
  for (size_t i = 0; i < authorizations.size(); ++i) {
    auto commands = approved_commands(*authority, authorizations[i]);
    if (!commands) return with_context(escape(options.authorizations[i]), commands.error());
    // The same registers once: an authorization that comes again moves to the end, where it is tried first.
    std::erase_if(file->alternatives, [&](const PolicyCommands& old) {
      return old.front().code == commands->front().code &&
             old.front().parameters == commands->front().parameters;
    });
    file->alternatives.push_back(*std::move(commands));
  }
  // The newest is what the owner wanted last; it is never the one that falls off.
  TRY(check_no_weaker(options, authorizations, asks_of(parts->ways.back())));
  constexpr size_t kKept =
      16;  // of the newest; each is some hundred bytes, and a try at each change of the PCRs
  if (file->alternatives.size() > kKept)
    file->alternatives.erase(file->alternatives.begin(), file->alternatives.end() - kKept);
  TRY(read_key_parts(*file));
  const auto again = replace_key_pem(as_text(*pem), *file);
  if (!again) return with_context(escape(options.key), again.error());
  TRY(replace_file(present, options.key, as_bytes(*again)));  // it stays the server's
  return file->alternatives.size();
}

int run_create(const OptionParser& app, Options& options) {
  if (!options.authorizations.empty() && options.authorized_by.empty())
    return fail(app, kExitUsage, "--authorization has no meaning without --authorized-by");
  if (options.weaker && options.authorizations.empty())
    return fail(app, kExitUsage, "--weaker has no meaning without --authorization");
  if (!options.values.empty() && options.pcrs.empty())
    return fail(app, kExitUsage, "--value has no meaning without --pcrs");
  if (!options.names.empty() && options.request.empty())
    return fail(app, kExitUsage, "--name has no meaning without --csr");
  if (options.request == options.output) return fail(app, kExitUsage, "--csr and -o name one file");
  struct stat present = {};
  if (stat(options.output.c_str(), &present) == 0 && S_ISREG(present.st_mode))
    return fail(app, kExitUsage,
                escape(options.output) + " is there, and its key would be gone for ever: remove it first");
  if (options.limit.until && (options.authorized_by.empty() || options.pcrs.empty()))
    return fail(app, kExitUsage, "--until-counter has no meaning without --authorized-by and --pcrs");
  if (const auto created = create_key(options); !created) return fail(app, created.error());
  options.written.print();
  const auto pcrs = parse_pcr_list(options.pcrs.empty() ? "0" : options.pcrs);
  if (options.pcrs.empty() && options.authorized_by.empty()) {
    complain(app.name(),
             "note: the key is under no policy: it proves which machine answers, not what runs on it");
  } else if (!options.pcrs.empty() && pcrs && pcrs->front() > kLastBootPcr) {
    complain(app.name(),
             "note: none of PCRs 0 to 7 is among them, so whoever boots another system on this machine can "
             "use the "
             "key");
  }
  return kExitOk;
}

}  // namespace

int run_tls(int argc, char** argv) {
  Options options;
  OptionParser app("Keys for TLS and SSH that only this machine can use, while it runs what it should.",
                   argv[0]);
  app.describe_subcommands();

  OptionParser* create = app.add_subcommand("create-key", "make a key in the TPM, and a certificate request");
  create->add_option("-o,--output", options.output, "file for the key (PEM)").required();
  create->add_option("--type", options.kind, "ec256, ec384, rsa2048, rsa3072 (default: ec256)");
  create->add_option("--pcrs", options.pcrs, "usable while these have the values of now, such as 0-7,12");
  create->add_option("--bank", options.bank, "sha1, sha256, sha384, sha512 (default: sha256)");
  create
      ->add_option("--value", options.values,
                   "PCR=HEX, such as a predicted one (default: as the TPM has it now)")
      .one_value_each();
  create->add_option(
      "--authorized-by", options.authorized_by,
      "key (PEM): usable with whatever values it signs (diglim pcr predict --sign); a private one "
      "signs those of --pcrs at once");
  create
      ->add_option("--authorization", options.authorizations,
                   "with --authorized-by: file of diglim pcr predict --sign; may be repeated")
      .one_value_each();
  create->add_flag("--weaker", options.weaker,
                   "with --authorization: also one for fewer registers than --pcrs or the one before");
  add_limit_options(*create, options.limit, "with a private key of --authorized-by: ");
  create->add_option("--csr", options.request, "write a certificate request to this file");
  create->add_option("--name", options.names, "host name or address for it; may be repeated")
      .one_value_each();
  add_tcti_option(*create, options.tcti);
  options.written.add_option(*create);

  OptionParser* allow = app.add_subcommand("authorize", "add authorizations to a key's file");
  allow->add_option("KEY", options.key, "file of create-key --authorized-by").required();
  allow->add_option("AUTHORIZATION", options.authorizations, "files of diglim pcr predict --sign").required();
  allow->add_flag("--weaker", options.weaker,
                  "also one for fewer registers than the newest of the key, or without its counter");
  allow->add_flag("--json", options.json, "print JSON");

  const SshVerbs ssh(app);

  if (const auto wrong = app.parse(argc, argv)) return *wrong;
  if (const auto status = ssh.run(app)) return *status;
  if (create->parsed()) return run_create(app, options);
  const auto kept = authorize(options);
  if (!kept) return fail(app, kept.error());
  if (options.json) {
    JsonWriter json;
    json.begin_object()
        .key("key")
        .value(options.key)
        .key("authorizations")
        .value(uint64_t{*kept})
        .end_object();
    fmt::print("{}\n", json.text());
    return kExitOk;
  }
  fmt::print("{} has {} authorizations; servers use them once they read it anew\n", escape(options.key),
             *kept);
  return kExitOk;
}

}  // namespace diglim
