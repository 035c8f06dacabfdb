// SPDX-License-Identifier: Apache-2.0
// diglim-loader: the only program that may write DIGLIM's kernel objects. Static and single-threaded.
#include <cstdio>
#include <string_view>

#include "lib/base/text.h"
#include "lib/crypto/openssl.h"
#include "loader/verbs.h"

namespace {

struct Verb {
  std::string_view name;
  std::string_view summary;
  int (*run)(int argc, char** argv);
};

constexpr Verb kVerbs[] = {
    {"verify", "check signed digest lists and packages, change nothing", diglim::run_verify},
};

void print_help(FILE* to) {
  (void)fprintf(to, "Usage: diglim-loader VERB [OPTION]...\n\nVerbs:\n");
  for (const Verb& verb : kVerbs) {
    (void)fprintf(to, "  %-8.*s %.*s\n", static_cast<int>(verb.name.size()), verb.name.data(),
                  static_cast<int>(verb.summary.size()), verb.summary.data());
  }
  (void)fprintf(
      to,
      "\n`diglim-loader VERB --help` says more. Exit status: 0 ok, 1 rejected, 2 usage, 3 environment.\n");
}

}  // namespace

int main(int argc, char** argv) {
  // Before any other call into OpenSSL, so that it opens no configuration file.
  diglim::init_openssl();
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
  for (const Verb& verb : kVerbs) {
    if (verb.name == name) return verb.run(argc - 1, argv + 1);
  }
  (void)fprintf(stderr, "diglim-loader: unknown verb \"%s\"; try --help\n", diglim::escape(name, 64).c_str());
  return diglim::kExitUsage;
}
