// SPDX-License-Identifier: Apache-2.0
// `diglim attest quote`: the attester.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include "lib/attest/bundle.h"
#include "lib/attest/verify.h"
#include "lib/base/file.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "lib/manifest/manifest.h"
#include "lib/tcg/ima_log.h"
#include "lib/tpm/tpm.h"
#include "tools/diglim/attest/verbs.h"
#include "tools/diglim/measure/ima_pieces.h"
#include "tools/diglim/written.h"

namespace diglim {
namespace {

constexpr int kTries = 10;  // something may be measured between reading and quoting
constexpr size_t kMaxEkBytes = 4096;

constexpr char kAll[] = "all";  // values of --send
constexpr char kNone[] = "none";

struct Options {
  std::string nonce;
  std::string output;
  std::string pcrs = "0-10";
  std::string bank = "sha256";
  std::vector<std::string> log;  // in pieces, oldest first; none: the kernel's
  std::string manifests = kRunFolder;
  std::string state = "/var/lib/diglim";
  std::vector<std::string> send = {kAll};
  std::string tcti;
  Written written;
};

// A quote and the values that it is over.
Result<SignedQuote> quote_registers(Tpm& tpm, ByteView nonce, const PcrSelection& selection, Bundle& bundle) {
  for (int i = 0; i < kTries; ++i) {
    TRY_ASSIGN(bundle.pcrs, tpm.read_pcrs(selection));
    TRY_ASSIGN(SignedQuote quote, tpm.quote(nonce, selection));
    QuoteFault fault = QuoteFault::kMalformed;
    TRY_ASSIGN(const Quote parsed, parse_quote(quote.attest, fault));
    TRY_ASSIGN(const AttestationKey key, parse_attestation_key(quote.ak));
    std::vector<Bytes> values;
    for (const auto& [pcr, value] : bundle.pcrs) values.push_back(value);
    TRY_ASSIGN(const Bytes digest, pcr_selection_digest(key.hash, values));
    if (digest == parsed.pcr_digest) return quote;
  }
  return Error{ErrorCode::kIo, 0, "the PCRs change faster than the TPM quotes them; try again"};
}

// The log up to the entry that the quote covers: more may have been measured since.
Result<size_t> covered(const std::vector<ImaEvent>& events, const Bundle& bundle, size_t log_bytes) {
  PcrBank bank(bundle.bank);
  // Also without a record of it: IMA extends it in any case.
  std::vector<unsigned> measured;
  if (bundle.pcrs.contains(kImaPcr)) measured.push_back(kImaPcr);
  for (const ImaEvent& event : events) {
    if (bundle.pcrs.contains(event.pcr)) measured.push_back(event.pcr);
  }
  std::sort(measured.begin(), measured.end());
  measured.erase(std::unique(measured.begin(), measured.end()), measured.end());
  const auto fits = [&] {
    return std::all_of(measured.begin(), measured.end(),
                       [&](unsigned pcr) { return bank.value(pcr) == bundle.pcrs.at(pcr); });
  };
  for (size_t i = 0; i < events.size(); ++i) {
    if (fits()) return events[i].offset;
    TRY(replay_ima_event(events[i], bank));
  }
  if (fits()) return log_bytes;
  return Error{ErrorCode::kIo, 0,
               std::string("the IMA log does not add up to the PCRs: records are missing, if some were "
                           "exported and deleted (") +
                   kNamePieces +
                   "), something else extended them, the TPM was reset since the boot (reboot), or the log "
                   "is another machine's"};
}

// Digests of the manifests that the verifier asked for; none: all.
using Wanted = std::optional<std::set<Bytes>>;

Result<Wanted> parse_send(const std::vector<std::string>& values) {
  if (values == std::vector<std::string>{kAll}) return Wanted();
  std::set<Bytes> digests;
  if (values == std::vector<std::string>{kNone}) return Wanted(digests);
  for (const std::string& value : values) {
    const size_t colon = value.find(':');  // "sha256:HEX"
    const auto digest = from_hex(value.substr(colon == std::string::npos ? 0 : colon + 1));
    if (!digest || digest->empty())
      return invalid("--send: all, none, or what the verifier lacks (sha256:...), not '" + escape(value, 80) +
                     "'");
    digests.insert(*digest);
  }
  return Wanted(std::move(digests));
}

Result<std::vector<Bytes>> collect_manifests(const OptionParser& app, const std::vector<ImaEvent>& events,
                                             const std::string& folder, const Wanted& wanted) {
  std::vector<Bytes> manifests;
  for (const ImaEvent& event : events) {
    if (event.template_name != "ima-ng" || !event.path.starts_with(kManifestPathPrefix)) continue;
    if (wanted && !wanted->contains(to_bytes(event.digest))) continue;
    const std::string path = folder + "/" + std::string(event.path.substr(event.path.rfind('/') + 1));
    auto content = read_file(path, kMaxManifestBytes);
    if (!content) {
      complain(app.name(), content.error().message + "; a verifier will miss it");
      continue;
    }
    const auto algo = hash_from_name(event.algo);
    const auto digest = algo ? hash(*algo, {*content}) : invalid("hash");
    if (!digest || *digest != to_bytes(event.digest)) {
      complain(app.name(), escape(path) + " is not what was measured; a verifier will miss it");
      continue;
    }
    manifests.push_back(*std::move(content));
  }
  return manifests;
}

Result<Bytes> make_bundle(const OptionParser& app, Options& options) {
  TRY(options.written.begin(options.output));
  auto nonce = from_hex(options.nonce);
  if (!nonce || nonce->size() < kMinNonceBytes || nonce->size() > kMaxNonceBytes)
    return invalid("--nonce: 16 to 128 hexadecimal digits are expected");
  TRY_ASSIGN(const Wanted wanted, parse_send(options.send));
  Bundle bundle;
  PcrSelection selection;
  TRY_ASSIGN(selection.bank, parse_bank(options.bank));
  TRY_ASSIGN(selection.pcrs, parse_pcr_list(options.pcrs));
  bundle.bank = selection.bank;
  TRY_ASSIGN(Tpm tpm, Tpm::open(options.tcti));
  // Known since enrolment; without it the bus is trusted.
  if (const auto ek = read_file(options.state + "/ek.pub", kMaxEkBytes)) {
    TRY(tpm.expect_endorsement_key(*ek));
  } else if (ek.error().code != ErrorCode::kNotFound) {
    return ek.error();
  }
  TRY_ASSIGN(SignedQuote quote, quote_registers(tpm, *nonce, selection, bundle));
  TRY_ASSIGN(ImaPieces pieces, read_ima_pieces(options.log));
  std::vector<ImaEvent>& events = pieces.events;
  TRY_ASSIGN(const size_t size, covered(events, bundle, pieces.log.size()));
  std::erase_if(events, [size](const ImaEvent& event) { return event.offset >= size; });
  TRY_ASSIGN(bundle.manifests, collect_manifests(app, events, options.manifests, wanted));
  options.written.more().key("events").value(uint64_t{events.size()});
  options.written.more().key("manifests").value(uint64_t{bundle.manifests.size()});
  events.clear();  // the views end here
  bundle.ima_log = std::move(pieces.log);
  bundle.ima_log.resize(size);
  bundle.attest = std::move(quote.attest);
  bundle.signature = std::move(quote.signature);
  bundle.ak = std::move(quote.ak);
  return write_bundle(bundle);
}

int run(const OptionParser& app, Options& options) {
  const auto bundle = make_bundle(app, options);
  if (!bundle) return fail(app, bundle.error());
  const auto written = write_output(options.output, *bundle, 0644);
  if (!written) return fail(app, written.error());
  options.written.print();
  return kExitOk;
}

}  // namespace

void add_quote_command(OptionParser& app, Subcommands& commands) {
  auto options = std::make_shared<Options>();
  OptionParser* quote =
      app.add_subcommand("quote", "on the machine: answer a verifier's challenge with a bundle");
  quote->add_option("--nonce", options->nonce, "the challenge, in hexadecimal").required();
  quote->add_option("-o,--output", options->output, "file for the bundle").required();
  quote->add_option("--pcrs", options->pcrs, "which registers, such as 0-10,12 (default: 0-10)");
  quote->add_option("--bank", options->bank, "sha1, sha256, sha384, sha512 (default: sha256)");
  quote
      ->add_option("--log", options->log,
                   "the IMA log, or each of its pieces, oldest first (default: the kernel's)")
      .one_value_each();
  quote->add_option("--manifests", options->manifests, "directory of the manifests (default: /run/diglim)");
  quote
      ->add_option("--send", options->send,
                   "manifests that go along: all (default), none, or each that the verifier lacks")
      .one_value_each();
  quote->add_option("--state", options->state,
                    "directory of what enrolment keeps (default: /var/lib/diglim)");
  add_tcti_option(*quote, options->tcti);
  options->written.add_option(*quote);
  commands.emplace_back(quote, [&app, options] { return run(app, *options); });
}

}  // namespace diglim
