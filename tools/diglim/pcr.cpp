// SPDX-License-Identifier: Apache-2.0
// The verb `pcr`. See diglim-pcr(1).
#include <fmt/format.h>

#include <algorithm>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/tcg/ima_log.h"
#include "lib/tpm/pcr_policy.h"
#include "lib/tpm/signing_key.h"
#include "lib/tpm/tpm.h"
#include "tools/diglim/measure/explain.h"
#include "tools/diglim/measure/ima_pieces.h"
#include "tools/diglim/measure/options.h"
#include "tools/diglim/measure/pcrlock.h"
#include "tools/diglim/verbs.h"
#include "tools/diglim/written.h"
#include "tools/tool.h"

namespace diglim {
namespace {

constexpr size_t kMaxKeyBytes = 1u << 20;

struct Options {
  PredictOptions predict;
  bool explain = false;
  bool json = false;
  std::string log_output;
  std::string manifests_output;
  std::string sign;
  std::string pcrs;
  std::vector<std::string> values;  // N=HEX
  std::string output = "-";
  std::vector<std::string> log;  // in pieces, oldest first
  std::string bank = "sha256";
  std::string tcti;
  LimitOptions limit;
  std::string index;
  bool create = false;
  std::optional<uint64_t> advance_to;
};

void write_value(JsonWriter& json, unsigned pcr, HashAlgo bank, ByteView value) {
  json.key("pcr").value(uint64_t{pcr}).key("bank").value(hash_name(bank)).key("value").value(to_hex(value));
}

void print_json(const Predicted& predicted, bool explain) {
  JsonWriter json;
  json.begin_object();
  write_value(json, predicted.pcr, predicted.bank, predicted.prediction.value());
  if (explain) {
    json.key("events").begin_array();
    for (const PredictedEvent& event : predicted.prediction.events()) {
      json.begin_object().key("template").value(event.template_name).key("path").value(event.path);
      json.key("digest").value(to_hex(event.file_digest)).key("what").value(event.what);
      if (!event.content.empty()) json.key("manifest").value(as_text(event.content));
      json.end_object();
    }
    json.end_array();
  }
  json.end_object();
  fmt::print("{}\n", json.text());
}

void print_text(const Predicted& predicted, bool explain) {
  if (explain) {
    for (const PredictedEvent& event : predicted.prediction.events()) {
      fmt::print("{} {} {}\n  {}\n", event.template_name, to_hex(event.file_digest), escape(event.path),
                 event.what);
      std::string_view rest = as_text(event.content);
      while (!rest.empty()) {
        const size_t end = rest.find('\n');
        fmt::print("    {}\n", rest.substr(0, end));
        rest.remove_prefix(std::min(end == std::string_view::npos ? rest.size() : end + 1, rest.size()));
      }
    }
  }
  fmt::print("PCR {} ({}): {}\n", predicted.pcr, hash_name(predicted.bank),
             to_hex(predicted.prediction.value()));
}

// The other registers that the secret is sealed to: as given, or as they are.
Result<Authorization> authorize(const Options& options, const Predicted& predicted) {
  Authorization authorization;
  authorization.selection.bank = predicted.bank;
  TRY_ASSIGN(authorization.selection.pcrs,
             parse_pcr_list(options.pcrs.empty() ? std::to_string(predicted.pcr) : options.pcrs));
  authorization.values[predicted.pcr] = predicted.prediction.value();
  // Else what is signed would be good for any value of the one register that tells.
  if (std::ranges::find(authorization.selection.pcrs, predicted.pcr) == authorization.selection.pcrs.end())
    return invalid(
        fmt::format("--pcrs {} lacks PCR {}, which is predicted: what is signed would hold whatever runs",
                    escape(options.pcrs), predicted.pcr));
  TRY(read_pcr_values(options.values, authorization.selection.pcrs, authorization.values));
  PcrSelection missing{predicted.bank, {}};
  for (const unsigned pcr : authorization.selection.pcrs) {
    if (!authorization.values.contains(pcr)) missing.pcrs.push_back(pcr);
  }
  if (!missing.pcrs.empty()) {
    TRY_ASSIGN(Tpm tpm, Tpm::open(options.predict.tcti));
    TRY_ASSIGN(const auto values, tpm.read_pcrs(missing));
    authorization.values.insert(values.begin(), values.end());
  }
  TRY_ASSIGN(const std::string pem, read_text_file(options.sign, kMaxKeyBytes));
  TRY_ASSIGN(const PkeyPtr key, read_private_pem(pem));
  TRY_ASSIGN(authorization.limit, read_limit(options.limit));
  TRY_ASSIGN(const Bytes policy, approved_policy(authorization));
  TRY_ASSIGN(const Bytes digest, authorization_hash(policy));
  TRY_ASSIGN(authorization.signature, sign_digest(key.get(), digest));
  return authorization;
}

// Under the names that they will have in /run/diglim.
Result<void> write_manifests(const Prediction& prediction, const std::string& folder) {
  TRY(make_folder(folder));
  for (const PredictedEvent& event : prediction.events()) {
    if (event.content.empty()) continue;
    TRY(write_file_atomically(folder + event.path.substr(event.path.rfind('/')), event.content, 0444));
  }
  return {};
}

int run_predict(const OptionParser& app, Options& options) {
  // Nobody should believe that something ends.
  if (options.sign.empty() && (options.limit.until || !options.limit.index.empty()))
    return fail(app, kExitUsage, "--until-counter and --counter-index are for --sign");
  if (options.sign.empty() && (!options.pcrs.empty() || !options.values.empty() || options.output != "-"))
    return fail(app, kExitUsage, "--pcrs, --value and -o are for --sign");
  const auto predicted = predict(app, options.predict);
  if (!predicted) return fail(app, predicted.error());
  if (!options.log_output.empty()) {
    const auto written = write_output(options.log_output, predicted->prediction.log(), 0644);
    if (!written) return fail(app, written.error());
  }
  if (!options.manifests_output.empty()) {
    const auto written = write_manifests(predicted->prediction, options.manifests_output);
    if (!written) return fail(app, written.error());
  }
  if (!options.sign.empty()) {
    const auto authorization = authorize(options, *predicted);
    if (!authorization) return fail(app, authorization.error());
    const auto written = write_output(options.output, as_bytes(write_authorization(*authorization)), 0644);
    return written ? kExitOk : fail(app, written.error());
  }
  options.json ? print_json(*predicted, options.explain) : print_text(*predicted, options.explain);
  return kExitOk;
}

int print_registers(const std::map<unsigned, Bytes>& values, HashAlgo bank, bool as_json) {
  JsonWriter json;
  json.begin_array();
  for (const auto& [pcr, value] : values) {
    if (!as_json) fmt::print("PCR {} ({}): {}\n", pcr, hash_name(bank), to_hex(value));
    json.begin_object();
    write_value(json, pcr, bank, value);
    json.end_object();
  }
  json.end_array();
  if (as_json) fmt::print("{}\n", json.text());
  return kExitOk;
}

int run_replay(const OptionParser& app, const Options& options) {
  const auto algo = parse_bank(options.bank);
  if (!algo) return fail(app, kExitUsage, algo.error().message);
  const auto pieces = read_ima_pieces(options.log);
  if (!pieces) return fail(app, pieces.error());
  PcrBank bank(*algo);
  if (const auto replayed = replay_ima_log(pieces->events, bank); !replayed)
    return fail(app, with_context(escape(options.log.front()), replayed.error()));
  std::map<unsigned, Bytes> values;
  for (const ImaEvent& event : pieces->events) values[event.pcr] = bank.value(event.pcr);
  return print_registers(values, *algo, options.json);
}

int run_show(const OptionParser& app, const Options& options) {
  auto algo = parse_bank(options.bank);
  auto pcrs = parse_pcr_list(options.pcrs.empty() ? "0-23" : options.pcrs);
  if (!algo) return fail(app, algo.error());
  if (!pcrs) return fail(app, pcrs.error());
  auto tpm = Tpm::open(options.tcti);
  if (!tpm) return fail(app, tpm.error());
  const auto values = tpm->read_pcrs({*algo, *pcrs});
  if (!values) return fail(app, values.error());
  return print_registers(*values, *algo, options.json);
}

int run_counter(const OptionParser& app, const Options& options) {
  const auto index = read_counter_index(options.index);
  if (!index) return fail(app, kExitUsage, index.error().message);
  auto tpm = Tpm::open(options.tcti);
  if (!tpm) return fail(app, tpm.error());
  auto value = options.create ? tpm->make_counter(*index) : tpm->read_counter(*index);
  if (value && options.advance_to) value = tpm->advance_counter(*index, *options.advance_to);
  if (!value) return fail(app, value.error());
  if (options.json) {
    JsonWriter json;
    json.begin_object().key("index").value(counter_index_text(*index)).key("value").value(*value);
    fmt::print("{}\n", json.end_object().text());
  } else {
    fmt::print("counter {}: {}\n", counter_index_text(*index), *value);
  }
  return kExitOk;
}

}  // namespace

int run_pcr(int argc, char** argv) {
  Options options;
  OptionParser app("Predicts, explains, replays and shows the PCR that IMA measures into.", argv[0]);
  app.describe_subcommands();
  int status = kExitOk;

  OptionParser* predict =
      app.add_subcommand("predict", "the value after boot, and after transactions; needs no TPM");
  add_predict_options(*predict, options.predict);
  predict->add_flag("--explain", options.explain, "print each event and manifest too");
  predict->add_flag("--json", options.json, "print JSON");
  predict->add_option("--log", options.log_output, "write the predicted IMA log to this file");
  predict->add_option("--manifests", options.manifests_output,
                      "write the predicted manifests into this directory");
  predict->add_option("--sign", options.sign,
                      "sign the value with this private key (PEM): an authorization for unseal");
  predict->add_option("--pcrs", options.pcrs,
                      "with --sign: all PCRs that the secret is sealed to, such as 0-7,10");
  predict
      ->add_option("--value", options.values,
                   "with --sign: PCR=HEX of another one (default: as the TPM has it)")
      .one_value_each();
  add_limit_options(*predict, options.limit, "with --sign: ");
  predict->add_option("-o,--output", options.output, "with --sign: write to this file");

  OptionParser* replay = app.add_subcommand("replay", "the values to which an IMA log adds up");
  replay->add_option("LOG", options.log, "binary_runtime_measurements; if in pieces: each, oldest first")
      .required();
  replay->add_option("--bank", options.bank, "sha1, sha256, sha384, sha512 (default: sha256)");
  replay->add_flag("--json", options.json, "print JSON");

  OptionParser* show = app.add_subcommand("show", "the values that the TPM holds");
  show->add_option("--bank", options.bank, "sha1, sha256, sha384, sha512 (default: sha256)");
  show->add_option("--pcrs", options.pcrs, "which, such as 0-7,10 (default: all)");
  show->add_flag("--json", options.json, "print JSON");
  add_tcti_option(*show, options.tcti);

  OptionParser* counter = app.add_subcommand("counter", "the counter in the TPM that ends authorizations");
  counter->add_flag("--create", options.create, "make it, unless it is there");
  counter->add_option("--advance-to", options.advance_to,
                      "advance it to this value, unless it is there: authorizations until a lower one end");
  counter->add_option(
      "--index", options.index,
      "which NV index of the TPM (default: " + counter_index_text(kDefaultCounterIndex) + ")");
  counter->add_flag("--json", options.json, "print JSON");
  add_tcti_option(*counter, options.tcti);

  ExplainOptions explain_options;
  OptionParser* explain =
      app.add_subcommand("explain", "which component makes the PCR another than predicted");
  add_explain_options(*explain, explain_options);

  PcrlockOptions pcrlock_options;
  OptionParser* pcrlock = app.add_subcommand(
      "pcrlock", "let systemd-pcrlock predict the PCR: components, and a log of this boot");
  add_pcrlock_options(*pcrlock, pcrlock_options);

  if (const auto wrong = app.parse(argc, argv)) return *wrong;
  if (counter->parsed()) status = run_counter(app, options);
  if (pcrlock->parsed()) status = write_pcrlock(app, pcrlock_options);
  if (explain->parsed()) status = explain_pcr(app, explain_options);
  if (predict->parsed()) status = run_predict(app, options);
  if (replay->parsed()) status = run_replay(app, options);
  if (show->parsed()) status = run_show(app, options);
  return status;
}

}  // namespace diglim
