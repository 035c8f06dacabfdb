// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/audit/metrics.h"

#include <fmt/format.h>

#include "lib/base/text.h"

namespace diglim::audit {
namespace {

using nlohmann::json;

constexpr std::string_view kModes[] = {"enforce", "monitor", "permissive", "measure", "inactive", "unknown"};

class Metrics {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    end_ = type == "counter" ? "_total" : "";
    text_ += fmt::format("# TYPE diglim_{} {}\n# HELP diglim_{} {}\n", name, type, name, help);
  }
  void sample(uint64_t value, std::string_view labels = "") {
    text_ += fmt::format("diglim_{}{}{}{}{} {}\n", name_, end_, labels.empty() ? "" : "{", labels,
                         labels.empty() ? "" : "}", value);
  }
  void seconds(uint64_t ns, std::string_view labels) {
    text_ += fmt::format("diglim_{}{}{{{}}} {}.{:09}\n", name_, end_, labels, ns / 1'000'000'000,
                         ns % 1'000'000'000);
  }
  void gauge(std::string_view name, std::string_view help, uint64_t value) {
    family(name, "gauge", help);
    sample(value);
  }
  void counter(std::string_view name, std::string_view help, uint64_t value) {
    family(name, "counter", help);
    sample(value);
  }
  std::string end() { return text_ + "# EOF\n"; }

 private:
  std::string name_;
  std::string_view end_;
  std::string text_;
};

std::string label(std::string_view name, std::string_view value) {
  return fmt::format("{}=\"{}\"", name, label_value(value));
}

void put_known(const Facts& facts, Metrics& out) {
  const json& status = facts.status;
  out.gauge("generation", "Publications of digest lists since the boot.", number(status, "generation"));
  out.gauge("generation_loaded_timestamp_seconds", "When the lists in force were published.",
            number(status, "loaded_at"));
  out.gauge("digests", "Digests that are known.", number(status, "digests"));
  out.gauge("table_bytes", "Kernel memory of the digest table.", number(status, "memory_bytes"));
  out.gauge("lists", "Digest lists in force.", count(status, "lists"));
  out.gauge("keys", "Trusted keys in force.", count(status, "keys"));
  out.gauge("unusable_keys", "Keys, and files of keys, whose signatures do not count.",
            count(status, "unusable_keys") + count(status, "left_out_keys"));
}

void put_monitor(const json& monitor, Metrics& out) {
  if (!monitor.is_object()) return;
  out.gauge("monitor_seconds_left",
            "Seconds in which what is unknown runs yet (diglim monitor); 0: it is denied.",
            number(monitor, "left"));
  out.counter("monitor_begun", "Times that monitor mode was begun.", number(monitor, "times"));
}

void put_decisions(const Facts& facts, Metrics& out) {
  const json& verdicts = member(facts.status, "verdicts");
  const json& decided = member(verdicts, "decided");
  if (decided.is_object()) {
    out.family("decisions", "counter",
               "Decisions where no stored verdict held; passed: not known, and not denied in this mode.");
    for (const auto& [kind, counts] : decided.items()) {
      for (const char* verdict : {"known", "denied", "passed"})
        out.sample(number(counts, verdict), label("kind", kind) + "," + label("verdict", verdict));
    }
  }
  out.counter("hashed_files", "Files that were hashed.", number(verdicts, "hashed"));
  out.counter("hashed_bytes", "Their bytes.", number(verdicts, "hashed_bytes"));
}

void put_events(const Facts& facts, Metrics& out) {
  const json& events = member(facts.status, "events");
  out.counter("denials", "What was denied, or in permissive mode would have been.", number(events, "denied"));
  out.counter("log_lines", "Denials with a line in the kernel log.", number(events, "logged"));
  out.family(
      "unlogged", "counter",
      "Denials without a line: the ring buffer was full, there were too many at once, or the kernel log "
      "took no line.");
  out.sample(number(events, "dropped"), label("cause", "ring_buffer"));
  out.sample(number(events, "not_logged"), label("cause", "rate_limit"));
  out.sample(number(events, "not_written"), label("cause", "log"));
  out.gauge("log_fault", "1: the keeper is gone, frozen, or cannot write the log.",
            text(events, "log_fault").empty() ? 0 : 1);
  out.counter("keeper_restarts", "Times that another keeper took the place of one that was gone.",
              number(events, "keeper_restarts"));
}

// "diglim_exec" -> "exec".
std::string hook_of(const json& program) {
  const std::string name = text(program, "name");
  return name.starts_with("diglim_") ? name.substr(7) : name;
}

void put_cost(const Facts& facts, Metrics& out) {
  const json& programs = member(facts.status, "programs");
  out.gauge("hook_statistics",
            "1: kernel.bpf_stats_enabled is 1; 0: hook_runs, hook_seconds and cache_hits are left out.",
            programs.is_array() ? 1 : 0);
  if (!programs.is_array()) return;
  out.family("hook_runs", "counter", "Runs of each BPF program while kernel.bpf_stats_enabled was 1.");
  for (const json& one : programs) out.sample(number(one, "runs"), label("hook", hook_of(one)));
  out.family("hook_seconds", "counter", "Time in these runs.");
  for (const json& one : programs) out.seconds(number(one, "ns"), label("hook", hook_of(one)));

  const json& exec = member(member(member(facts.status, "verdicts"), "decided"), "exec");
  const uint64_t decided = number(exec, "known") + number(exec, "denied") + number(exec, "passed");
  for (const json& one : programs) {
    const uint64_t runs = number(one, "runs");
    if (hook_of(one) != "exec") continue;
    if (!facts.bpf_stats_since_boot || runs < decided) continue;
    out.family("cache_hits", "counter",
               "Executions that a stored verdict allowed; only if the kernel's command line has "
               "sysctl.kernel.bpf_stats_enabled=1, so that each run since the boot was counted.");
    out.sample(runs - decided, label("kind", "exec"));
  }
}

void put_exceptions(const Facts& facts, Metrics& out) {
  if (!facts.exceptions_fault.empty()) return;
  const ExceptionCounts counts = count_exceptions(facts);
  out.gauge("exceptions", "Exceptions (diglim allow).", counts.all);
  out.family("exceptions_wanting", "gauge", "Exceptions that lack something, or are still there.");
  out.sample(counts.without_owner, label("what", "owner"));
  out.sample(counts.without_reason, label("what", "reason"));
  out.sample(counts.without_end, label("what", "end"));
  out.sample(counts.over, label("what", "removal"));
  out.sample(counts.damaged, label("what", "record"));
}

}  // namespace

std::string label_value(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    size_t length = static_cast<unsigned char>(c) < 0x80 ? 1 : utf8_length(text, at);
    if (c == '\n')
      out += "\\n";
    else if (c == '"' || c == '\\')
      out += {'\\', c};
    else if (length == 0 || (length == 1 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)))
      out += "\xEF\xBF\xBD";
    else
      out += text.substr(at, length);
    at += length == 0 ? 1 : length;
  }
  return out;
}

std::string openmetrics(const Facts& facts) {
  Metrics out;
  out.family("build", "gauge", "Always 1; the labels say what runs.");
  out.sample(1, label("version", facts.version) + "," + label("kernel", facts.kernel));
  out.family("mode", "gauge", "1 for the mode that DIGLIM is in.");
  for (const std::string_view mode : kModes) out.sample(mode == facts.mode ? 1 : 0, label("mode", mode));
  out.gauge("written_timestamp_seconds", "When this was written.", facts.clock.now);
  put_exceptions(facts, out);
  if (facts.is_active()) {
    put_known(facts, out);
    put_monitor(member(facts.status, "monitor"), out);
    put_decisions(facts, out);
    put_events(facts, out);
    put_cost(facts, out);
  }
  return out.end();
}

}  // namespace diglim::audit
