// SPDX-License-Identifier: Apache-2.0
// The verb `attest`. See diglim-attest(1).
#include "tools/diglim/attest/verbs.h"
#include "tools/diglim/verbs.h"

namespace diglim {

int run_attest(int argc, char** argv) {
  OptionParser app("Proves to others what runs here, and judges such proofs.", argv[0]);
  app.describe_subcommands();
  Subcommands commands;
  add_enroll_commands(app, commands);
  add_quote_command(app, commands);
  add_verify_commands(app, commands);
  add_policy_commands(app, commands);
  add_keylime_command(app, commands);
  if (const auto wrong = app.parse(argc, argv)) return *wrong;
  for (const auto& [command, run] : commands) {
    if (command->parsed()) return run();
  }
  return kExitUsage;  // not reached: one is required
}

}  // namespace diglim
