// SPDX-License-Identifier: Apache-2.0
// The verb `status`.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <iterator>
#include <string>

#include "lib/base/json.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "lib/digest_list/signed_grant.h"
#include "lib/trust/trust_store.h"
#include "loader/keeper.h"
#include "loader/kernel/lease.h"
#include "loader/kernel/maps.h"
#include "loader/options.h"
#include "loader/status_counters.h"
#include "loader/verbs.h"
#include "policy/config.h"

namespace diglim {
namespace {

constexpr char kHelp[] =
    "Usage: diglim-loader status [--lists | --json]\n\n"
    "Shows what is in force: mode, generation, digests, lists, keys, events, memory. Of the lists it names\n"
    "those that belong to no package, and those that give nothing.\n\n"
    "  --lists     name each list\n"
    "  --json      one JSON object in place of the text, with each list\n"
    "  -h, --help  show this\n\n"
    "Exit status: 0 active, 2 usage, 3 DIGLIM is not active or this process may not ask.\n";

struct Status {
  KernelState state;
  Generation generation;
  std::vector<std::string> keys;
  std::vector<TrustedKey> fingerprints;
  std::vector<std::string> unusable_keys;
  std::vector<std::string> left_out_keys;  // files, and why
  uint64_t table_bytes = 0;
  std::string not_logged;
  Denials denials;
  std::vector<std::pair<std::string, std::string>> granted;  // fingerprint, and by whom
  Lease::Holder keeper;
  uint64_t boot_seconds = 0;  // CLOCK_BOOTTIME
  uint64_t monitor_left = 0;  // seconds, rounded up; 0: it is not on
};

// Waits until the keeper has written, or not, what was denied before we asked; not for a keeper that is gone.
Result<Lease::Holder> wait_for_log(KernelState& state) {
  constexpr int kTries = DIGLIM_LEASE_NS / 50'000'000 + 20;
  const uint64_t denied = state.counters.denied;
  TRY_ASSIGN(const Lease lease, Lease::open());
  for (int i = 0;; ++i) {
    TRY_ASSIGN(const Lease::Holder keeper, lease.ask());
    if (keeper.has_run_out()) ensure_keeper();  // it may have gone silent only now
    if (i == kTries || keeper.has_run_out() || accounted(state) >= denied) return keeper;
    (void)usleep(50'000);
    TRY_ASSIGN(state, read_state());
  }
}

Result<Status> collect() {
  TRY_ASSIGN(const Fd generations, find_map(kGenerationsMap));
  TRY_ASSIGN(const Fd keys, find_map(kKeysMap));
  TRY_ASSIGN(const Bytes blob, read_keys_map(keys));
  TRY_ASSIGN(TrustStore trust, TrustStore::from_blob(blob));
  Fd map;
  TRY_ASSIGN(auto generation, read_generation(generations, &map));
  if (!generation) return not_found(std::string(kNotActive));
  TRY_ASSIGN(Denials denials, Denials::from_blob(generation->denials()));
  for (const SignedDenyList& list : denials.lists()) TRY(trust.deny(list));
  TRY_ASSIGN(const auto grants, grants_from_blob(generation->grants()));
  std::vector<std::pair<std::string, std::string>> granted;
  for (const Grant& grant : grants) {
    TRY(trust.grant(grant.keys));
    TRY_ASSIGN(const auto file, TrustStore::keys_of_file(grant.keys));
    for (const TrustedKey& key : file.keys) granted.emplace_back(key.fingerprint, grant.signer);
  }
  TRY_ASSIGN(KernelState state, read_state());
  TRY_ASSIGN(const Lease::Holder keeper, wait_for_log(state));
  TRY_ASSIGN(const uint64_t bytes, map_memory(map));
  TRY_ASSIGN(auto fingerprints, trust.trusted_keys());
  constexpr uint64_t kSecond_ns = 1'000'000'000;
  const uint64_t left_ns = keeper.monitor_until > keeper.boot_ns ? keeper.monitor_until - keeper.boot_ns : 0;
  return Status{state,
                std::move(*generation),
                trust.describe(),
                std::move(fingerprints),
                trust.unusable(),
                trust.left_out(),
                bytes,
                not_logged_text(keeper, state),
                std::move(denials),
                std::move(granted),
                keeper,
                keeper.boot_ns / kSecond_ns,
                (left_ns + kSecond_ns - 1) / kSecond_ns};
}

uint64_t left_out(const Generation& generation) {
  uint64_t sum = 0;
  for (const LoadedList& list : generation.lists()) sum += list.left_out;
  return sum;
}

std::string time_text(uint64_t seconds) {
  const auto when = static_cast<time_t>(seconds);
  tm parts = {};
  char text[32] = "?";
  if (gmtime_r(&when, &parts) != nullptr) (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

std::string_view mode_text(const KernelState& state) {
  return mode_name(static_cast<Mode>(state.mode));
}

// By enum diglim_kind; the first: what was allowed.
constexpr const char* kKinds[] = {"allowed", "exec",        "mmap",        "mprotect",
                                  "write",   "kernel_read", "kernel_load", "guard"};
static_assert(std::size(kKinds) == std::size(diglim_counters{}.dropped));

std::string dropped_text(const diglim_counters& counters) {
  std::string text;
  for (size_t kind = 0; kind < std::size(kKinds); ++kind) {
    if (counters.dropped[kind] == 0) continue;
    text += (text.empty() ? " (" : ", ") + std::string(kKinds[kind]) + " " +
            std::to_string(counters.dropped[kind]);
  }
  return text.empty() ? text : text + ")";
}

std::string_view monitor_text(diglim_monitor monitor) {
  switch (monitor) {
    case DIGLIM_MONITOR_SIGNED:
      return "signed";
    case DIGLIM_MONITOR_ROOT:
      return "root";
    default:
      return "off";
  }
}

void print_monitor(JsonWriter& json, const Status& status) {
  const Generation::Monitor monitor = status.generation.monitor();
  json.key("monitor").begin_object();
  json.key("allowed").value(monitor_text(status.state.monitor));
  json.key("left").value(status.monitor_left);
  json.key("reason").value(monitor.reason);
  json.key("times").value(uint64_t{monitor.count});
  // What a statement has to name.
  json.key("boot").value(status.state.boot_id);
  json.key("boot_seconds").value(status.boot_seconds);
  json.end_object();
}

void print_json(const Status& status) {
  const Generation& generation = status.generation;
  JsonWriter json;
  json.begin_object();
  json.key("mode").value(mode_text(status.state));
  json.key("measure").value(status.state.measures);
  json.key("measuring").value(status.state.measuring);
  print_monitor(json, status);
  json.key("generation").value(generation.number());
  json.key("loaded_at").value(generation.loaded_at());
  json.key("algorithm").value(hash_name(generation.algo()));
  json.key("digests").value(uint64_t{generation.distinct_digests()});
  json.key("left_out").value(left_out(generation));
  json.key("memory_bytes").value(status.table_bytes);
  json.key("lists").begin_array();
  for (const LoadedList& list : generation.lists()) {
    json.begin_object();
    json.key("name").value(list.name);
    json.key("digests").value(uint64_t{list.digests});
    json.key("left_out").value(uint64_t{list.left_out});
    json.key("signer").value(list.signer);
    json.key("sha256").value(to_hex(list.content_hash));
    json.key("exception").value(list.name.starts_with(kExceptionPrefix));
    json.end_object();
  }
  json.end_array();
  json.key("keys").begin_array();
  for (const std::string& key : status.keys) json.value(key);
  json.end_array();
  json.key("fingerprints").begin_array();
  for (const TrustedKey& key : status.fingerprints) json.value(key.fingerprint);
  json.end_array();
  json.key("unusable_keys").begin_array();
  for (const std::string& key : status.unusable_keys) json.value(key);
  json.end_array();
  json.key("left_out_keys").begin_array();
  for (const std::string& file : status.left_out_keys) json.value(file);
  json.end_array();
  json.key("deny_lists").begin_array();
  for (const SignedDenyList& one : status.denials.lists()) {
    json.begin_object().key("name").value(one.list.name).key("serial").value(one.list.serial);
    json.key("entries").value(uint64_t{one.list.denials.size()}).key("signer").value(one.signer);
    json.key("sha256").value(to_hex(one.content_hash)).end_object();
  }
  json.end_array();
  json.key("granted_keys").begin_array();
  for (const auto& [key, signer] : status.granted)
    json.begin_object().key("fingerprint").value(key).key("signer").value(signer).end_object();
  json.end_array();
  json.key("events").begin_object();
  json.key("denied").value(uint64_t{status.state.counters.denied});
  json.key("dropped").value(uint64_t{status.state.counters.dropped_events});
  json.key("logged").value(uint64_t{status.state.log.logged});
  json.key("not_logged").value(uint64_t{status.state.log.not_logged});
  json.key("not_written").value(uint64_t{status.state.log.not_written});
  json.key("log_fault").value(status.not_logged);
  json.key("keeper_restarts").value(uint64_t{status.state.log.restarts});
  json.key("keeper_age_ms").value(status.keeper.age_ns / 1'000'000);
  json.key("waiting").value(waiting(status.state));
  json.key("dropped_of").begin_object();
  for (size_t kind = 0; kind < std::size(kKinds); ++kind)
    json.key(kKinds[kind]).value(uint64_t{status.state.counters.dropped[kind]});
  json.end_object();
  json.key("reader").value(status.state.log.reader != 0);
  json.key("sent").value(uint64_t{status.state.log.sent});
  json.key("kept").value(uint64_t{status.state.log.kept});
  json.key("unsent").value(uint64_t{status.state.log.unsent});
  json.end_object();
  put_counters(json, status.state.counters);
  json.end_object();
  printf("%s\n", json.text().c_str());
}

constexpr size_t kNamedLists = 20;

bool is_exception(const LoadedList& list) {
  return list.name.starts_with(kExceptionPrefix);
}

void print_list(const LoadedList& list) {
  printf("  %s: %u digests%s, signed by %s%s%s\n", escape(list.name).c_str(), list.digests,
         list.left_out > 0 ? (", " + std::to_string(list.left_out) + " left out").c_str() : "",
         std::string(list.signer).c_str(), is_exception(list) ? "; an exception (diglim allow list)" : "",
         list.digests == 0 ? "; gives nothing" : "");
}

// A host has a list for each package, thousands. What its admin made himself, and what is of no use, is what
// he looks for.
void print_lists(const Generation& generation, bool all) {
  printf("lists:      %zu\n", generation.lists().size());
  size_t own = 0;
  size_t idle = 0;
  size_t exceptions = 0;
  for (const LoadedList& list : generation.lists()) {
    const bool is_own = list.package.empty();
    own += is_own ? 1 : 0;
    exceptions += is_exception(list) ? 1 : 0;
    idle += list.digests == 0 ? 1 : 0;
    const bool named = (is_own && own <= kNamedLists) || (list.digests == 0 && idle <= kNamedLists);
    if (all || named) print_list(list);
  }
  if (all) return;
  printf("  %zu of no package%s, %zu of these exceptions, %zu give nothing%s; --lists names all\n", own,
         own > kNamedLists ? ", of which 20 are named" : "", exceptions, idle,
         idle > kNamedLists ? ", of which 20 are named" : "");
}

void print_text(const Status& status, bool all_lists) {
  const Generation& generation = status.generation;
  const diglim_counters& counters = status.state.counters;
  printf("mode:       %s%s\n", std::string(mode_text(status.state)).c_str(),
         status.state.measures && !status.state.measuring
             ? ", measuring has not begun (no policy of SELinux yet)"
         : status.state.measures && status.state.mode != DIGLIM_MODE_MEASURE ? ", measuring"
                                                                             : "");
  if (const Generation::Monitor monitor = generation.monitor(); monitor.count > 0) {
    printf("monitor:    %s, because: %s; number %u in this boot\n",
           status.monitor_left > 0 ? ("what is unknown runs until " +
                                      time_text(static_cast<uint64_t>(time(nullptr)) + status.monitor_left) +
                                      " (" + std::to_string(status.monitor_left) + " s)")
                                         .c_str()
                                   : "over",
           monitor.reason.c_str(), monitor.count);
  }
  printf("generation: %llu, loaded %s\n", static_cast<unsigned long long>(generation.number()),
         time_text(generation.loaded_at()).c_str());
  printf("digests:    %zu (%s)\n", generation.distinct_digests(),
         std::string(hash_name(generation.algo())).c_str());
  if (const uint64_t out = left_out(generation)) {
    printf("left out:   %llu files whose digests are of another algorithm, or missing: they stay unknown\n",
           static_cast<unsigned long long>(out));
  }
  printf("memory:     %llu bytes for the table\n", static_cast<unsigned long long>(status.table_bytes));
  const diglim_log_counters& log = status.state.log;
  printf("denied:     %llu%s; %llu lines in the log, %llu denials not logged, %llu events lost%s\n",
         static_cast<unsigned long long>(counters.denied),
         status.state.mode == DIGLIM_MODE_PERMISSIVE ? " would have been" : "",
         static_cast<unsigned long long>(log.logged),
         static_cast<unsigned long long>(log.not_logged + log.not_written),
         static_cast<unsigned long long>(counters.dropped_events), dropped_text(counters).c_str());
  if (!status.not_logged.empty()) printf("log:        %s\n", status.not_logged.c_str());
  printf("keeper:     was there %llu ms ago; %llu denials wait for it",
         static_cast<unsigned long long>(status.keeper.age_ns / 1'000'000),
         static_cast<unsigned long long>(waiting(status.state)));
  if (log.restarts > 0)
    printf("; was gone and started again, %llu times", static_cast<unsigned long long>(log.restarts));
  printf("\noutlets:    %s; %llu events given to it, %llu kept, %llu lost\n",
         log.reader != 0 ? "diglim-events reads" : "nobody reads (diglim-events.service)",
         static_cast<unsigned long long>(log.sent), static_cast<unsigned long long>(log.kept),
         static_cast<unsigned long long>(log.unsent));
  printf("hashed:     %llu files\n", static_cast<unsigned long long>(counters.hashed));
  printf("keys:       %zu\n", status.keys.size());
  for (const std::string& key : status.keys) printf("  %s\n", key.c_str());
  for (const std::string& key : status.unusable_keys) printf("  unusable: %s\n", key.c_str());
  for (const std::string& file : status.left_out_keys) printf("  left out: %s\n", file.c_str());
  for (const auto& [key, signer] : status.granted)
    printf("  granted: %s, by %s\n", key.c_str(), signer.c_str());
  if (!status.denials.lists().empty())
    printf("revoked:    by %zu deny lists, until the next boot whatever becomes of their files\n",
           status.denials.lists().size());
  for (const SignedDenyList& one : status.denials.lists()) {
    printf("  %s, serial %llu: %zu entries, signed by %s\n", one.list.name.c_str(),
           static_cast<unsigned long long>(one.list.serial), one.list.denials.size(), one.signer.c_str());
  }
  print_lists(generation, all_lists);
}

}  // namespace

int run_status(int argc, char** argv) {
  const CommandLine line =
      parse_command_line(argc, argv, {kHelp, nullptr, {{"json", false}, {"lists", false}}});
  if (line.exit >= 0) return line.exit;
  const auto status = collect();
  if (!status) {
    (void)fprintf(stderr, "diglim-loader status: %s\n", status.error().message.c_str());
    return kExitEnvironment;
  }
  const auto given = [&](std::string_view name) {
    return std::ranges::any_of(line.options, [&](const auto& option) { return option.first == name; });
  };
  if (given("json"))
    print_json(*status);
  else
    print_text(*status, given("lists"));
  return kExitOk;
}

}  // namespace diglim
