// SPDX-License-Identifier: Apache-2.0
// The verb `explain`: why was this denied, and what would change it? See diglim-explain(1).
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <map>

#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/events/event_id.h"
#include "lib/events/reasons.h"
#include "tools/colour.h"
#include "tools/diglim/explain/facts.h"
#include "tools/diglim/explain/log.h"
#include "tools/diglim/explain/open.h"
#include "tools/diglim/known/read.h"
#include "tools/diglim/verbs.h"
#include "tools/progress.h"
#include "tools/tool.h"

namespace diglim {
namespace {

using explain::LoggedDenial;

constexpr std::string_view kTool = "diglim explain";
constexpr size_t kMostRead = 100'000;  // of denials, to count how often
constexpr size_t kMostLate = 100;      // of files that were denied with the last one

struct Options {
  std::string what;  // a path, or a line of the log
  std::optional<unsigned> last;
  std::string log;
  std::string root = "/";
  known::ReadOptions read;
  bool json = false;
};

// What is explained: one file, with its newest denial if there is one.
struct Case {
  std::optional<LoggedDenial> denial;
  std::string path;       // its end, if the log has no more (Denial::path_cut)
  size_t times = 0;       // in the log
  uint64_t first_us = 0;  // of these; 0: not known
};

std::optional<int> read_options(int argc, char** argv, Options& options) {
  OptionParser app("Says why a file was or would be denied, and the command that would change it.", argv[0]);
  app.add_option("PATH_OR_EVENT", options.what,
                 "a file, the id of an event, or a line of the kernel log (default: the last denial)");
  app.add_option("--last", options.last, "the last so many files that were denied");
  app.add_option("--log", options.log,
                 "a saved log (dmesg, journalctl -k, or JSON of diglim-events) instead of this machine's; -: "
                 "standard input");
  app.add_option("--root", options.root, "the system in this directory instead");
  app.add_option("--keys", options.read.keys, "directory of trusted keys (default /etc/diglim/keys)");
  app.add_option("--dbpath", options.read.dbpath, "directory of the rpm database");
  app.add_flag("--json", options.json, "print JSON");
  if (const auto status = app.parse(argc, argv)) return status;
  if (options.last && (*options.last == 0 || !options.what.empty())) {
    complain(kTool, "--last takes a number above 0, and no PATH; try --help");
    return kExitUsage;
  }
  return std::nullopt;
}

std::string time_text(uint64_t us) {
  const auto when = static_cast<time_t>(us / 1'000'000);
  tm parts = {};
  char text[32] = "?";
  if (localtime_r(&when, &parts) != nullptr) (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

// For people, not escaped.
std::string name_of(const Case& one) {
  return one.denial ? diglim::name_of(one.denial->denial) : one.path;
}

// Newest first, each file and reason once.
std::vector<Case> cases_of(const explain::Log& log, size_t most) {
  std::vector<Case> cases;
  std::map<std::pair<std::string, int>, size_t> known;  // which of them
  for (auto one = log.denials.rbegin(); one != log.denials.rend(); ++one) {
    const auto [at, is_new] =
        known.emplace(std::pair(diglim::name_of(one->denial), int{one->denial.reason}), cases.size());
    if (!is_new && at->second < cases.size()) {
      ++cases[at->second].times;
      cases[at->second].first_us = one->time_us;
    } else if (is_new && cases.size() < most) {
      cases.push_back({*one, one->denial.path, 1, one->time_us});
    }
  }
  return cases;
}

// How many of these newest first were denied within a minute of the newest: a pipeline, or a program with
// several libraries.
// Of one boot: a host that comes up within the minute may enforce what it only watched before.
size_t count_of_last_minute(const std::vector<Case>& cases) {
  constexpr uint64_t kMinute_us = 60'000'000;
  const auto boot_of = [](const Case& one) {
    return one.denial->denial.event.substr(0, one.denial->denial.event.find('-'));
  };
  const auto is_late = [&](const Case& one) {
    return one.denial->time_us > 0 && one.denial->time_us + kMinute_us >= cases.front().denial->time_us &&
           boot_of(one) == boot_of(cases.front());
  };
  return static_cast<size_t>(std::ranges::count_if(cases, is_late));
}

// As the log has it: below the root of the system, without links.
std::string absolute(const Host& host, const std::string& path) {
  if (!host.is_live()) return explain::follow_links(host.path(""), path.starts_with('/') ? path : "/" + path);
  std::error_code error;  // there is no current directory: the path stays as it is
  const auto whole = std::filesystem::absolute(path, error);
  return explain::follow_links("", error ? path : whole.string());
}

// Of this machine only: a saved log says what it says.
std::optional<LoggedDenial> whole_event(const Options& options, const std::string& id) {
  return options.log.empty() && options.root == "/" ? explain::find_whole_event(id) : std::nullopt;
}

// The kernel's lines do not say where, and have not all of a long path.
void make_whole(const Options& options, std::vector<Case>& cases) {
  for (Case& one : cases) {
    if (!one.denial || !explain::describe(one.denial->where).empty()) continue;
    auto whole = whole_event(options, one.denial->denial.event);
    if (!whole) continue;
    one.path = whole->denial.path;
    one.denial = *std::move(whole);
  }
}

std::vector<Case> choose(const Options& options, const Host& host, const explain::Log& log) {
  if (options.what.empty()) return cases_of(log, options.last.value_or(1));
  if (const auto id = find_event_id(options.what, read_boot())) {
    const LoggedDenial* found = explain::find_event(log, *id);
    const auto denial = found != nullptr ? std::optional(*found) : whole_event(options, *id);
    if (!denial) return {};
    return {{*denial, denial->denial.path, 1, denial->time_us}};
  }
  if (auto denial = parse_denial(options.what)) {
    const std::string path = denial->path;
    return {{LoggedDenial{*std::move(denial)}, path, 1, 0}};
  }
  const std::string path = absolute(host, options.what);
  for (Case& one : cases_of(log, log.denials.size())) {
    if (name_of(one) == path) return {std::move(one)};
  }
  return {{std::nullopt, path, 0, 0}};
}

std::string headline(const Case& one) {
  std::string text = escape(name_of(one));
  if (!one.denial) return text + ": no denial in the log";
  const Denial& denial = one.denial->denial;
  text += fmt::format(": {}{}", denial.enforced ? "denied" : "would have been denied",
                      one.times > 1 ? fmt::format(" {} times", one.times) : "");
  if (one.times > 1 && one.first_us > 0) text += fmt::format(" since {}", time_text(one.first_us));
  text += fmt::format("; {}{}{} by {} (pid {}, uid {})", one.times > 1 ? "last: " : "",
                      one.path.empty() ? "tried" : denial.what, denial.use.empty() ? "" : " " + denial.use,
                      escape(denial.command), denial.pid, denial.uid);
  if (one.denial->time_us > 0) text += fmt::format(" at {}", time_text(one.denial->time_us));
  return text;
}

// Is there nothing to explain?
bool is_fine(const Case& one, const explain::Facts& facts) {
  return !one.denial && facts.exists && facts.refusal.empty() && facts.writers.empty() &&
         facts.verdict.cause == known::Cause::kNone && !facts.digest.empty() &&
         facts.interpreter_cause == known::Cause::kNone;
}

// Whoever asks has something that does not run.
void print_nothing_found(const Options& options, const std::string& source) {
  const bool is_event = !options.what.empty();
  fmt::print("no {} in {}\n", is_event ? "event " + escape(options.what) : "denial", source);
  if (is_event)
    fmt::print(
        "  {}\n",
        bold("to do:   a number alone is of this boot; of another one give the whole id, as 3f2a91bc-57"));
  else if (options.log.empty() && options.root == "/")
    fmt::print(
        "  {}\n           so it was not DIGLIM, unless it says that its log lacks lines: file modes, noexec "
        "and "
        "SELinux deny, too\n",
        bold("to do:   diglim"));
}

void print_text(const Case& one, const explain::Facts& facts, const explain::Explanation& why) {
  fmt::print("{}\n", headline(one));
  if (one.denial)
    fmt::print("  reason:  {}\n", reason_text(one.denial->denial.reason, one.denial->denial.detail));
  if (const std::string where = one.denial ? describe(one.denial->where) : ""; !where.empty())
    fmt::print("  where:   {}\n", where);
  if (!facts.type.empty())
    fmt::print("  what:    {}{}\n", facts.type,
               facts.package.empty() ? "" : fmt::format(", of the package {}", escape(facts.package)));
  for (size_t i = 0; i < why.what.size(); ++i)
    fmt::print("  {}{}\n", i == 0 ? "why:     " : "         ", why.what[i]);
  if (is_fine(one, facts)) {
    fmt::print("  {}\n", explain::cannot_start(facts) ? "DIGLIM does not deny it." : "It may run.");
  } else if (why.command.empty()) {
    fmt::print("  {}\n", bold("to do:   " + why.meaning));
  } else {
    fmt::print("  {}\n           {}\n", bold("to do:   " + why.command), why.meaning);
  }
}

void put_json(JsonWriter& json, const Case& one, const explain::Facts& facts,
              const explain::Explanation& why) {
  json.begin_object()
      .key("path")
      .value(one.path.empty() ? "" : name_of(one))
      .key("id")
      .value(why.id)
      .key("times")
      .value(uint64_t{one.times});
  json.key("fine").value(is_fine(one, facts));
  if (one.denial) {
    const Denial& denial = one.denial->denial;
    json.key("denial").begin_object().key("enforced").value(denial.enforced).key("what").value(denial.what);
    json.key("use").value(denial.use).key("reason").value(reason_text(denial.reason, denial.detail));
    json.key("digest").value(to_hex(denial.digest)).key("pid").value(uint64_t{denial.pid});
    json.key("uid").value(uint64_t{denial.uid}).key("command").value(denial.command);
    json.key("event").value(denial.event);
    json.key("unit").value(one.denial->where.unit).key("container").value(one.denial->where.container);
    json.key("cgroup").value(one.denial->where.cgroup);
    json.key("time_us").value(one.denial->time_us).key("first_us").value(one.first_us).end_object();
  }
  json.key("type")
      .value(facts.type)
      .key("digest")
      .value(to_hex(facts.digest))
      .key("package")
      .value(facts.package);
  json.key("list").value(facts.list).key("why").begin_array();
  for (const std::string& line : why.what) json.value(line);
  json.end_array().key("command").value(why.command).key("meaning").value(why.meaning).end_object();
}

int run(const Options& options) {
  const Host host(options.root);
  // A denial of another system is in its own log only.
  explain::Log log;
  if (host.is_live() && options.log.empty()) explain::settle_log();
  if (host.is_live() || !options.log.empty()) log = explain::read_log(options.log, kMostRead);
  const int best = explain::complain_of_missing(kTool, log, 0) ? kExitEnvironment : kExitOk;
  std::vector<Case> cases = choose(options, host, log);
  make_whole(options, cases);
  if (cases.empty()) {
    if (options.json)
      fmt::print("[]\n");
    else
      print_nothing_found(options, log.source);
    return best;
  }
  known::ReadOptions read = options.read;
  read.progress = !options.json;
  const auto system = known::read_system(host, read);
  if (!system) {
    complain(kTool, "the trusted keys cannot be read: " + system.error().message);
    return kExitEnvironment;
  }
  JsonWriter json;
  json.begin_array();
  bool fine = true;
  explain::Holders holders;
  for (const Case& one : cases) {
    const Denial* denial = one.denial ? &one.denial->denial : nullptr;
    const explain::Facts facts = explain::read_facts(host, *system, denial, one.path, holders);
    const explain::Explanation why = explain::explain(denial, facts);
    fine = fine && is_fine(one, facts);
    if (options.json)
      put_json(json, one, facts, why);
    else
      print_text(one, facts, why);
  }
  json.end_array();
  if (options.json) {
    fmt::print("{}\n", json.text());
  } else {
    if (options.what.empty() && !options.last) {
      const size_t late = count_of_last_minute(cases_of(log, kMostLate));
      if (late > 1)
        fmt::print("note: {} more denied in the minute before: diglim explain --last {}\n", late - 1, late);
    }
    for (const std::string& note : system->notes) fmt::print("note: {}\n", note);
  }
  return fine ? best : kExitRejected;
}

}  // namespace

int run_explain(int argc, char** argv) {
  Options options;
  if (const auto status = read_options(argc, argv, options)) return *status;
  return run(options);
}

}  // namespace diglim
