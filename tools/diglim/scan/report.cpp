// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/scan/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "lib/base/exit_status.h"
#include "lib/base/json.h"
#include "lib/base/text.h"
#include "tools/tool.h"

namespace diglim::scan {
namespace {

using known::Cause;

constexpr size_t kShownGroups = 12;
constexpr size_t kComponents = 3;

std::string folder_of(const std::string& path) {
  std::string folder = path.substr(0, path.rfind('/'));
  size_t at = 0;
  for (size_t i = 0; i < kComponents && at != std::string::npos; ++i) at = folder.find('/', at + 1);
  if (at != std::string::npos) folder.resize(at);
  return folder.empty() ? "/" : folder;
}

std::vector<Group> group(const Report& report, const std::function<bool(const Item&)>& wanted,
                         const std::function<std::string(const Item&)>& name) {
  std::map<std::string, Group> groups;
  for (const Item& item : report.denied) {
    if (!wanted(item)) continue;
    Group& one = groups[name(item)];
    if (one.count++ == 0) one.first = item.path;
  }
  std::vector<Group> all;
  for (auto& [key, one] : groups) {
    one.name = key;
    all.push_back(std::move(one));
  }
  std::stable_sort(all.begin(), all.end(), [](const Group& a, const Group& b) { return a.count > b.count; });
  return all;
}

bool has_packages(Cause cause) {
  return cause != Cause::kForeign && cause != Cause::kUnreadable && cause != Cause::kTooLarge;
}

void print_groups(std::string& out, const std::vector<Group>& groups) {
  for (size_t i = 0; i < groups.size() && i < kShownGroups; ++i) {
    const Group& one = groups[i];
    out += fmt::format("    {:>6}  {}{}\n", one.count, one.name.empty() ? "(no package)" : escape(one.name),
                       one.count == 1 ? ": " + escape(one.first) : ", such as " + escape(one.first));
  }
  if (groups.size() > kShownGroups)
    out += fmt::format("            and {} more (--all names each file)\n", groups.size() - kShownGroups);
}

void put_groups(JsonWriter& json, std::string_view key, const std::vector<Group>& groups) {
  json.key(key).begin_array();
  for (const Group& one : groups)
    json.begin_object().key("name").value(one.name).key("count").value(uint64_t{one.count}).end_object();
  json.end_array();
}

bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const size_t length = static_cast<uint8_t>(text[i]) < 0x80 ? 1 : utf8_length(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

}  // namespace

Report make_report(const known::System& system, Found found) {
  Report report;
  report.algo = system.algo;
  report.notes = system.notes;
  report.files = found.files.size();
  report.refused = std::move(found.refused);
  report.unreadable = std::move(found.unreadable);
  report.from_cache = found.from_cache;
  report.hashed_bytes = found.hashed_bytes;
  for (File& file : found.files) {
    known::Verdict verdict;
    if (file.error.empty() && file.digest.empty())
      verdict.cause = Cause::kTooLarge;
    else if (file.error.empty())
      verdict = known::judge(system, file.path, as_bytes(file.digest));
    else
      verdict.cause = Cause::kUnreadable;
    if (verdict.cause == Cause::kNone) {
      ++report.known;
      continue;
    }
    Item item{std::move(file.path), file.kind, verdict.cause, "", std::move(file.digest),
              std::move(file.error)};
    item.why = verdict.why;
    if (verdict.package) {
      item.package = system.packages[*verdict.package].nvra;
      const bool of_package =
          item.cause == Cause::kUntrusted || item.cause == Cause::kDamaged || item.cause == Cause::kRevoked;
      if (of_package && item.why.empty()) item.why = system.packages[*verdict.package].why;
    }
    report.denied.push_back(std::move(item));
  }
  return report;
}

size_t count_of(const Report& report, Cause cause) {
  if (cause == Cause::kFileSystem) return report.refused.size();
  return static_cast<size_t>(
      std::ranges::count_if(report.denied, [&](const Item& item) { return item.cause == cause; }));
}

std::vector<Group> by_package(const Report& report, Cause cause) {
  return group(
      report, [&](const Item& item) { return item.cause == cause; },
      [](const Item& item) { return item.package; });
}

std::vector<Group> by_directory(const Report& report, Cause cause) {
  return group(
      report, [&](const Item& item) { return item.cause == cause; },
      [](const Item& item) { return folder_of(item.path); });
}

std::vector<Group> by_directory(const Report& report) {
  return group(
      report, [](const Item&) { return true; }, [](const Item& item) { return folder_of(item.path); });
}

int exit_status(const Report& report) {
  const size_t unknown = count_of(report, Cause::kUnreadable);
  if (report.denied.size() > unknown || !report.refused.empty()) return kExitRejected;
  return unknown + report.unreadable.size() > 0 ? kExitEnvironment : kExitOk;
}

std::string to_text(const Report& report, bool all) {
  std::string out = fmt::format(
      "{}: {} files that can run, be mapped or loaded: {} known, {} would be denied\n", escape(report.root),
      report.files, report.known, report.denied.size() - count_of(report, Cause::kUnreadable));
  for (const std::string& note : report.notes) out += fmt::format("  note: {}\n", note);
  for (size_t i = 1; i < known::kCauses; ++i) {
    const auto cause = static_cast<Cause>(i);
    const size_t count = count_of(report, cause);
    if (count == 0) continue;
    out += fmt::format("\n{} {}\n", count, known::cause_words(cause).title);
    if (cause == Cause::kFileSystem) {
      for (const RefusedMount& mount : report.refused)
        out += fmt::format("    {}: {}\n", escape(mount.point), escape(mount.why));
    } else if (all) {
      for (const Item& item : report.denied) {
        if (item.cause == cause)
          out += fmt::format("    {}{}\n", escape(item.path),
                             item.package.empty() ? "" : "  " + escape(item.package));
      }
    } else {
      print_groups(out, has_packages(cause) ? by_package(report, cause) : by_directory(report, cause));
    }
    out += fmt::format("  to do: {}\n", known::cause_words(cause).next);
  }
  if (!report.unreadable.empty()) {
    out += fmt::format("\n{} directories cannot be read, so nobody knows what is in there\n",
                       report.unreadable.size());
    for (size_t i = 0; i < report.unreadable.size() && i < kShownGroups; ++i)
      out += fmt::format("    {}\n", report.unreadable[i]);
    out += "  to do: run this as root\n";
  }
  out += fmt::format("\n{:.1f} s, {} MiB read, {} files as an earlier scan found them\n", report.seconds,
                     report.hashed_bytes >> 20, report.from_cache);
  return out;
}

std::string to_json(const Report& report) {
  JsonWriter json;
  json.begin_object().key("root").value(report.root).key("algorithm").value(hash_name(report.algo));
  json.key("files").value(uint64_t{report.files}).key("known").value(uint64_t{report.known});
  json.key("from_cache").value(uint64_t{report.from_cache}).key("read_bytes").value(report.hashed_bytes);
  json.key("milliseconds").value(static_cast<uint64_t>(report.seconds * 1000)).key("notes").begin_array();
  for (const std::string& note : report.notes) json.value(note);
  json.end_array().key("causes").begin_array();
  for (size_t i = 1; i < known::kCauses; ++i) {
    const auto cause = static_cast<Cause>(i);
    if (count_of(report, cause) == 0) continue;
    const known::CauseWords& words = known::cause_words(cause);
    json.begin_object()
        .key("cause")
        .value(words.id)
        .key("title")
        .value(words.title)
        .key("next")
        .value(words.next);
    json.key("count").value(uint64_t{count_of(report, cause)});
    put_groups(json, "packages", by_package(report, cause));
    put_groups(json, "directories", by_directory(report, cause));
    json.end_object();
  }
  json.end_array().key("denied").begin_array();
  for (const Item& item : report.denied) {
    json.begin_object().key("path").value(item.path);
    // JSON has no way to say what is no UTF-8.
    if (!is_utf8(item.path)) json.key("path_hex").value(to_hex(as_bytes(item.path)));
    json.key("kind").value(kind_name(item.kind)).key("cause").value(known::cause_words(item.cause).id);
    json.key("package").value(item.package).key("digest").value(to_hex(as_bytes(item.digest)));
    json.key("why").value(item.why).end_object();
  }
  json.end_array().key("file_systems").begin_array();
  for (const RefusedMount& mount : report.refused)
    json.begin_object().key("path").value(mount.point).key("why").value(mount.why).end_object();
  json.end_array().key("unreadable_directories").begin_array();
  for (const std::string& folder : report.unreadable) json.value(folder);
  return json.end_array().end_object().text() + "\n";
}

}  // namespace diglim::scan
