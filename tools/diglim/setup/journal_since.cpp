// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/setup/journal_since.h"

#include <systemd/sd-journal.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include "lib/base/owned.h"
#include "tools/diglim/explain/log.h"

namespace diglim::setup {
namespace {

using JournalPtr = Owned<sd_journal, sd_journal_close>;

JournalPtr open_journal(const std::string& root) {
  sd_journal* opened = nullptr;
  const int status = root.empty() ? sd_journal_open(&opened, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM)
                                  : sd_journal_open_directory(&opened, root.c_str(), SD_JOURNAL_OS_ROOT);
  JournalPtr journal(opened);
  // The kernel's and the keeper's, who writes through it: everybody may send lines to syslog.
  if (status < 0 || sd_journal_add_match(journal.get(), "_TRANSPORT=kernel", 0) < 0) return JournalPtr();
  return journal;
}

// The value of a field of the current entry.
std::optional<std::string> field(sd_journal* journal, const char* name) {
  const void* data = nullptr;
  size_t size = 0;
  if (sd_journal_get_data(journal, name, &data, &size) < 0) return std::nullopt;
  const std::string_view text(static_cast<const char*>(data), size);
  return std::string(text.substr(text.find('=') + 1));
}

std::string cursor_of(sd_journal* journal) {
  char* text = nullptr;
  if (sd_journal_get_cursor(journal, &text) < 0) return {};
  const std::unique_ptr<char, decltype(&std::free)> owned(text, std::free);
  return text;
}

uint64_t count_of(const explain::Log& log) {
  uint64_t sum = log.denials.size();
  for (const auto* some : {&log.not_understood, &log.not_logged})
    for (const explain::LeftOut& one : *some) sum += one.denials;
  return sum;
}

}  // namespace

JournalSince read_journal_since(const std::string& root, const std::string& cursor) {
  const JournalPtr journal = open_journal(root);
  sd_journal* const at = journal.get();
  if (at == nullptr || sd_journal_seek_tail(at) < 0 || sd_journal_previous(at) <= 0)
    return {"there is no journal of the kernel's messages, so nothing is proved", 0, ""};
  JournalSince since;
  since.cursor = cursor_of(at);
  if (cursor.empty()) return since;
  if (sd_journal_seek_cursor(at, cursor.c_str()) < 0 || sd_journal_next(at) <= 0 ||
      sd_journal_test_cursor(at, cursor.c_str()) <= 0) {
    since.fault =
        "the journal does not go back to the last look (is it kept over boots? journald.conf(5), Storage=)";
    return since;
  }
  explain::Log log;
  int status = 0;
  while ((status = sd_journal_next(at)) > 0) {
    since.cursor = cursor_of(at);
    if (field(at, "SYSLOG_IDENTIFIER") != "diglim") continue;
    if (const auto message = field(at, "MESSAGE")) explain::add_message(log, *message, 0);
  }
  since.denials = count_of(log);
  if (status < 0) since.fault = std::string("the journal is damaged: ") + std::strerror(-status);
  return since;
}

}  // namespace diglim::setup
