// SPDX-License-Identifier: Apache-2.0
// diglim-loader: the only program that may write DIGLIM's kernel objects. Static and, but for `verify`,
// single-threaded.
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "lib/base/standard_output.h"
#include "lib/base/verbs.h"
#include "lib/crypto/openssl.h"
#include "loader/hand_over.h"
#include "loader/keeper.h"
#include "loader/kernel/maps.h"
#include "loader/verbs.h"

namespace {

// The privileged ones ask the kernel, and need the rights that only the loader of this boot has.
constexpr diglim::Verb kVerbs[] = {
    {"boot", "as PID 1: start DIGLIM, then execute the real init", false, diglim::run_boot},
    {"check", "say whether DIGLIM would start in this kernel", false, diglim::run_check},
    {"load", "verify digest lists and publish their digests", true, diglim::run_load},
    {"sync", "make what is loaded follow directories", true, diglim::run_sync},
    {"unload", "withdraw digest lists", true, diglim::run_unload},
    {"monitor", "let what is unknown run for a time, and log it", true, diglim::run_monitor},
    {"status", "show what is in force", true, diglim::run_status},
    {"verify", "check signed digest lists and packages, change nothing", false, diglim::run_verify},
};
constexpr diglim::VerbProgram kProgram = {"diglim-loader", "diglim-loader " DIGLIM_VERSION,
                                          "diglim-loader(8)", "0 ok, 1 rejected, 2 usage, 3 environment.",
                                          kVerbs};

// What these print is a courtesy: their status says what is in force now.
bool changes_the_kernel(std::string_view verb) {
  return verb == "load" || verb == "sync" || verb == "unload" || verb == "monitor";
}

int run(int argc, char** argv) {
  const auto choice = diglim::choose_verb(kProgram, {argv + (argc > 0), argv + argc});
  if (choice.verb == nullptr) {
    (void)fputs(choice.out.c_str(), stdout);
    (void)fputs(choice.err.c_str(), stderr);
    return choice.exit;
  }
  if (choice.verb->privileged) {
    diglim::hand_over(argv);
    diglim::ensure_keeper();
  }
  return choice.verb->run(argc - 1, argv + 1);
}

}  // namespace

int main(int argc, char** argv) {
  // Before any other call into OpenSSL, so that it opens no configuration file.
  diglim::init_openssl();
  // As rdinit= there is no verb: the kernel passes what follows "--" on its command line, and words that it
  // does not know. In a container our number may be 1, too: there nobody boots.
  if (getpid() == 1 && !diglim::is_active()) return diglim::run_boot(argc, argv);
  if (argc > 1 && std::string_view(argv[1]) == "keep")
    return diglim::run_keep(argc - 1, argv + 1);  // ensure_keeper() asks for it
  if (argc > 1 && changes_the_kernel(argv[1])) return run(argc, argv);
  return diglim::run_with_output("diglim-loader", [&] { return run(argc, argv); });
}
