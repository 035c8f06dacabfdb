// SPDX-License-Identifier: Apache-2.0
// rpm_gen: makes the digest lists of installed packages. See rpm_gen(1).
#include <fmt/format.h>
#include <sys/stat.h>

#include <csignal>
#include <set>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/standard_output.h"
#include "lib/base/text.h"
#include "lib/digest_list/package_list.h"
#include "lib/digest_list/rpm_list.h"
#include "lib/librpm/database.h"
#include "policy/command_line.h"
#include "tools/list_folder.h"
#include "tools/progress.h"
#include "tools/tool.h"

namespace diglim {
namespace {

constexpr std::string_view kTool = "rpm_gen";

// Set by a signal: stop between two lists, not within one, whose temporary file would stay.
volatile std::sig_atomic_t interrupted = 0;

struct Options {
  std::string folder;
  std::string root;  // or a package file, as -r was in 2022
  std::string dbpath;
  std::vector<std::string> packages;
  bool prune = false;
  bool strict = false;
  bool quiet = false;
  bool json = false;
};

struct Outcome {
  size_t packages = 0;
  std::vector<std::string> unsigned_packages;
  std::vector<std::string> damaged;  // "NVRA: why"
  std::vector<std::string> missing;  // asked for with -p, not installed
  std::vector<std::string> pruned;
  std::vector<std::string> not_counted;  // "NVRA: why"
};

bool is_file(const std::string& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

std::optional<int> read_options(int argc, char** argv, Options& options) {
  OptionParser app("Makes the digest lists of installed RPM packages, for diglim-loader.",
                   std::string(kTool));
  app.add_option("-d,--directory", options.folder, "directory the lists are written to (made if missing)")
      .required();
  const Option root =
      app.add_option("-r,--root", options.root,
                     "directory of another system, whose packages are taken; or one package file");
  app.add_option("--dbpath", options.dbpath, "directory of the rpm database").excludes(root);
  app.add_option("-p,--package", options.packages,
                 "only this package: name, name-version-release[.arch]; repeatable");
  app.add_flag("--prune", options.prune, "remove the lists of packages that are not installed");
  app.add_flag("--strict", options.strict, "exit 1 if a package is not signed");
  app.add_flag("-q,--quiet", options.quiet, "print errors only");
  app.add_flag("--json", options.json, "print the result as JSON");
  if (const auto status = app.parse(argc, argv)) return status;
  if (options.prune && (!options.packages.empty() || is_file(options.root))) {
    complain(kTool, "--prune needs the whole database: it goes neither with -p nor with a package file");
    return kExitUsage;
  }
  return std::nullopt;
}

void stop_at_signals() {
  struct sigaction action = {};
  action.sa_handler = [](int) { interrupted = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // the second one kills
  for (int number : {SIGINT, SIGTERM, SIGHUP})
    (void)sigaction(number, &action, nullptr);  // cannot fail for these
}

// Which of the wanted packages were seen. Nothing wanted: all are.
class Selection {
 public:
  explicit Selection(const std::vector<std::string>& wanted) : wanted_(wanted) {}
  bool matches(const InstalledPackage& package) {
    bool found = wanted_.empty();
    for (const std::string& word : wanted_) {
      if (word != package.name && word != package.nvr && word != package.nvra) continue;
      seen_.insert(word);
      found = true;
    }
    return found;
  }
  std::vector<std::string> missing() const {
    std::vector<std::string> words;
    for (const std::string& word : wanted_) {
      if (!seen_.contains(word)) words.push_back(word);
    }
    return words;
  }

 private:
  const std::vector<std::string>& wanted_;
  std::set<std::string> seen_;
};

// A list that gives nothing is made all the same: who has another kernel may use it.
Result<void> write_list(const std::string& nvra, ByteView list, ListFolder& folder, Outcome& outcome) {
  static const HashAlgo kernel = [] {
    const auto line = read_stream("/proc/cmdline", 1 << 16);
    return ima_hash(line ? as_text(*line) : std::string_view());
  }();
  const auto text = not_counted_in_rpm_list(list, kernel);
  if (!text) {  // the loader would refuse it
    outcome.damaged.push_back(escape(nvra) + ": " + text.error().message);
    return {};
  }
  if (!text->empty()) outcome.not_counted.push_back(escape(nvra) + ": " + *text);
  return folder.write(nvra, list);
}

Result<void> add_package(const InstalledPackage& package, ListFolder& folder, Outcome& outcome) {
  ++outcome.packages;
  const auto list = make_rpm_list(package.region, package.packets);
  if (list) return write_list(package.nvra, *list, folder, outcome);
  if (list.error().code == ErrorCode::kUntrusted) {
    outcome.unsigned_packages.push_back(package.nvra);
  } else {
    outcome.damaged.push_back(escape(package.nvra) + ": " + list.error().message);
  }
  return {};
}

Result<void> add_database(const Options& options, ListFolder& folder, Outcome& outcome) {
  TRY_ASSIGN(const std::string database, find_rpm_database(options.root, options.dbpath));
  Selection selection(options.packages);
  std::optional<Progress> progress;
  size_t seen = 0;
  TRY(for_each_package(database, [&](const InstalledPackage& package, size_t total) -> Result<void> {
    if (interrupted != 0) return Error{ErrorCode::kIo, 0, "interrupted"};
    if (!progress) progress.emplace("packages", total, !options.quiet && !options.json);
    progress->step(package.nvra);
    ++seen;
    if (!selection.matches(package)) return {};
    return add_package(package, folder, outcome);
  }));
  // A database without packages is a wrong one; to remove all lists would lock the machine.
  if (seen == 0)
    return not_found("no package in the database of " + escape(database) + "; nothing written or pruned");
  outcome.missing = selection.missing();
  if (!options.prune) return {};
  TRY_ASSIGN(outcome.pruned, folder.prune());
  return {};
}

Result<void> add_file(const std::string& path, ListFolder& folder, Outcome& outcome) {
  auto package = list_of_package_file(path);
  if (package) {
    ++outcome.packages;
    return write_list(package->nvra, package->list, folder, outcome);
  }
  if (package.error().code == ErrorCode::kIo || package.error().code == ErrorCode::kNotFound)
    return package.error();
  ++outcome.packages;
  if (package.error().code == ErrorCode::kUntrusted) {
    outcome.unsigned_packages.push_back(path);
  } else {
    outcome.damaged.push_back(escape(path) + ": " + package.error().message);
  }
  return {};
}

void print_names(JsonWriter& json, std::string_view key, const std::vector<std::string>& names) {
  json.key(key).begin_array();
  for (const std::string& name : names) json.value(name);
  json.end_array();
}

void report(const Outcome& outcome, const ListFolder& folder, const Options& options) {
  for (const std::string& line : outcome.damaged) complain(kTool, line + "; no list");
  for (const std::string& name : outcome.missing) complain(kTool, escape(name) + " is not installed");
  for (const std::string& line : outcome.not_counted) complain(kTool, "warning: " + line);
  if (options.json) {
    JsonWriter json;
    json.begin_object()
        .key("directory")
        .value(options.folder)
        .key("packages")
        .value(uint64_t{outcome.packages});
    json.key("written")
        .value(uint64_t{folder.written()})
        .key("unchanged")
        .value(uint64_t{folder.unchanged()});
    print_names(json, "lists", folder.names());
    print_names(json, "unsigned", outcome.unsigned_packages);
    print_names(json, "damaged", outcome.damaged);
    print_names(json, "pruned", outcome.pruned);
    print_names(json, "not_counted", outcome.not_counted);
    json.end_object();
    fmt::print("{}\n", json.text());
    return;
  }
  for (const std::string& name : outcome.unsigned_packages)
    complain(kTool, escape(name) + " is not signed; no list");
  if (!outcome.unsigned_packages.empty()) {
    complain(kTool,
             fmt::format("{} of {} packages are not signed; their files stay unknown. Sign them (rpmsign "
                         "--addsign) and reinstall, or list them with compact_gen",
                         outcome.unsigned_packages.size(), outcome.packages));
  }
  if (options.quiet) return;
  fmt::print("{}: {} lists of {} packages ({} written, {} unchanged", escape(options.folder),
             folder.names().size(), outcome.packages, folder.written(), folder.unchanged());
  fmt::print("{})\n", options.prune ? fmt::format(", {} pruned", outcome.pruned.size()) : "");
  const auto names = folder.names();
  if (names.empty()) return;
  fmt::print("next: diglim-loader load {}\n",
             shell_word(names.size() == 1 ? folder.path_of(names.front()) : options.folder));
}

int run(int argc, char** argv) {
  Options options;
  if (const auto status = read_options(argc, argv, options)) return *status;
  stop_at_signals();
  if (auto made = make_folder(options.folder); !made) {
    complain(kTool, made.error().message);
    return kExitEnvironment;
  }
  ListFolder folder(options.folder);
  Outcome outcome;
  const bool from_file = is_file(options.root);
  const auto added =
      from_file ? add_file(options.root, folder, outcome) : add_database(options, folder, outcome);
  if (!added) {
    complain(kTool, added.error().message);
    if (!folder.names().empty())
      complain(kTool, fmt::format("stopped after {} lists", folder.names().size()));
    return kExitEnvironment;
  }
  report(outcome, folder, options);
  const bool none = from_file && folder.names().empty();
  const bool rejected = none || !outcome.damaged.empty() || !outcome.missing.empty() ||
                        (options.strict && !outcome.unsigned_packages.empty());
  return rejected ? kExitRejected : kExitOk;
}

}  // namespace
}  // namespace diglim

int main(int argc, char** argv) {
  return diglim::run_with_output("rpm_gen", [&] { return diglim::run(argc, argv); });
}
