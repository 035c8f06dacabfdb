// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/audit/facts.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "lib/base/exit_status.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "tools/diglim/host.h"
#include "tools/run_command.h"
#include "tools/tool.h"

namespace diglim::audit {
namespace {

using nlohmann::json;

// Set on the command line, it is so before the loader runs: then the kernel has counted each run.
constexpr std::string_view kStatsSinceBoot = "sysctl.kernel.bpf_stats_enabled";
constexpr uint64_t kYear = 366ull * 24 * 3600;
constexpr std::string_view kModes[] = {"enforce", "permissive", "measure"};

void ask_loader(const Source& source, Facts& facts) {
  facts.mode = "unknown";
  if (source.loader.empty() && !source.root.empty()) {
    facts.fault = "the kernel of another system cannot be asked";
    return;
  }
  if (source.loader.empty() && geteuid() != 0) {
    facts.fault = "only root may ask the kernel";
    return;
  }
  std::vector<std::string> loaders = {source.loader};
  if (source.loader.empty()) loaders = {kBootLoader, kInstalledLoader};
  facts.fault = "there is no diglim-loader that could be asked";
  for (const std::string& loader : loaders) {
    if (access(loader.c_str(), X_OK) != 0) continue;
    const auto done = run_command({loader, "status", "--json"}, Errors::kCapture);
    if (!done) {
      facts.fault = done.error().message;
      continue;
    }
    if (done->status != kExitOk) {
      facts.fault = escape(trim(done->output), 500);
      if (done->output.find("DIGLIM is not active") != std::string::npos) facts.mode = "inactive";
      continue;
    }
    facts.status = json::parse(done->output, nullptr, false);
    if (facts.status.is_object()) {
      facts.mode = mode_of(facts.status);
      facts.fault.clear();
      return;
    }
    facts.status = nullptr;
    facts.fault = "what diglim-loader status says cannot be read";
  }
}

void read_exceptions(const Source& source, Facts& facts) {
  const auto store = allow::Store::open(source.root, false);
  auto contents = store ? store->read() : Result<allow::Store::Contents>(store.error());
  if (!contents) {
    facts.exceptions_fault = contents.error().message;
    return;
  }
  facts.exceptions = std::move(contents->exceptions);
  facts.damaged = std::move(contents->damaged);
}

uint64_t boot_time(const Host& host) {
  const std::string stat = host.text("/proc/stat", 64u << 20).value_or("");
  const size_t at = stat.find("\nbtime ");
  return at == std::string::npos ? 0 : std::strtoull(stat.c_str() + at + 7, nullptr, 10);
}

}  // namespace

Facts read_facts(const Source& source) {
  const Host host(source.root.empty() ? "/" : source.root);
  Facts facts;
  facts.version = DIGLIM_VERSION;
  facts.kernel = host.release();
  facts.clock = allow::read_clock();
  facts.clock.boot_id = host.text("/proc/sys/kernel/random/boot_id", 100).value_or("");
  facts.booted_at = boot_time(host);
  facts.bpf_stats_since_boot = host.parameter(kStatsSinceBoot) == "1";
  ask_loader(source, facts);
  read_exceptions(source, facts);
  return facts;
}

const json& member(const json& from, std::string_view name) {
  static const json kNone;
  if (!from.is_object()) return kNone;
  const auto found = from.find(std::string(name));
  return found != from.end() ? *found : kNone;
}

uint64_t number(const json& from, std::string_view name) {
  const json& found = member(from, name);
  return found.is_number_unsigned() ? found.get<uint64_t>() : 0;
}

std::string text(const json& from, std::string_view name) {
  const json& found = member(from, name);
  return found.is_string() ? found.get<std::string>() : "";
}

bool truth(const json& from, std::string_view name) {
  const json& found = member(from, name);
  return found.is_boolean() && found.get<bool>();
}

uint64_t count(const json& from, std::string_view name) {
  const json& found = member(from, name);
  return found.is_array() ? found.size() : 0;
}

std::string mode_of(const json& status) {
  const std::string mode = text(status, "mode");
  if (std::ranges::count(kModes, mode) == 0) return "unknown";
  return mode == "enforce" && number(member(status, "monitor"), "left") > 0 ? "monitor" : mode;
}

uint64_t not_logged(const Facts& facts) {
  const json& events = member(facts.status, "events");
  return number(events, "not_logged") + number(events, "not_written") + number(events, "dropped");
}

ExceptionCounts count_exceptions(const Facts& facts) {
  ExceptionCounts counts;
  counts.all = facts.exceptions.size() + facts.damaged.size();
  counts.damaged = facts.damaged.size();
  for (const allow::Exception& one : facts.exceptions) {
    counts.without_owner += one.owner.empty() ? 1 : 0;
    counts.without_reason += one.reason.empty() ? 1 : 0;
    counts.without_end += one.end.until == 0 ? 1 : 0;
    const bool over = allow::is_over(one.end, facts.clock);
    counts.over += over ? 1 : 0;
    counts.old += facts.clock.now > kYear && one.made < facts.clock.now - kYear ? 1 : 0;
    if (!over && one.end.until > 0 && (counts.next_end == 0 || one.end.until < counts.next_end))
      counts.next_end = one.end.until;
  }
  return counts;
}

std::string iso_time(uint64_t seconds) {
  if (seconds == 0) return "";
  const auto when = static_cast<time_t>(seconds);
  tm parts = {};
  char text[40] = "";
  if (gmtime_r(&when, &parts) != nullptr) (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace diglim::audit
