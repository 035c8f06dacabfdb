// SPDX-License-Identifier: Apache-2.0
// diglim: one command for what admins do with DIGLIM. See diglim(1).
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lib/base/standard_output.h"
#include "lib/base/verbs.h"
#include "lib/crypto/openssl.h"
#include "tools/diglim/verbs.h"
#include "tools/tool.h"

namespace {

// The privileged ones are for root only, but for --help.
constexpr std::string_view kHost = "For whoever looks after a host";
constexpr std::string_view kDenied = "When something is denied";
constexpr std::string_view kFar = "For whoever judges a host from afar";
constexpr std::string_view kAudit = "For auditors, and what watches hosts";
constexpr std::string_view kScripts = "For scripts";
constexpr diglim::Verb kVerbs[] = {
    {"doctor", "check what DIGLIM needs, and say what to change", false, diglim::run_doctor, kHost},
    {"scan", "say which files would be denied here, and why", false, diglim::run_scan, kHost},
    {"setup", "switch DIGLIM on for the next boots, or off again", false, diglim::run_setup, kHost},
    {"key", "show and change whose signatures count", false, diglim::run_key, kHost},
    {"revoke", "take back what a trusted key signed", false, diglim::run_revoke, kHost},
    {"report", "say what was denied, grouped by what it takes", false, diglim::run_report, kHost},
    {"explain", "say why a file was denied, and what would change it", false, diglim::run_explain, kDenied},
    {"allow", "allow files on this host, until a time, with a reason", false, diglim::run_allow, kDenied},
    {"monitor", "let what is unknown run for a time, and log it", false, diglim::run_monitor, kDenied},
    {"attest", "prove to others what runs here, and judge such proofs", false, diglim::run_attest, kFar},
    {"pcr", "predict, explain, replay and show the PCR that IMA measures into", false, diglim::run_pcr, kFar},
    {"seal", "seal a secret to PCRs", false, diglim::run_seal, kFar},
    {"unseal", "open a sealed secret", false, diglim::run_unseal, kFar},
    {"tls", "make keys for TLS that prove what runs here", false, diglim::run_tls, kFar},
    {"evidence", "say for an auditor how this host is, signed", false, diglim::run_evidence, kAudit},
    {"state", "the state as lines key = value", false, diglim::run_state, kAudit},
    {"metrics", "the state as OpenMetrics text", false, diglim::run_metrics, kAudit},
    {"initramfs", "choose the digest lists that an initramfs needs", false, diglim::run_initramfs, kScripts},
    {"repair", "bring the digest lists in step with the rpm database", true, diglim::run_repair, kScripts},
};
constexpr diglim::VerbProgram kProgram = {"diglim", diglim::kVersionText, "diglim(1)",
                                          "0 ok, 1 denied or differs, 2 usage, 3 environment.", kVerbs};

bool asks_for_help(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "-h" || word == "--help") return true;
  }
  return false;
}

int run_verb(const diglim::Verb& verb, int argc, char** argv) {
  std::string name = fmt::format("diglim {}", verb.name);
  if (verb.privileged && geteuid() != 0 && !asks_for_help(argc, argv)) {
    diglim::complain(name, "only root may do this; try sudo");
    return diglim::kExitEnvironment;
  }
  argv[0] = name.data();
  return verb.run(argc, argv);
}

int run(int argc, char** argv) {
  // Before any other call into OpenSSL, so that it opens no configuration file.
  diglim::init_openssl();
  // tpm2-tss prints to stderr what its functions return anyway, for each malformed field of a bundle. Here,
  // since the provider's servers have threads, which may read the environment.
  (void)setenv("TSS2_LOG", "all+NONE", 0);  // NOLINT(concurrency-mt-unsafe): one thread
  if (argc == 1) return diglim::run_state(false);
  if (argc == 2 && std::string_view(argv[1]) == "--json") return diglim::run_state(true);
  const auto choice = diglim::choose_verb(kProgram, {argv + (argc > 0), argv + argc});
  if (choice.verb != nullptr) return run_verb(*choice.verb, argc - 1, argv + 1);
  (void)fputs(choice.out.c_str(), stdout);
  (void)fputs(choice.err.c_str(), stderr);
  return choice.exit;
}

}  // namespace

int main(int argc, char** argv) {
  return diglim::run_with_output("diglim", [&] { return run(argc, argv); });
}
