// SPDX-License-Identifier: Apache-2.0
// The verbs of diglim-loader. Each gets its own argv (argv[0] is the verb) and returns the exit status.
#pragma once

#include "lib/base/exit_status.h"

namespace diglim {

int run_boot(int argc, char** argv);
int run_check(int argc, char** argv);
int run_load(int argc, char** argv);
int run_sync(int argc, char** argv);
int run_unload(int argc, char** argv);
int run_monitor(int argc, char** argv);
int run_status(int argc, char** argv);
int run_verify(int argc, char** argv);
int run_keep(int argc, char** argv);  // the keeper's process: loader/keeper.h

}  // namespace diglim
