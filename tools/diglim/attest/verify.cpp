// SPDX-License-Identifier: Apache-2.0
// `diglim attest nonce` and `verify`: the verifier.
#include "lib/attest/verify.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/rand.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "lib/attest/bundle.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/crypto/openssl.h"
#include "tools/diglim/attest/verbs.h"

namespace diglim {
namespace {

constexpr size_t kMaxAkBytes = 4096;
constexpr size_t kMaxUsedBytes = 64u << 20;
constexpr size_t kNonceBytes = 32;

struct Options {
  std::string bundle;
  std::string ak;
  std::string nonce;
  std::string policy;
  std::string used_nonces;
  bool json = false;
};

// Adds the nonce to the file; false if it is in it already. Several verifiers may share the file.
Result<bool> use_nonce(const std::string& path, ByteView nonce) {
  TRY_ASSIGN(const Fd file, open_file(path, O_RDWR | O_CREAT | O_APPEND, 0600));
  if (flock(file.get(), LOCK_EX) != 0) return from_errno("lock " + path, errno);
  TRY_ASSIGN(const Bytes used, read_file(path, kMaxUsedBytes));
  const std::string line = to_hex(nonce) + "\n";
  // Also behind what a verifier left that was killed, or found the disk full, in the middle of a line.
  if (as_text(used).find(line) != std::string_view::npos) return false;
  if (write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
      fsync(file.get()) != 0)
    return from_errno("write " + path, errno);
  return true;
}

void print_json(const Verdict& verdict) {
  JsonWriter json;
  json.begin_object().key("trusted").value(verdict.trusted()).key("authentic").value(verdict.authentic);
  json.key("reasons").begin_array();
  for (const Finding& finding : verdict.findings) {
    json.begin_object()
        .key("code")
        .value(reason_code(finding.reason))
        .key("text")
        .value(finding.text)
        .end_object();
  }
  json.end_array().key("warnings").begin_array();
  for (const std::string& warning : verdict.warnings) json.value(warning);
  json.end_array().key("unknown").begin_array();
  for (const UnknownFile& file : verdict.unknown) {
    json.begin_object().key("path").value(file.path).key("algorithm").value(file.algo);
    json.key("digest").value(to_hex(file.digest)).key("pcr").value(uint64_t{file.pcr});
    json.key("violation").value(file.violation).key("tolerated").value(file.tolerated).end_object();
  }
  json.end_array();
  if (verdict.authentic) {
    if (!verdict.boot.loader_hash.empty()) json.key("mode").value(mode_name(verdict.boot.mode));
    json.key("lists").value(uint64_t{verdict.lists.size()});
    json.key("events").value(uint64_t{verdict.events}).key("boots").value(uint64_t{verdict.quote.resets});
    json.key("clock_ms").value(verdict.quote.clock_ms);
  }
  json.end_object();
  fmt::print("{}\n", json.text());
}

void print_text(const Verdict& verdict) {
  if (verdict.trusted()) {
    fmt::print("trusted: mode {}, {} digest lists, {} measured events\n", mode_name(verdict.boot.mode),
               verdict.lists.size(), verdict.events);
  } else if (!verdict.authentic) {
    fmt::print("not trusted: the bundle proves nothing\n");
  } else {
    fmt::print("not trusted: the bundle is genuine, and shows {} problem{}\n", verdict.findings.size(),
               verdict.findings.size() == 1 ? "" : "s");
  }
  for (const Finding& finding : verdict.findings)
    fmt::print("  {}: {}\n", reason_code(finding.reason), finding.text);
  for (const std::string& warning : verdict.warnings) fmt::print("  note: {}\n", warning);
}

Result<Verdict> judge(const Options& options) {
  auto nonce = from_hex(options.nonce);
  if (!nonce || nonce->size() < kMinNonceBytes || nonce->size() > kMaxNonceBytes)
    return invalid("--nonce: 16 to 128 hexadecimal digits are expected");
  TRY_ASSIGN(const std::string text, read_text_file(options.policy, kMaxPolicyBytes));
  auto policy = read_policy(text);
  // The verifier's own files being wrong is no verdict about a machine.
  if (!policy) return invalid(escape(options.policy) + ": " + policy.error().message);
  TRY_ASSIGN(const Bytes ak, read_file(options.ak, kMaxAkBytes));
  TRY_ASSIGN(const Bytes bundle, read_stream(options.bundle, kMaxBundleBytes));
  if (!options.used_nonces.empty()) {
    auto fresh = use_nonce(options.used_nonces, *nonce);
    if (!fresh) return Error{ErrorCode::kIo, 0, fresh.error().message};
    if (!*fresh) {
      Verdict verdict;
      verdict.findings.push_back({Reason::kNonceReused, "this nonce was used before: send a new one"});
      return verdict;
    }
  }
  return verify_attestation({bundle, ak, *nonce}, *policy);
}

int run_verify(const OptionParser& app, const Options& options) {
  const auto verdict = judge(options);
  if (!verdict) {
    const bool usage = verdict.error().code == ErrorCode::kInvalid;
    return fail(app, usage ? kExitUsage : kExitEnvironment, verdict.error().message);
  }
  options.json ? print_json(*verdict) : print_text(*verdict);
  return verdict->trusted() ? kExitOk : kExitRejected;
}

int run_nonce(const OptionParser& app) {
  Bytes nonce(kNonceBytes);
  if (RAND_bytes(nonce.data(), static_cast<int>(nonce.size())) != 1)
    return fail(app, openssl_error("random bytes"));
  fmt::print("{}\n", to_hex(nonce));
  return kExitOk;
}

}  // namespace

void add_verify_commands(OptionParser& app, Subcommands& commands) {
  OptionParser* nonce = app.add_subcommand("nonce", "a new challenge for a machine");
  commands.emplace_back(nonce, [&app] { return run_nonce(app); });

  auto options = std::make_shared<Options>();
  OptionParser* verify =
      app.add_subcommand("verify", "judge a bundle; anywhere, without a TPM, without root");
  verify->add_option("BUNDLE", options->bundle, "file that diglim attest quote made").required();
  verify->add_option("--ak", options->ak, "the machine's attestation key, from enroll-accept").required();
  verify->add_option("--nonce", options->nonce, "the challenge that was sent").required();
  verify->add_option("--policy", options->policy, "what is accepted (JSON)").required();
  verify->add_option("--used-nonces", options->used_nonces,
                     "remember nonces in this file, and refuse those in it");
  verify->add_flag("--json", options->json, "print the verdict as JSON");
  commands.emplace_back(verify, [&app, options] { return run_verify(app, *options); });
}

}  // namespace diglim
