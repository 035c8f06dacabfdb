// SPDX-License-Identifier: Apache-2.0
// `diglim attest keylime-evidence`: a bundle as one request to Keylime's verifier.
#include "lib/attest/keylime.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "lib/attest/policy.h"
#include "lib/attest/verify.h"
#include "lib/base/base64.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tools/diglim/attest/verbs.h"
#include "tools/diglim/written.h"

namespace diglim {
namespace {

constexpr size_t kMaxRequestBytes = 1u << 20;

struct Options {
  std::string bundle;
  std::string nonce;
  std::string request;
  std::string policy;
  std::string output = "-";
  bool json = true;
};

// The endorsement key in what the machine sent at its enrolment.
Result<Bytes> enrolled_ek(const std::string& path) {
  TRY_ASSIGN(const std::string text, read_text_file(path, kMaxRequestBytes));
  const auto object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_object() || !object.contains("ek") || !object["ek"].is_string())
    return corrupt(0, escape(path) + " is no request of diglim attest enroll-request");
  return from_base64(object["ek"].get_ref<const std::string&>());
}

Result<std::string> make(const Options& options) {
  const auto nonce = from_hex(options.nonce);
  if (!nonce || nonce->size() < kMinNonceBytes || nonce->size() > kMaxNonceBytes)
    return invalid("--nonce: 16 to 128 hexadecimal digits are expected");
  TRY_ASSIGN(const Bytes ek, enrolled_ek(options.request));
  TRY_ASSIGN(const std::string policy, read_text_file(options.policy, kMaxPolicyBytes));
  TRY_ASSIGN(const Bytes bundle, read_stream(options.bundle, kMaxBundleBytes));
  auto evidence = keylime_evidence({bundle, *nonce, ek, policy});
  if (!evidence) return with_context(escape(options.bundle), evidence.error());
  return evidence;
}

}  // namespace

void add_keylime_command(OptionParser& app, Subcommands& commands) {
  auto options = std::make_shared<Options>();
  OptionParser* evidence =
      app.add_subcommand("keylime-evidence", "a bundle as a request to Keylime's /verify/evidence");
  evidence->add_option("BUNDLE", options->bundle, "file that diglim attest quote made").required();
  evidence->add_option("--nonce", options->nonce, "the challenge that was sent").required();
  evidence->add_option("--request", options->request, "of enroll-request: the machine's endorsement key")
      .required();
  evidence->add_option("--runtime-policy", options->policy, "of keylime-policy").required();
  evidence->add_flag("--json", options->json, "print JSON, as it does anyway");
  evidence->add_option("-o,--output", options->output, "file to write (default: stdout)");
  commands.emplace_back(evidence, [&app, options] {
    const auto made = make(*options);
    if (!made) return fail(app, made.error());
    const auto written = write_output(options->output, as_bytes(*made), 0644);
    return written ? kExitOk : fail(app, written.error());
  });
}

}  // namespace diglim
