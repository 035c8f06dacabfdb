// SPDX-License-Identifier: Apache-2.0
// The verb `evidence`. See diglim-evidence(1).
#include "tools/diglim/audit/evidence.h"

#include <fmt/format.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/cms/cms.h"
#include "lib/cms/cms_sign.h"
#include "lib/crypto/hash.h"
#include "lib/crypto/x509.h"
#include "tools/diglim/doctor/checks.h"
#include "tools/diglim/known/read.h"
#include "tools/diglim/measure/options.h"
#include "tools/diglim/verbs.h"
#include "tools/diglim/written.h"
#include "tools/passphrase.h"
#include "tools/tool.h"

namespace diglim {
namespace {

constexpr std::string_view kTool = "diglim evidence";
constexpr std::string_view kSignatureEnd = ".p7s";
constexpr size_t kMostDenials = 1'000'000;
constexpr size_t kMaxDocument = 512u << 20;
constexpr size_t kMaxCertificate = 1u << 20;

struct Options {
  audit::Source source;
  std::string output = "-";
  std::string key;
  std::string certificate;
  std::string passphrase_file;
  std::string since;
  std::string log;
  std::string file;       // to verify
  std::string signature;  // of it
  doctor::ContentOptions content = {
      .keys = "", .keys_name = "", .dbpath = "", .seconds = 60, .progress = true};
  bool text = false;
  bool json = false;
};

int fail(const std::string& message, int status) {
  complain(kTool, message);
  return status;
}

// The last thing that a machine whose rpm database is broken lacks is evidence: without packages it goes on.
audit::Document read_denials(const Host& host, const Options& options, uint64_t since) {
  if (options.log.empty()) explain::settle_log();
  const explain::Log log = explain::read_log(options.log, kMostDenials);
  const bool missing = explain::complain_of_missing(kTool, log, since);
  known::System system;
  if (!log.denials.empty()) {
    known::ReadOptions read;
    read.dbpath = options.content.dbpath;
    read.progress = options.content.progress;
    if (auto known = known::read_system(host, read))
      system = *std::move(known);
    else
      complain(kTool, "the packages of denied files are not known: " + known.error().message);
  }
  return audit::denials(log, since, missing,
                        [&](const explain::LoggedDenial& one) { return audit::owner_of(system, one); });
}

int make(const Options& options) {
  uint64_t since = 0;
  if (!options.since.empty()) {
    const auto parsed = allow::parse_since(options.since, allow::read_clock());
    if (!parsed) return fail(parsed.error().message, kExitUsage);
    since = *parsed;
  }
  const bool is_signed = !options.key.empty();
  if (is_signed != !options.certificate.empty())
    return fail("--key and --certificate belong together", kExitUsage);
  if (is_signed && options.output == "-")
    return fail("a signature needs a file beside which it can lie: -o FILE", kExitUsage);
  if (is_signed && options.text)
    return fail("what is signed is the JSON; --text shows it: evidence verify", kExitUsage);

  const Host host(options.source.root.empty() ? "/" : options.source.root);
  const audit::Facts facts = audit::read_facts(options.source);
  audit::Document document = audit::evidence(host, options.source.root, facts);
  document["denials"] = read_denials(host, options, since);
  document["doctor"] = audit::findings(doctor::check_all(host, options.content));
  const std::string text =
      options.text ? audit::evidence_text(document)
                   : document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  // The signature first: a file without one is no mistake, one with another's is.
  if (is_signed) {
    const auto signature = sign_cms(as_bytes(text), options.key, options.certificate,
                                    passphrase_for(options.passphrase_file, options.key));
    if (!signature) return fail(signature.error().message + "; nothing was written", kExitRejected);
    const auto written = write_output(options.output + std::string(kSignatureEnd), *signature, 0600);
    if (!written) return fail(written.error().message, kExitEnvironment);
  }
  if (const auto written = write_output(options.output, as_bytes(text), 0600); !written)
    return fail(written.error().message, kExitEnvironment);
  if (options.output != "-") {
    fmt::print("wrote {}{}\n", escape(options.output),
               is_signed ? fmt::format("; its signature is {}{}", escape(options.output), kSignatureEnd)
                         : ", which nobody signed (-k, -c)");
  }
  if (facts.is_active()) return kExitOk;
  return fail("this evidence says that DIGLIM's mode is " + facts.mode + ": " + facts.fault,
              kExitEnvironment);
}

Result<std::string> signer_of(ByteView content, const Options& options) {
  const std::string file =
      options.signature.empty() ? options.file + std::string(kSignatureEnd) : options.signature;
  TRY_ASSIGN(const Bytes signature, read_file(file, kMaxCmsBytes));
  TRY_ASSIGN(const Bytes certificate, read_file(options.certificate, kMaxCertificate));
  TRY_ASSIGN(const auto trusted, read_x509(certificate));
  MessageHash message(content);
  return verify_cms(signature, 0, message, trusted, {});
}

int verify(const Options& options) {
  const auto content = read_file(options.file, kMaxDocument);
  if (!content) return fail(content.error().message, kExitRejected);
  const auto signer = signer_of(*content, options);
  if (!signer) return fail(escape(options.file) + ": " + signer.error().message, kExitRejected);
  const auto document = audit::Document::parse(as_text(*content), nullptr, false);
  const bool is_known = document.is_object() && document.contains("format") &&
                        document["format"].is_string() &&
                        document["format"].get<std::string>() == audit::kEvidenceFormat;
  if (!is_known)
    return fail(escape(options.file) + ": signed, but no evidence that this version knows", kExitRejected);
  if (options.json) {
    const audit::Document whole = {{"signed_by", *signer}, {"evidence", document}};
    fmt::print("{}\n", whole.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("signed by {}\n{}", *signer, audit::evidence_text(document));
  }
  return kExitOk;
}

}  // namespace

int run_evidence(int argc, char** argv) {
  Options options;
  OptionParser app("Says for an auditor how this host is, as one JSON document that can be signed.", argv[0]);
  OptionParser* const verified = app.add_subcommand("verify", "check a signature, and show what was signed");
  app.add_option("-o,--output", options.output,
                 "file to write (default: stdout); the signature gets FILE.p7s");
  app.add_option("-k,--key", options.key, "private key that signs (PEM)");
  app.add_option("-c,--certificate", options.certificate, "its certificate");
  app.add_option("--passphrase-file", options.passphrase_file,
                 "first line: the key's pass phrase (default: $DIGLIM_PASSPHRASE, else asks)");
  app.add_option("--since", options.since,
                 "denials since a date, today, yesterday, or how long ago (default: all in the log)");
  const Option text = app.add_flag("--text", options.text, "for people, not JSON");
  app.add_flag("--json", options.json, "print JSON, as it does anyway").excludes(text);
  app.add_option("--seconds", options.content.seconds,
                 "time to look for programs that would be denied (default 60; 0: do not look)");
  app.add_option("--log", options.log,
                 "a saved log (dmesg, journalctl -k) instead of this machine's; -: standard input");
  app.add_option("--root", options.source.root, "the system in this directory instead; with --log");
  app.add_option("--dbpath", options.content.dbpath, "directory of the rpm database");
  app.add_option("--loader", options.source.loader, "program to run in place of diglim-loader");
  (void)verified->add_option("FILE", options.file, "evidence").required();
  verified->add_flag("--json", options.json, "print JSON: who signed, and the document");
  (void)verified->add_option("-c,--certificate", options.certificate, "certificate of whoever signs")
      .required();
  verified->add_option("--signature", options.signature, "its signature (default: FILE.p7s)");
  if (const auto status = app.parse(argc, argv)) return *status;
  if (verified->parsed()) return verify(options);
  while (options.source.root.ends_with('/')) options.source.root.pop_back();
  if (!options.source.root.empty() && options.log.empty())
    return fail("--root needs --log: the log of this machine says nothing of another", kExitUsage);
  options.content.progress = options.output != "-" || options.text;
  return make(options);
}

}  // namespace diglim
