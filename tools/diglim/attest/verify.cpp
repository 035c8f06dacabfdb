// SPDX-License-Identifier: Apache-2.0
// `diglim attest nonce` and `verify`: the verifier.
#include "lib/attest/verify.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <memory>

#include "lib/attest/bundle.h"
#include "lib/attest/used_nonces.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/crypto/openssl.h"
#include "tools/diglim/attest/batch.h"
#include "tools/diglim/attest/verbs.h"
#include "tools/diglim/attest/verdict_text.h"

namespace diglim {
namespace {

constexpr size_t kMaxAkBytes = 4096;
constexpr std::string_view kManifestName = "manifest.";  // as the loader and pcr predict write them
constexpr size_t kNonceBytes = 32;

struct Options {
  std::string bundle;
  std::string ak;
  std::string nonce;
  std::string policy;
  std::string machine;
  std::string used_nonces;
  std::vector<std::string> manifests;
  bool batch = false;
  unsigned threads = 0;
  bool json = false;
};

// The verifier's own files being wrong is no verdict about a machine.
Result<FleetPolicy> read_policy_file(const std::string& path) {
  TRY_ASSIGN(const std::string text, read_text_file(path, kMaxPolicyBytes));
  auto policy = read_fleet_policy(text);
  if (!policy) return invalid(escape(path) + ": " + policy.error().message);
  return policy;
}

// Those that the operator has: of a reference system, or what machines sent before.
Result<void> know_manifests(const std::vector<std::string>& folders, Verifier& verifier) {
  for (const std::string& folder : folders) {
    TRY_ASSIGN(const auto names, list_folder(folder));
    for (const std::string& name : names) {
      if (!name.starts_with(kManifestName)) continue;
      TRY_ASSIGN(const Bytes manifest, read_file(folder + "/" + name, kMaxManifestBytes));
      TRY(verifier.know(manifest));
    }
  }
  return {};
}

Result<std::optional<UsedNonces>> open_nonces(const Options& options) {
  if (options.used_nonces.empty()) return std::optional<UsedNonces>();
  TRY_ASSIGN(UsedNonces nonces, UsedNonces::open(options.used_nonces));
  return std::optional<UsedNonces>(std::move(nonces));
}

Result<Verdict> judge(const Options& options, Verifier& verifier) {
  const auto nonce = from_hex(options.nonce);
  if (!nonce || nonce->size() < kMinNonceBytes || nonce->size() > kMaxNonceBytes)
    return invalid("--nonce: 16 to 128 hexadecimal digits are expected");
  TRY_ASSIGN(const Bytes ak, read_file(options.ak, kMaxAkBytes));
  TRY_ASSIGN(const Bytes bundle, read_stream(options.bundle, kMaxBundleBytes));
  Verdict verdict = verifier.verify({bundle, ak, *nonce, options.machine});
  TRY_ASSIGN(auto nonces, open_nonces(options));
  if (!nonces) return verdict;
  // What is incomplete may come again with the same quote.
  TRY_ASSIGN(const auto fresh, nonces->use({{*nonce, !verdict.incomplete()}}));
  if (fresh[0]) return verdict;
  Verdict reused;
  reused.findings.push_back({Reason::kNonceReused, std::string(kNonceReusedText)});
  return reused;
}

int run_one(const OptionParser& app, const Options& options, Verifier& verifier) {
  const auto verdict = judge(options, verifier);
  if (!verdict) {
    const bool usage = verdict.error().code == ErrorCode::kInvalid;
    return fail(app, usage ? kExitUsage : kExitEnvironment, verdict.error().message);
  }
  if (options.json) {
    JsonWriter json;
    json.begin_object();
    add_verdict(json, *verdict);
    fmt::print("{}\n", json.end_object().text());
  } else {
    fmt::print("{}", verdict_text(*verdict));
  }
  return verdict->trusted() ? kExitOk : kExitRejected;
}

int run_stream(const OptionParser& app, const Options& options, bool by_machine, Verifier& verifier) {
  auto nonces = open_nonces(options);
  if (!nonces) return fail(app, kExitEnvironment, nonces.error().message);
  BatchOptions batch;
  batch.stream = options.bundle.empty() ? "-" : options.bundle;
  batch.json = options.json;
  batch.threads = options.threads;
  batch.by_machine = by_machine;
  batch.nonces = *nonces ? &**nonces : nullptr;
  return run_batch(app, batch, verifier);
}

// What CLI11 cannot say: which options belong together.
std::optional<std::string> wrong_call(const Options& options) {
  if (options.batch) {
    if (!options.ak.empty() || !options.nonce.empty())
      return "--ak and --nonce are not for --batch: each line of the stream has its own";
    if (!options.machine.empty()) return "--machine is not for --batch: it is the id of each line";
    return std::nullopt;
  }
  if (options.threads != 0) return "--threads is for --batch";
  if (options.bundle.empty()) return "BUNDLE is required";
  if (options.ak.empty()) return "--ak is required";
  if (options.nonce.empty()) return "--nonce is required";
  return std::nullopt;
}

int run_verify(const OptionParser& app, const Options& options) {
  if (const auto wrong = wrong_call(options)) return fail(app, kExitUsage, *wrong);
  auto policy = read_policy_file(options.policy);
  if (!policy) {
    const bool usage = policy.error().code == ErrorCode::kInvalid;
    return fail(app, usage ? kExitUsage : kExitEnvironment, policy.error().message);
  }
  const bool by_machine = policy->has_machines();
  if (by_machine && !options.batch && options.machine.empty())
    return fail(
        app, kExitUsage,
        escape(options.policy) + " has differences for machines: say with --machine which one this is");
  Verifier verifier(*std::move(policy));
  if (const auto known = know_manifests(options.manifests, verifier); !known)
    return fail(app, kExitEnvironment, known.error().message);
  return options.batch ? run_stream(app, options, by_machine, verifier) : run_one(app, options, verifier);
}

int run_nonce(const OptionParser& app, bool as_json) {
  Bytes nonce(kNonceBytes);
  if (RAND_bytes(nonce.data(), static_cast<int>(nonce.size())) != 1)
    return fail(app, openssl_error("random bytes"));
  JsonWriter json;
  json.begin_object().key("nonce").value(to_hex(nonce)).end_object();
  fmt::print("{}\n", as_json ? json.text() : to_hex(nonce));
  return kExitOk;
}

}  // namespace

void add_verify_commands(OptionParser& app, Subcommands& commands) {
  OptionParser* nonce = app.add_subcommand("nonce", "a new challenge for a machine");
  auto options = std::make_shared<Options>();
  nonce->add_flag("--json", options->json, "print it as JSON");
  commands.emplace_back(nonce, [&app, options] { return run_nonce(app, options->json); });

  OptionParser* verify =
      app.add_subcommand("verify", "judge a bundle; anywhere, without a TPM, without root");
  verify->add_option("BUNDLE", options->bundle,
                     "file that diglim attest quote made; with --batch the stream (default: -)");
  verify->add_option("--ak", options->ak, "the machine's attestation key, from enroll-accept");
  verify->add_option("--nonce", options->nonce, "the challenge that was sent");
  verify->add_option("--policy", options->policy, "what is accepted (JSON)").required();
  verify->add_option("--machine", options->machine, "by which name the policy knows it");
  verify->add_option("--used-nonces", options->used_nonces,
                     "remember nonces in this file, and refuse those in it");
  verify
      ->add_option("--manifests", options->manifests,
                   "directory of manifests that bundles may leave out; may be repeated")
      .one_value_each();
  verify->add_flag("--batch", options->batch, "judge a stream: JSON lines with id, nonce, ak, bundle");
  verify->add_option("--threads", options->threads, "of --batch (default: as many as there are processors)");
  verify->add_flag("--json", options->json, "print the verdict as JSON");
  commands.emplace_back(verify, [&app, options] { return run_verify(app, *options); });
}

}  // namespace diglim
