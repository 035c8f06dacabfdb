// SPDX-License-Identifier: Apache-2.0
// `diglim setup watch`: one look, by diglim-watch.timer. What it prints is in the journal.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/base/paths.h"
#include "tools/diglim/setup/clean.h"
#include "tools/diglim/setup/journal_since.h"
#include "tools/diglim/setup/outlook.h"
#include "tools/diglim/setup/setup.h"
#include "tools/run_command.h"

namespace diglim::setup {
namespace {

std::optional<Look> ask_loader(const std::string& loader) {
  const std::string program = !loader.empty()                  ? loader
                              : access(kBootLoader, X_OK) == 0 ? kBootLoader
                                                               : kInstalledLoader;
  const auto done = run_command({program, "status", "--json"}, Errors::kHide);
  if (!done || done->status != 0) return std::nullopt;
  const auto look = read_look(done->output);
  return look ? std::optional(*look) : std::nullopt;
}

// The step of the installation that says what the next boot does; recorded like that one, so that uninstall
// undoes it.
Result<Report> switch_next_boot(RecordedHost& host, const CleanWatch& watch, std::string_view mode,
                                const Options& options) {
  if (!host.has_record()) return not_found("this host was not set up by diglim setup");
  Plan plan;
  plan.words = {fmt::format("rdinit={}", kInstalledLoader), fmt::format("diglim.mode={}", mode)};
  if (watch.lockdown) plan.words.emplace_back("lockdown=integrity");
  TRY_ASSIGN(Step step, plan_boot_loader(host, plan.words));
  plan.steps.push_back(std::move(step));
  return carry_out(host, plan, options);
}

// Nothing that enforcing needs may be missing, either: an unsigned package that nobody used meanwhile.
Result<std::string> first_objection(const RecordedHost& host, const CleanWatch& watch, Options options) {
  options.lockdown = watch.lockdown;
  TRY_ASSIGN(const Outlook outlook, look_ahead(host, Plan{}, options));
  return outlook.against.empty() ? std::string() : outlook.against.front();
}

Result<std::string> decide(RecordedHost& host, CleanWatch& watch, const std::string& path,
                           const Options& options) {
  if ((watch.switched || watch.switching) && !is_clean(watch)) {
    TRY_ASSIGN(const Report ignored, switch_next_boot(host, watch, "permissive", options));
    watch.switched = watch.switching = false;
    return "the next boot does not enforce after all: " + watch.set_back;
  }
  if (watch.switched || !is_clean(watch)) return describe(watch, "");
  TRY_ASSIGN(const std::string against, first_objection(host, watch, options));
  if (!against.empty()) {
    if (watch.switching) {
      TRY_ASSIGN(const Report ignored, switch_next_boot(host, watch, "permissive", options));
      watch.switching = false;
    }
    watch.set_back = against;
    watch.clean_seconds = std::min<uint64_t>(watch.clean_seconds, (watch.days - 1) * uint64_t{24 * 3600});
    return "it does not enforce: " + against;
  }
  // First: whatever ends this in between, the next look goes on with it or sets it back.
  watch.switching = true;
  TRY(save_watch(path, watch));
  TRY_ASSIGN(const Report ignored, switch_next_boot(host, watch, "enforce", options));
  watch.switching = false;
  watch.switched = true;
  return fmt::format("nothing would have been denied for {} days: DIGLIM enforces from the next boot on",
                     watch.days);
}

}  // namespace

Result<std::string> watch_once(RecordedHost& host, const Options& options) {
  const std::string path = host.view().path(kWatchPath);
  TRY_ASSIGN(auto watch, load_watch(path));
  if (!watch) return std::string("nothing to watch: diglim setup install --enforce-when-clean starts it");
  const auto look = ask_loader(options.loader);
  if (look && look->mode != "permissive") {
    if (unlink(path.c_str()) != 0) return from_errno("remove " + path, errno);
    return "DIGLIM is in the mode " + look->mode + ": nothing is watched any more";
  }
  const std::string root = host.view().is_live() ? "" : host.view().path("/");
  *watch = after_look(*watch, look, read_journal_since(root, watch->cursor));
  // First, so that no time is counted twice, whatever ends this.
  TRY(save_watch(path, *watch));
  TRY_ASSIGN(const std::string said, decide(host, *watch, path, options));
  TRY(save_watch(path, *watch));
  return said;
}

}  // namespace diglim::setup
