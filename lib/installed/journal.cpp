// SPDX-License-Identifier: Apache-2.0
#include "lib/installed/journal.h"

#include "lib/base/text.h"

namespace diglim {
namespace {

constexpr std::string_view kFirstLine = "diglim transaction 1";
constexpr std::string_view kDbpath = "dbpath ";
constexpr std::string_view kIncoming = "new ";
constexpr std::string_view kOutgoing = "old ";
constexpr size_t kMaxBytes = 64u << 20;

bool is_list_name(std::string_view name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string_view::npos;
}

}  // namespace

Result<std::optional<Journal>> read_journal(const Folder& state) {
  TRY_ASSIGN(const bool there, state.exists(kJournalName));
  if (!there) return std::optional<Journal>();
  TRY_ASSIGN(const Bytes bytes, state.read(kJournalName, kMaxBytes));
  std::string_view text = as_text(bytes);
  Journal journal;
  const auto bad = [&](size_t line) {
    return corrupt(0, escape(state.path()) + "/" + kJournalName + " line " + std::to_string(line) +
                          " is no line of a journal");
  };
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return bad(line);
    const std::string_view item = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line == 1) {
      if (item != kFirstLine) return bad(line);
    } else if (item.starts_with(kDbpath)) {
      journal.dbpath = item.substr(kDbpath.size());
    } else if (item.starts_with(kIncoming) && is_list_name(item.substr(kIncoming.size()))) {
      journal.incoming.emplace(item.substr(kIncoming.size()));
    } else if (item.starts_with(kOutgoing) && is_list_name(item.substr(kOutgoing.size()))) {
      journal.outgoing.emplace(item.substr(kOutgoing.size()));
    } else {
      return bad(line);
    }
  }
  return std::optional<Journal>(std::move(journal));
}

Result<void> write_journal(const Folder& state, const Journal& journal) {
  std::string text = std::string(kFirstLine) + "\n";
  // A path that one line cannot hold is looked for as for any other database.
  if (!journal.dbpath.empty() && journal.dbpath.find('\n') == std::string::npos)
    text += std::string(kDbpath) + journal.dbpath + "\n";
  for (const std::string& name : journal.incoming) text += std::string(kIncoming) + name + "\n";
  for (const std::string& name : journal.outgoing) text += std::string(kOutgoing) + name + "\n";
  return state.write(kJournalName, as_bytes(text));
}

Result<void> remove_journal(const Folder& state) {
  TRY(state.remove(kJournalName));
  return state.sync_entries();
}

}  // namespace diglim
