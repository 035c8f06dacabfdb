// SPDX-License-Identifier: Apache-2.0
// diglim: one command for what admins do with DIGLIM. See diglim(1).
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "lib/base/verbs.h"
#include "lib/crypto/openssl.h"
#include "tools/diglim/verbs.h"
#include "tools/tool.h"

namespace {

// The privileged ones are for root only, but for --help.
constexpr diglim::Verb kVerbs[] = {
    {"allow", "allow files on this host, until a time, with a reason", false, diglim::run_allow},
    {"attest", "prove to others what runs here, and judge such proofs", false, diglim::run_attest},
    {"doctor", "check what DIGLIM needs, and say what to change", false, diglim::run_doctor},
    {"explain", "say why a file was denied, and what would change it", false, diglim::run_explain},
    {"initramfs", "choose the digest lists that an initramfs needs", false, diglim::run_initramfs},
    {"key", "show and change whose signatures count", false, diglim::run_key},
    {"pcr", "predict, replay and show the PCR that IMA measures into", false, diglim::run_pcr},
    {"repair", "bring the digest lists in step with the rpm database", true, diglim::run_repair},
    {"scan", "say which files would be denied here, and why", false, diglim::run_scan},
    {"seal", "seal a secret to PCRs", false, diglim::run_seal},
    {"setup", "switch DIGLIM on for the next boots, or off again", false, diglim::run_setup},
    {"unseal", "open a sealed secret", false, diglim::run_unseal},
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

}  // namespace

int main(int argc, char** argv) {
  diglim::init_openssl();  // before any other call into OpenSSL, so that it opens no configuration file
  const auto choice = diglim::choose_verb(kProgram, {argv + (argc > 0), argv + argc});
  if (choice.verb != nullptr) return run_verb(*choice.verb, argc - 1, argv + 1);
  (void)fputs(choice.out.c_str(), stdout);
  (void)fputs(choice.err.c_str(), stderr);
  return choice.exit;
}
