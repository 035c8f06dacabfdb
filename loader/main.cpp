// SPDX-License-Identifier: Apache-2.0
// diglim-loader: the only program that may write DIGLIM's kernel objects. Static and single-threaded.
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "lib/base/text.h"
#include "lib/crypto/openssl.h"
#include "loader/hand_over.h"
#include "loader/keeper.h"
#include "loader/kernel/maps.h"
#include "loader/verbs.h"

namespace {

struct Verb {
  std::string_view name;
  std::string_view summary;
  int (*run)(int argc, char** argv);
  bool asks_kernel;  // needs the rights that only the loader of this boot has
};

constexpr Verb kVerbs[] = {
    {"boot", "as PID 1: start DIGLIM, then execute the real init", diglim::run_boot, false},
    {"load", "verify digest lists and publish their digests", diglim::run_load, true},
    {"unload", "withdraw digest lists", diglim::run_unload, true},
    {"status", "show what is in force", diglim::run_status, true},
    {"verify", "check signed digest lists and packages, change nothing", diglim::run_verify, false},
};

void print_help(FILE* to) {
  (void)fprintf(to,
                "Usage: diglim-loader VERB [OPTION]...\n       diglim-loader --help | --version\n\nVerbs:\n");
  for (const Verb& verb : kVerbs) {
    (void)fprintf(to, "  %-8.*s %.*s\n", static_cast<int>(verb.name.size()), verb.name.data(),
                  static_cast<int>(verb.summary.size()), verb.summary.data());
  }
  (void)fprintf(to,
                "\n`diglim-loader VERB --help` and diglim-loader(8) say more.\n\n"
                "Exit status: 0 ok, 1 rejected, 2 usage, 3 environment.\n");
}

}  // namespace

int main(int argc, char** argv) {
  // Before any other call into OpenSSL, so that it opens no configuration file.
  diglim::init_openssl();
  // As rdinit= there is no verb: the kernel passes only what follows "--" on its command line.
  // In a container our number may be 1, too: there nobody boots.
  if (getpid() == 1 && !diglim::is_active()) return diglim::run_boot(argc, argv);
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
    printf("diglim-loader " DIGLIM_VERSION "\n");
    return diglim::kExitOk;
  }
  if (name == "keep") return diglim::run_keep(argc - 1, argv + 1);  // ensure_keeper() asks for it
  for (const Verb& verb : kVerbs) {
    if (verb.name != name) continue;
    if (verb.asks_kernel) {
      diglim::hand_over(argv);
      diglim::ensure_keeper();
    }
    return verb.run(argc - 1, argv + 1);
  }
  (void)fprintf(stderr, "diglim-loader: unknown %s %s; try --help\n",
                name.starts_with('-') ? "option" : "verb", diglim::escape(name, 64).c_str());
  return diglim::kExitUsage;
}
