// SPDX-License-Identifier: Apache-2.0
#include "tools/events/event.h"

#include <fmt/format.h>
#include <syslog.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "lib/base/json.h"
#include "lib/events/event_id.h"
#include "lib/events/event_line.h"

namespace diglim::events {
namespace {

// As packaging/catalog explains them.
constexpr char kDenied[] = "c9f0b1f4a1a54a0fb5d1a6f07c5a0b61";
constexpr char kWouldDeny[] = "8a5f9a1e63d94b1b9a3b0c2c5d7e4f12";
constexpr char kAllowed[] = "5b7f6c1d2e0a4f6d8f3c9b1a7e2d4c83";
constexpr char kAttack[] = "e1d4a6b83c0f4e52a9b7d6c5f4a3b2d4";

constexpr int64_t kSecond = 1'000'000'000;

int64_t nanoseconds(clockid_t clock) {
  timespec now = {};
  (void)clock_gettime(clock, &now);  // cannot fail with these clocks
  return int64_t{now.tv_sec} * kSecond + now.tv_nsec;
}

std::string time_text(int64_t ns) {
  const auto seconds = static_cast<time_t>(ns / kSecond);
  tm parts = {};
  char text[32] = "?";
  if (gmtime_r(&seconds, &parts) != nullptr) (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:06}Z", text, ns % kSecond / 1000);
}

std::string_view verdict(const diglim_event& event) {
  if (event.reason == 0) return "allowed";
  return event.enforced != 0 ? "denied" : "would-deny";
}

std::string_view last_component(std::string_view& path) {
  const size_t slash = path.rfind('/');
  const std::string_view last = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
  path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
  return last;
}

bool is_below_kubepods(std::string_view parent) {
  return parent.starts_with("/kubepods") || parent.find("/kubepods/") != std::string_view::npos;
}

class Fields {
 public:
  void text(const char* name, std::string text) {
    if (!text.empty()) all.push_back({name, std::move(text), false});
  }
  void number(const char* name, uint64_t number) { all.push_back({name, std::to_string(number), true}); }
  std::vector<Field> all;
};

void put_file(const diglim_event& event, Fields& fields) {
  fields.text("path", event_path(event));
  fields.text("reason", event_why(event));
  fields.text("digest", event_digest(event));
  fields.number("generation", event.generation);
  fields.text("file_system", event_text(event.file_system));
  if (event.inode == 0) return;
  fields.number("inode", event.inode);
  fields.text("device", fmt::format("{}:{}", event.device >> 20, event.device & 0xfffff));
  if (event.mount != 0) fields.number("mount", event.mount);
}

void put_actor(const diglim_event& event, Fields& fields) {
  fields.number("pid", event.pid);
  fields.number("uid", event.uid);
  if (event.auid != DIGLIM_NOBODY) fields.number("auid", event.auid);
  if (event.session != DIGLIM_NOBODY) fields.number("session", event.session);
  fields.text("command", event_text(event.command));
  fields.text("exe", event_exe(event));
  fields.number("ppid", event.parent);
  fields.text("parent_command", event_text(event.parent_command));
  const std::string cgroup = event_cgroup(event);
  fields.text("cgroup", cgroup);
  fields.number("cgroup_id", event.cgroup);
  fields.text("unit", unit_of(cgroup));
  const bool is_inside = event.inner_pid != 0 && event.inner_pid != event.pid;
  std::string container = container_of(cgroup);
  if (container.empty() && is_inside) container = fmt::format("pid:[{}]", event.pid_namespace);
  fields.text("container", std::move(container));
  if (is_inside) fields.number("inner_pid", event.inner_pid);
  fields.number("pid_namespace", event.pid_namespace);
  fields.number("mount_namespace", event.mount_namespace);
}

}  // namespace

Clocks read_clocks() {
  return {nanoseconds(CLOCK_REALTIME), nanoseconds(CLOCK_BOOTTIME)};
}

std::string unit_of(std::string_view cgroup) {
  while (!cgroup.empty()) {
    const std::string_view last = last_component(cgroup);
    if (last.ends_with(".service") || last.ends_with(".scope")) return std::string(last);
  }
  return {};
}

std::string container_of(std::string_view cgroup) {
  constexpr std::array<std::string_view, 7> kPrefixes = {
      "libpod-", "docker-", "crio-", "cri-containerd-", "machine-", "lxc.payload.", "systemd-nspawn@"};
  std::string_view below;
  while (!cgroup.empty()) {
    std::string_view last = last_component(cgroup);
    // Where the runtime itself makes the cgroups: docker/ID, kubepods/burstable/podUID/ID.
    const bool is_parent = last == "docker" || (last.starts_with("pod") && is_below_kubepods(cgroup));
    if (is_parent && !below.empty()) return std::string(below);
    below = last;
    for (const std::string_view prefix : kPrefixes) {
      if (!last.starts_with(prefix)) continue;
      last.remove_prefix(prefix.size());
      if (last.starts_with("conmon-")) break;  // the program that watches the container
      const bool is_service = last.ends_with(".service");
      if (is_service != (prefix == "systemd-nspawn@") || last.ends_with(".slice"))
        break;  // docker-gc.service
      return std::string(last.substr(0, last.size() - (is_service ? 8 : last.ends_with(".scope") ? 6 : 0)));
    }
  }
  return {};
}

Event describe(const EventRecord& record, std::string_view boot, const Clocks& clocks) {
  const diglim_event& raw = record.event;
  const std::string_view short_boot = boot.substr(0, 8);
  Event event;
  event.id = event_id(short_boot, raw.number);
  event.line = event_line(raw, short_boot);
  event.priority = raw.reason == 0 ? LOG_INFO : raw.enforced != 0 ? LOG_ERR : LOG_WARNING;
  event.message_id = raw.reason == 0                 ? kAllowed
                     : raw.kind == DIGLIM_KIND_GUARD ? kAttack
                     : raw.enforced != 0             ? kDenied
                                                     : kWouldDeny;
  event.lost = raw.dropped + raw.dropped_allowed + record.log.unsent;
  Fields fields;
  fields.text("event", event.id);
  fields.text("time", time_text(clocks.real_ns - (clocks.boot_ns - static_cast<int64_t>(raw.time))));
  fields.number("boottime_ns", raw.time);
  fields.text("boot", std::string(boot));
  fields.number("number", raw.number);
  fields.text("verdict", std::string(verdict(raw)));
  fields.text("kind", event_what(raw));
  fields.text("use", event_use(raw));
  put_file(raw, fields);
  put_actor(raw, fields);
  event.fields = std::move(fields.all);
  return event;
}

std::string json_line(const Event& event, uint64_t lost) {
  std::string line = "{";
  for (const Field& field : event.fields) {
    if (line.size() > 1) line += ',';
    line += json_string(field.name) + ':' + (field.is_number ? field.text : json_string(field.text));
  }
  if (lost > 0) line += ",\"lost\":" + std::to_string(lost);
  return line + "}\n";
}

}  // namespace diglim::events
