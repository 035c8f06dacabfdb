// SPDX-License-Identifier: Apache-2.0
// diglim repair: after an interrupted rpm transaction, or whenever rpm's plugin was not there: lists on the
// disk and in the kernel are made to follow the rpm database. It is what the plugin does at the end of a
// transaction, for all packages.
#include <fmt/format.h>

#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/digest_list/rpm_list.h"
#include "lib/installed/transaction.h"
#include "lib/librpm/database.h"
#include "lib/librpm/files_in_place.h"
#include "tools/diglim/verbs.h"
#include "tools/tool.h"

namespace diglim {
namespace {

// Nobody waits for it as somebody waits for rpm; loading thousands of lists may take a slow machine minutes.
constexpr int kBudget_ms = 600'000;

struct Options {
  std::string root;
  std::string dbpath;
  std::string loader;
  bool prune = false;
  bool quiet = false;
  bool json = false;
};

std::optional<int> read_options(int argc, char** argv, Options& options) {
  OptionParser app(
      "Brings the lists of /etc/digest_lists, and what the kernel has of them, in step with the rpm "
      "database.",
      argv[0]);
  const Option root =
      app.add_option("-r,--root", options.root, "directory of another system, as rpm's --root");
  app.add_option("--dbpath", options.dbpath, "directory of the rpm database").excludes(root);
  app.add_option("--loader", options.loader, "program to run in place of diglim-loader");
  app.add_flag("--prune", options.prune, "remove the list of every package that is not installed");
  app.add_flag("-q,--quiet", options.quiet, "print errors only");
  app.add_flag("--json", options.json, "print the result as JSON");
  return app.parse(argc, argv);
}

// The database that the interrupted transaction worked on, or the usual one. Only the usual one says of all
// lists whose package is there.
Result<std::string> find_database(const Options& options) {
  if (options.dbpath.empty() && !options.prune) {
    TRY_ASSIGN(const Folder state, Folder::open(options.root, kStateFolder));
    const auto journal = read_journal(state);
    if (journal && *journal && !(*journal)->dbpath.empty())
      return find_rpm_database("", options.root + (*journal)->dbpath);
  }
  return find_rpm_database(options.root, options.dbpath);
}

Result<std::vector<PackageHeader>> installed_packages(const std::string& database) {
  std::vector<PackageHeader> installed;
  TRY(for_each_package(database, [&](const InstalledPackage& package, size_t) -> Result<void> {
    installed.push_back({package.nvra, make_rpm_list(package.region, package.packets)});
    return {};
  }));
  // To remove all lists would lock the machine.
  if (installed.empty())
    return not_found("no package in the database of " + escape(database) + "; nothing was changed");
  return installed;
}

Result<TransactionCounts> bring_in_step(const Options& options, size_t& packages, size_t& without) {
  TRY_ASSIGN(const std::string database, find_database(options));
  TRY_ASSIGN(const RpmLock lock, RpmLock::take(database));
  TRY_ASSIGN(const auto installed, installed_packages(database));
  packages = installed.size();
  for (const PackageHeader& package : installed) without += package.list ? 0 : 1;
  TransactionSetup setup;
  setup.root = options.root.empty() ? "/" : options.root;
  if (options.root.empty()) setup.dbpath = database;  // else found again by its place below the root
  setup.loader = options.loader;
  setup.budget_ms = kBudget_ms;
  setup.scope = options.prune ? TransactionScope::kPrune : TransactionScope::kAll;
  FilesInPlace files(setup.root, [&] { return with_list(installed); });
  Transaction transaction(
      setup, [](const std::string& message) { complain("diglim repair", message); },
      [&](ByteView list) { return files.needs(list); });
  transaction.begin({}, {}, installed);
  transaction.finish(installed);
  return transaction.counts();
}

}  // namespace

int run_repair(int argc, char** argv) {
  Options options;
  if (const auto status = read_options(argc, argv, options)) return *status;
  size_t packages = 0;
  size_t without = 0;
  const auto counts = bring_in_step(options, packages, without);
  if (!counts) {
    complain("diglim repair", counts.error().message);
    return kExitEnvironment;
  }
  if (!counts->complete) return kExitEnvironment;
  if (options.json) {
    JsonWriter json;
    json.begin_object()
        .key("packages")
        .value(uint64_t{packages})
        .key("without_signature")
        .value(uint64_t{without});
    json.key("written").value(uint64_t{counts->written}).key("removed").value(uint64_t{counts->removed});
    fmt::print("{}\n", json.key("active").value(counts->active).end_object().text());
  } else if (!options.quiet) {
    fmt::print("{} packages, {} without a signature that can be used; {} lists written, {} removed; {}\n",
               packages, without, counts->written, counts->removed,
               counts->active ? "the kernel has the same" : "DIGLIM is not active: nothing was published");
  }
  return kExitOk;
}

}  // namespace diglim
