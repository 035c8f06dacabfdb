// SPDX-License-Identifier: Apache-2.0
// The verb `metrics`. See diglim-metrics(1).
#include "tools/diglim/audit/metrics.h"

#include "tools/diglim/measure/options.h"
#include "tools/diglim/verbs.h"
#include "tools/diglim/written.h"
#include "tools/tool.h"

namespace diglim {

int run_metrics(int argc, char** argv) {
  audit::Source source;
  std::string output = "-";
  OptionParser app("Says how DIGLIM is, as OpenMetrics text.", argv[0]);
  app.add_option("-o,--output", output, "file to write, at once or not at all (default: stdout)");
  app.add_option("--loader", source.loader, "program to run in place of diglim-loader");
  if (const auto status = app.parse(argc, argv)) return *status;
  const audit::Facts facts = audit::read_facts(source);
  if (!facts.is_active()) complain(argv[0], facts.fault);
  if (const auto done = write_output(output, as_bytes(audit::openmetrics(facts)), 0644); !done) {
    complain(argv[0], done.error().message);
    return kExitEnvironment;
  }
  return facts.is_active() ? kExitOk : kExitEnvironment;
}

}  // namespace diglim
