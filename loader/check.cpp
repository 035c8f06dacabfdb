// SPDX-License-Identifier: Apache-2.0
// The verb `check`: would DIGLIM start in the running kernel? It loads the programs as boot does, and lets
// them go. The probe alone is attached, for an instant, and looks at this process only.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "loader/kernel/hold.h"
#include "loader/kernel/maps.h"
#include "loader/kernel/programs.h"
#include "loader/options.h"
#include "loader/verbs.h"

namespace diglim {
namespace {

constexpr char kHelp[] =
    "Usage: diglim-loader check\n\n"
    "Says whether DIGLIM would start in the running kernel, or why not: loads its programs, tries what they\n"
    "need, and lets them go. Nothing is decided by them, and nothing stays.\n\n"
    "  -h, --help  show this\n\n"
    "Exit status: 0 it would, or it is active; 1 it would not; 2 usage; 3 only root may ask.\n";

Result<HashAlgo> try_kernel() {
  TRY(HiddenFolder::is_possible());
  TRY_ASSIGN(const KernelFacts facts, probe_kernel([] { return open_file("/", O_RDONLY | O_DIRECTORY); }));
  for (const bool measure : {false, true})
    TRY(Programs::load(
        {DIGLIM_MODE_ENFORCE, false, measure, PolicyLabels::kNone, false, DIGLIM_MONITOR_OFF, ""}, facts));
  return facts.algo;
}

}  // namespace

int run_check(int argc, char** argv) {
  const CommandLine line = parse_command_line(argc, argv, {kHelp, nullptr, {}});
  if (line.exit >= 0) return line.exit;
  const auto map = find_map(kGenerationsMap);
  if (!map && map.error().message == kSelinuxRefused) {
    (void)fprintf(stderr, "diglim-loader check: %s\n", map.error().message.c_str());
    return kExitEnvironment;
  }
  if (geteuid() != 0 || (!map && map.error().message == kMayNotAsk)) {
    (void)fprintf(stderr,
                  "diglim-loader check: only root (CAP_SYS_ADMIN) may load programs into the kernel\n");
    return kExitEnvironment;
  }
  if (map || map.error().code != ErrorCode::kNotFound) {  // refused: it is active
    printf("DIGLIM is active in this kernel\n");
    return kExitOk;
  }
  const auto algo = try_kernel();
  if (!algo) {
    (void)fprintf(stderr, "diglim-loader check: %s\n", algo.error().message.c_str());
    return kExitRejected;
  }
  printf("DIGLIM's programs load into this kernel, which hashes with %s\n",
         std::string(hash_name(*algo)).c_str());
  return kExitOk;
}

}  // namespace diglim
