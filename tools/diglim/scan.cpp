// SPDX-License-Identifier: Apache-2.0
// The verb `scan`: what would be denied here. See diglim-scan(1).
#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tools/colour.h"
#include "tools/diglim/known/links.h"
#include "tools/diglim/scan/run.h"
#include "tools/diglim/verbs.h"
#include "tools/diglim/written.h"
#include "tools/tool.h"

namespace diglim {
namespace {

constexpr std::string_view kTool = "diglim scan";

struct Options {
  std::string root = "/";
  scan::RunOptions run;
  std::string html;
  bool no_cache = false;
  bool json = false;
  bool all = false;
  bool quiet = false;
};

std::optional<int> read_options(int argc, char** argv, Options& options) {
  OptionParser app("Says which files here would be denied if DIGLIM enforced, and why. Changes nothing.",
                   argv[0]);
  app.add_option("ROOT", options.root, "directory of the system to look at (default: /, this one)");
  app.add_option("--below", options.run.find.below, "only in this directory of it; may be repeated")
      .one_value_each();
  app.add_option("--skip", options.run.find.skip, "not in this directory of it; may be repeated")
      .one_value_each();
  app.add_option("--keys", options.run.read.keys,
                 "directory of trusted keys (default: its /etc/diglim/keys)");
  app.add_flag("--rpm-keys", options.run.read.rpm_keys,
               "as if the keys of its rpm keyring were trusted, too");
  app.add_option("--dbpath", options.run.read.dbpath, "directory of the rpm database");
  app.add_option("--cache", options.run.cache,
                 "file that keeps the digests (default: diglim/scan.sqlite in /var/cache, "
                 "for users in ~/.cache)");
  app.add_flag("--no-cache", options.no_cache, "read every file");
  app.add_option("--threads", options.run.find.threads,
                 "how many files to read at a time (default: one a processor)");
  app.add_flag("--all", options.all, "name each file, not each package");
  app.add_flag("-q,--quiet", options.quiet, "no progress");
  const Option json = app.add_flag("--json", options.json, "print JSON: all of it");
  app.add_option("--html", options.html, "write a page to this file, and print the text").excludes(json);
  return app.parse(argc, argv);
}

// "usr/" and "/usr" are the same to users.
void make_absolute(std::vector<std::string>& folders) {
  for (std::string& folder : folders) {
    folder = std::filesystem::path("/" + folder).lexically_normal().string();
    while (folder.ends_with('/')) folder.pop_back();
  }
}

// Where they are, without a link. The first that is no directory, in which nothing would be found.
std::optional<std::string> resolve(const Host& host, std::vector<std::string>& folders) {
  known::LinkResolver links(host.path(""));
  for (std::string& folder : folders) {
    std::string real = links.resolve(folder + "/");
    struct stat info = {};
    if (stat(host.path(real).c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return folder;
    real.pop_back();
    folder = real;
  }
  return std::nullopt;
}

int fail(const std::string& message) {
  complain(kTool, message);
  return kExitEnvironment;
}

int run(Options& options) {
  struct stat info = {};
  if (stat(options.root.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
    return fail(escape(options.root) + " is no directory");
  make_absolute(options.run.find.below);
  make_absolute(options.run.find.skip);
  const Host host(options.root);
  if (const auto bad = resolve(host, options.run.find.below)) return fail(escape(*bad) + " is no directory");
  options.run.read.progress = !options.quiet;
  if (options.no_cache)
    options.run.cache.clear();
  else if (options.run.cache.empty())
    options.run.cache = scan::default_cache();
  auto result = scan::run(kTool, host, options.run);
  if (!result) return fail("the trusted keys cannot be read: " + result.error().message);
  scan::Report report = *std::move(result);
  report.root = options.root;
  if (!options.html.empty()) {
    const std::string page = scan::to_html(report);
    if (const auto written = write_output(options.html, as_bytes(page), 0644); !written)
      return fail(written.error().message);
  }
  fmt::print("{}", options.json ? scan::to_json(report) : advice_bold(scan::to_text(report, options.all)));
  return scan::exit_status(report);
}

}  // namespace

int run_scan(int argc, char** argv) {
  Options options;
  if (const auto status = read_options(argc, argv, options)) return *status;
  return run(options);
}

}  // namespace diglim
