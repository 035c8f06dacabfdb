// SPDX-License-Identifier: Apache-2.0
// diglim: one command for what admins do with DIGLIM. See diglim(1).
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "lib/base/text.h"
#include "lib/crypto/openssl.h"
#include "tools/diglim/verbs.h"
#include "tools/tool.h"

namespace {

struct Verb {
  std::string_view name;
  std::string_view summary;
  bool needs_root;  // true: main() refuses others, but not --help
  int (*run)(int argc, char** argv);
};

constexpr Verb kVerbs[] = {
    {"attest", "prove to others what runs here, and judge such proofs", false, diglim::run_attest},
    {"doctor", "check what DIGLIM needs, and say what to change", false, diglim::run_doctor},
    {"initramfs", "choose the digest lists that an initramfs needs", false, diglim::run_initramfs},
    {"pcr", "predict, replay and show the PCR that IMA measures into", false, diglim::run_pcr},
    {"repair", "bring the digest lists in step with the rpm database", true, diglim::run_repair},
    {"seal", "seal a secret to PCRs", false, diglim::run_seal},
    {"setup", "switch DIGLIM on for the next boots, or off again", false, diglim::run_setup},
    {"unseal", "open a sealed secret", false, diglim::run_unseal},
};

void print_help(FILE* to) {
  fmt::print(to, "Usage: diglim VERB [OPTION]...\n       diglim --help | --version\n\nVerbs:\n");
  for (const Verb& verb : kVerbs) fmt::print(to, "  {:<9} {}\n", verb.name, verb.summary);
  fmt::print(to,
             "\n`diglim VERB --help` and diglim(1) say more.\n\n"
             "Exit status: 0 ok, 1 denied or differs, 2 usage, 3 environment.\n");
}

bool asks_for_help(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "-h" || word == "--help") return true;
  }
  return false;
}

int run_verb(const Verb& verb, int argc, char** argv) {
  std::string name = fmt::format("diglim {}", verb.name);
  if (verb.needs_root && geteuid() != 0 && !asks_for_help(argc, argv)) {
    diglim::complain(name, "only root may do this; try sudo");
    return diglim::kExitEnvironment;
  }
  argv[0] = name.data();
  return verb.run(argc, argv);
}

}  // namespace

int main(int argc, char** argv) {
  diglim::init_openssl();  // before any other call into OpenSSL, so that it opens no configuration file
  if (argc < 2) {
    print_help(stderr);
    return diglim::kExitUsage;
  }
  const std::string_view name = argv[1];
  if (name == "--help" || name == "-h") {
    print_help(stdout);
    return diglim::kExitOk;
  }
  if (name == "--version") {
    fmt::print("{}\n", diglim::kVersionText);
    return diglim::kExitOk;
  }
  for (const Verb& verb : kVerbs) {
    if (verb.name == name) return run_verb(verb, argc - 1, argv + 1);
  }
  diglim::complain("diglim",
                   fmt::format("unknown {} {}; try --help", name.starts_with('-') ? "option" : "verb",
                               diglim::escape(name, 64)));
  return diglim::kExitUsage;
}
