// SPDX-License-Identifier: Apache-2.0
// The verb `doctor`. See diglim-doctor(1).
#include <fmt/format.h>

#include "lib/base/json.h"
#include "tools/diglim/doctor/checks.h"
#include "tools/diglim/verbs.h"
#include "tools/tool.h"

namespace diglim {
namespace {

using doctor::Finding;
using doctor::Findings;
using doctor::Level;

struct Options {
  std::string root = "/";
  doctor::ContentOptions content;
  bool json = false;
};

std::optional<int> read_options(int argc, char** argv, Options& options) {
  OptionParser app("Checks what DIGLIM needs on this machine, and says what to change. Changes nothing.",
                   argv[0]);
  app.add_option("--root", options.root, "check the system in this directory instead");
  app.add_option("--dbpath", options.content.dbpath, "directory of the rpm database");
  app.add_option("--keys", options.content.keys, "directory of trusted keys (default /etc/diglim/keys)");
  app.add_option("--seconds", options.content.seconds,
                 "time for the programs on disk (default 300; 0: do not look at them)");
  app.add_flag("--json", options.json, "print the findings as JSON");
  return app.parse(argc, argv);
}

void print_text(const Findings& findings) {
  for (const Finding& finding : findings) {
    fmt::print("{:<7} {}\n", level_name(finding.level), finding.what);
    for (const std::string& item : finding.items) fmt::print("          {}\n", item);
    if (finding.count > finding.items.size()) {
      fmt::print("          and {} more\n", finding.count - finding.items.size());
    }
    if (!finding.next.empty()) fmt::print("        to do: {}\n", finding.next);
  }
}

void print_json(const Findings& findings) {
  JsonWriter json;
  json.begin_array();
  for (const Finding& finding : findings) {
    json.begin_object().key("id").value(finding.id).key("level").value(level_name(finding.level));
    json.key("what").value(finding.what).key("next").value(finding.next).key("items").begin_array();
    for (const std::string& item : finding.items) json.value(item);
    json.end_array().key("count").value(uint64_t{finding.count}).end_object();
  }
  json.end_array();
  fmt::print("{}\n", json.text());
}

int exit_status(const Findings& findings) {
  bool unknown = false;
  for (const Finding& finding : findings) {
    if (finding.level == Level::kFail) return kExitRejected;
    unknown = unknown || finding.level == Level::kUnknown;
  }
  return unknown ? kExitEnvironment : kExitOk;
}

}  // namespace

int run_doctor(int argc, char** argv) {
  Options options;
  if (const auto status = read_options(argc, argv, options)) return *status;
  const Host host(options.root);
  options.content.progress = !options.json;
  const Findings findings = check_all(host, options.content);
  options.json ? print_json(findings) : print_text(findings);
  return exit_status(findings);
}

}  // namespace diglim
