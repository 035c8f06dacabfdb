// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lib/base/text.h"
#include "tools/diglim/audit/evidence.h"

namespace diglim::audit {
namespace {

std::string plain(const Document& value) {
  return escape(value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
}

// Whatever the document has there, on one line; "" for nothing.
std::string say(const Document& from, std::string_view name) {
  if (!from.is_object() || !from.contains(std::string(name))) return "";
  const Document& found = from.at(std::string(name));
  if (found.is_string()) return escape(found.get<std::string>());
  if (found.is_null()) return "";
  if (found.is_array()) {
    std::string all;
    for (const Document& one : found)
      all += (all.empty() ? "" : " ") + (one.is_string() ? escape(one.get<std::string>()) : plain(one));
    return all;
  }
  return plain(found);
}

std::string when(const Document& from, std::string_view name) {
  const bool is_time =
      from.is_object() && from.contains(std::string(name)) && from.at(std::string(name)).is_number_unsigned();
  const std::string time = is_time ? iso_time(from.at(std::string(name)).get<uint64_t>()) : "";
  return time.empty() ? "never" : time;
}

const Document& part(const Document& from, std::string_view name) {
  static const Document kNone = Document::object();
  return from.is_object() && from.contains(std::string(name)) ? from.at(std::string(name)) : kNone;
}

bool is_true(const Document& from, std::string_view name) {
  return say(from, name) == "true";
}

class Text {
 public:
  void line(std::string_view label, const std::string& value) {
    if (!value.empty()) text_ += fmt::format("{:<14}{}\n", label, value);
  }
  void item(const std::string& value) { text_ += "  " + value + "\n"; }
  void head(std::string_view label, const Document& items) {
    text_ += fmt::format("\n{} ({})\n", label, items.is_array() ? items.size() : 0);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void put_keys(const Document& document, Text& out) {
  out.head("Keys", part(document, "keys"));
  for (const Document& key : part(document, "keys")) {
    const std::string unusable = say(key, "unusable");
    out.item(fmt::format("{} {}{}{}", say(key, "fingerprint"), say(key, "who"),
                         is_true(key, "in_force") ? "" : ", not in force",
                         unusable.empty() ? "" : ", unusable: " + unusable));
    out.item(fmt::format("  {}, changed {}", say(key, "origin"), when(key, "changed")));
  }
}

void put_deny_lists(const Document& document, Text& out) {
  out.head("Revoked", part(document, "deny_lists"));
  for (const Document& one : part(document, "deny_lists"))
    out.item(fmt::format("{}, serial {}, entries: {}, signed by {}", say(one, "name"), say(one, "serial"),
                         say(one, "entries"), say(one, "signer")));
}

void put_exceptions(const Document& document, Text& out) {
  out.head("Exceptions", part(document, "exceptions"));
  for (const Document& one : part(document, "exceptions")) {
    const std::string until = when(one, "until");
    out.item(fmt::format("{} {}{}", say(one, "list"), until == "never" ? "without an end" : "until " + until,
                         is_true(one, "over") ? " (over)" : ""));
    out.item(fmt::format("  owner: {}; reason: {}; made {} by {}", say(one, "owner"), say(one, "reason"),
                         when(one, "made"), say(one, "by")));
    out.item("  " + say(one, "paths"));
  }
  for (const Document& one : part(document, "damaged_exceptions"))
    out.item("its record is missing or damaged: " + (one.is_string() ? escape(one.get<std::string>()) : ""));
}

void put_denials(const Document& denials, Text& out) {
  out.head("Denials, by reason and package", part(denials, "groups"));
  out.item(fmt::format("{} since {} in {}{}", say(denials, "count"), when(denials, "since"),
                       say(denials, "source"),
                       is_true(denials, "incomplete") ? "; some are missing there" : ""));
  for (const Document& group : part(denials, "groups")) {
    const std::string package = say(group, "package");
    out.item(fmt::format("{:>7}, files: {}, {}: {}", say(group, "denials"), say(group, "files"),
                         package.empty() ? "of no installed package"
                         : is_true(group, "package_came_later")
                             ? package + ", which came later; of which one then, is not known"
                             : package,
                         say(group, "reason")));
  }
}

}  // namespace

std::string evidence_text(const Document& document) {
  Text out;
  const Document& host = part(document, "host");
  const Document& mode = part(document, "mode");
  const Document& lists = part(document, "lists");
  const Document& events = part(document, "events");
  const Document& tpm = part(document, "tpm");
  out.line("DIGLIM", say(document, "version") + ", evidence of " + when(document, "made"));
  out.line("host",
           fmt::format("{}, {}, kernel {}", say(host, "name"), say(host, "system"), say(host, "kernel")));
  out.line("boot", fmt::format("{} since {}", say(host, "boot_id"), when(host, "booted")));
  out.line("command line", say(host, "command_line"));
  out.line("mode", fmt::format("{} since {}", say(mode, "name"), when(mode, "since")));
  out.line("", say(mode, "fault"));
  if (const Document& monitor = part(document, "monitor"); !monitor.empty())
    out.line("monitor mode", fmt::format("{} s left, {} times in this boot; it may be begun by: {}{}{}",
                                         say(monitor, "left"), say(monitor, "times"), say(monitor, "allowed"),
                                         say(monitor, "reason").empty() ? "" : "; the last because: ",
                                         say(monitor, "reason")));
  const Document& generation = part(document, "generation");
  if (!generation.empty())
    out.line("known", fmt::format("{} digests, generation {} of {}", say(generation, "digests"),
                                  say(generation, "number"), when(generation, "loaded")));
  out.line("lists", fmt::format("{} files, the newest {} of {}", say(lists, "files"), say(lists, "newest"),
                                when(lists, "newest_changed")));
  for (const Document& one : part(lists, "by_signer"))
    out.line("", fmt::format("{} signed by {}", say(one, "lists"), say(one, "signer")));
  if (!events.empty())
    out.line("events", fmt::format("{} denied, {} logged, {} not logged, {} not written, {} dropped",
                                   say(events, "denied"), say(events, "logged"), say(events, "not_logged"),
                                   say(events, "not_written"), say(events, "dropped")));
  out.line("", say(events, "log_fault"));
  if (!tpm.empty())
    out.line("TPM", fmt::format("PCR {} ({}) {}", say(tpm, "pcr"), say(tpm, "bank"), say(tpm, "value")));
  const Document& changed = part(document, "changed");
  for (const char* what : {"configuration", "keys", "lists", "loader", "setup"})
    out.line(what == std::string_view("configuration") ? "last changes" : "",
             fmt::format("{}: {}", what, when(changed, what)));
  put_keys(document, out);
  put_deny_lists(document, out);
  put_exceptions(document, out);
  put_denials(part(document, "denials"), out);
  out.head("Findings of diglim doctor", part(document, "doctor"));
  for (const Document& one : part(document, "doctor")) {
    out.item(fmt::format("{:<7} {}: {}", say(one, "level"), say(one, "id"), say(one, "what")));
    if (const std::string next = say(one, "next"); !next.empty()) out.item("        to do: " + next);
  }
  return out.text();
}

}  // namespace diglim::audit
