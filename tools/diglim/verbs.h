// SPDX-License-Identifier: Apache-2.0
// The verbs of diglim: one source file each, NAME.cpp, with a page packaging/man/diglim-NAME.1. Each gets its
// own argv (argv[0] is "diglim NAME", which is also the name for complain() and OptionParser) and returns one
// of the exit statuses of lib/base/exit_status.h. A new verb: declare it here, add it to kVerbs in main.cpp;
// --help and the completion follow by themselves, and the test man.pages asks for its page.
#pragma once

namespace diglim {

int run_allow(int argc, char** argv);
int run_attest(int argc, char** argv);
int run_doctor(int argc, char** argv);
int run_evidence(int argc, char** argv);
int run_explain(int argc, char** argv);
int run_initramfs(int argc, char** argv);
int run_key(int argc, char** argv);
int run_metrics(int argc, char** argv);
int run_pcr(int argc, char** argv);
int run_report(int argc, char** argv);
int run_repair(int argc, char** argv);
int run_scan(int argc, char** argv);
int run_seal(int argc, char** argv);
int run_setup(int argc, char** argv);
int run_state(int argc, char** argv);
int run_unseal(int argc, char** argv);

// Without a verb: the state in five lines, and what to do next.
int run_state();

}  // namespace diglim
