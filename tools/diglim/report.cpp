// SPDX-License-Identifier: Apache-2.0
// The verb `report`: what was denied, or would have been, grouped by what it takes. See diglim-report(1).
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <map>

#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/events/reasons.h"
#include "tools/colour.h"
#include "tools/diglim/allow/when.h"
#include "tools/diglim/explain/facts.h"
#include "tools/diglim/explain/log.h"
#include "tools/diglim/known/read.h"
#include "tools/diglim/verbs.h"
#include "tools/progress.h"
#include "tools/tool.h"

namespace diglim {
namespace {

constexpr std::string_view kTool = "diglim report";
constexpr size_t kMostRead = 1'000'000;
constexpr size_t kShownFiles = 12;

struct Options {
  std::string since;
  std::string log;
  std::string root = "/";
  known::ReadOptions read;
  bool json = false;
  bool all = false;
};

struct DeniedFile {
  Denial denial;  // the newest
  size_t times = 0;
  uint64_t first_us = 0;
  uint64_t last_us = 0;
  explain::Facts facts;
  explain::Explanation why;
};

struct Group {
  size_t denials = 0;
  std::vector<DeniedFile> files;  // most denied first
};

// Each file with each reason once, most denied first.
std::vector<DeniedFile> files_of(const explain::Log& log, uint64_t since) {
  std::map<std::pair<std::string, int>, DeniedFile> files;
  for (const explain::LoggedDenial& one : log.denials) {
    if (one.time_us > 0 && one.time_us / 1'000'000 < since) continue;
    DeniedFile& file = files[{name_of(one.denial), one.denial.reason}];
    if (file.times++ == 0) file.first_us = one.time_us;
    file.last_us = one.time_us;
    file.denial = one.denial;
  }
  std::vector<DeniedFile> all;
  for (auto& [key, file] : files) all.push_back(std::move(file));
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.times > b.times; });
  return all;
}

void print_group(const Group& group, bool all) {
  const DeniedFile& first = group.files.front();
  fmt::print("\n{} of {} file{}: {}\n", group.denials, group.files.size(), group.files.size() == 1 ? "" : "s",
             reason_text(first.denial.reason, first.denial.detail));
  if (!first.why.what.empty() && group.files.size() == 1) fmt::print("  {}\n", first.why.what.front());
  for (size_t i = 0; i < group.files.size() && (all || i < kShownFiles); ++i)
    fmt::print("    {:>6}  {}{}\n", group.files[i].times, escape(name_of(group.files[i].denial)),
               group.files[i].facts.package.empty() ? "" : "  " + escape(group.files[i].facts.package));
  if (!all && group.files.size() > kShownFiles)
    fmt::print("            and {} more (--all names each)\n", group.files.size() - kShownFiles);
  if (first.why.command.empty())
    fmt::print("  {}\n", bold("to do: " + first.why.meaning));
  else
    fmt::print("  {}\n         {}\n", bold("to do, as for the first: " + first.why.command),
               first.why.meaning);
}

void put_group(JsonWriter& json, const std::string& id, const Group& group) {
  json.begin_object()
      .key("id")
      .value(id)
      .key("denials")
      .value(uint64_t{group.denials})
      .key("files")
      .begin_array();
  for (const DeniedFile& file : group.files) {
    json.begin_object().key("path").value(name_of(file.denial)).key("times").value(uint64_t{file.times});
    json.key("first_us").value(file.first_us).key("last_us").value(file.last_us);
    json.key("enforced")
        .value(file.denial.enforced)
        .key("package")
        .value(file.facts.package)
        .key("why")
        .begin_array();
    for (const std::string& line : file.why.what) json.value(line);
    json.end_array()
        .key("command")
        .value(file.why.command)
        .key("meaning")
        .value(file.why.meaning)
        .end_object();
  }
  json.end_array().end_object();
}

int run(const Options& options) {
  uint64_t since = 0;
  if (!options.since.empty()) {
    const auto parsed = allow::parse_since(options.since, allow::read_clock());
    if (!parsed) {
      complain(kTool, parsed.error().message);
      return kExitUsage;
    }
    since = *parsed;
  }
  if (options.log.empty()) explain::settle_log();
  const explain::Log log = explain::read_log(options.log, kMostRead);
  const bool missing = explain::complain_of_missing(kTool, log, since);
  std::vector<DeniedFile> files = files_of(log, since);
  const Host host(options.root);
  known::ReadOptions read = options.read;
  read.progress = !options.json;
  const auto system = files.empty() ? Result<known::System>(known::System{}) : known::read_system(host, read);
  if (!system) {
    complain(kTool, "the trusted keys cannot be read: " + system.error().message);
    return kExitEnvironment;
  }
  std::map<std::string, Group> groups;
  size_t denials = 0;
  explain::Holders holders;
  Progress bar("files", files.size(), !options.json);
  for (DeniedFile& file : files) {
    bar.step(file.denial.path);
    file.facts = explain::read_facts(host, *system, &file.denial, file.denial.path, holders);
    file.why = explain::explain(&file.denial, file.facts);
    denials += file.times;
    Group& group = groups[file.why.id];
    group.denials += file.times;
    group.files.push_back(std::move(file));
  }
  bar.wipe();
  if (options.json) {
    JsonWriter json;
    json.begin_object().key("since").value(since).key("denials").value(uint64_t{denials});
    json.key("files")
        .value(uint64_t{files.size()})
        .key("incomplete")
        .value(missing)
        .key("groups")
        .begin_array();
    for (const auto& [id, group] : groups) put_group(json, id, group);
    fmt::print("{}\n", json.end_array().end_object().text());
  } else {
    fmt::print("{} denial{} of {} file{}{} in {}\n", denials, denials == 1 ? "" : "s", files.size(),
               files.size() == 1 ? "" : "s", since > 0 ? " since " + allow::time_text(since) : "",
               log.source);
    for (const auto& [id, group] : groups) print_group(group, options.all);
  }
  if (missing) return kExitEnvironment;
  return denials > 0 ? kExitRejected : kExitOk;
}

}  // namespace

int run_report(int argc, char** argv) {
  Options options;
  OptionParser app("Says what was denied, or would have been, grouped by what it takes to change that.",
                   argv[0]);
  app.add_option("--since", options.since,
                 "a date (2026-12-01, \"2026-12-01 18:00\"), today, yesterday, or how long ago (12h, 7d)");
  app.add_option("--log", options.log,
                 "a saved log (dmesg, journalctl -k) instead of this machine's; -: standard input");
  app.add_option("--root", options.root, "the system in this directory instead; with --log");
  app.add_option("--keys", options.read.keys, "directory of trusted keys (default /etc/diglim/keys)");
  app.add_option("--dbpath", options.read.dbpath, "directory of the rpm database");
  app.add_flag("--all", options.all, "name each file");
  app.add_flag("--json", options.json, "print JSON");
  if (const auto status = app.parse(argc, argv)) return *status;
  if (options.root != "/" && options.log.empty()) {
    complain(kTool, "--root needs --log: the log of this machine says nothing of another");
    return kExitUsage;
  }
  return run(options);
}

}  // namespace diglim
