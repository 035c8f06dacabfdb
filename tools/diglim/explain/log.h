// SPDX-License-Identifier: Apache-2.0
// The denials in the log of this machine.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/events/denial.h"

namespace diglim::explain {

// Where the process ran, unescaped. Only whole events (diglim-events(8)) say it; what cgroups are called,
// others than root choose, too.
struct Where {
  std::string unit, container, cgroup;  // each may be empty
};

struct LoggedDenial {
  Denial denial;
  uint64_t time_us = 0;  // since 1970; 0: the line does not say
  Where where = {};
};

struct LeftOut {
  uint64_t denials = 0;
  uint64_t time_us = 0;  // as above
};

struct Log {
  std::vector<LoggedDenial> denials;    // oldest first
  std::string source;                   // "the journal", "the kernel's buffer", a file; for people
  std::vector<LeftOut> not_understood;  // cut, of another version, or no line of DIGLIM's at all
  std::vector<LeftOut> not_logged;      // DIGLIM itself says that it wrote no line of these
  bool full = false;                    // there may be older ones
  std::string complaint;                // what kept it from reading more, printable; or empty
};

// Waits until what was denied before is where read_log("") looks: the keeper writes it a moment later, and
// journald reads that when it gets to it, for which this waits 10 s at most. For who may ask them, which is
// root; others get what there is.
void settle_log();

// The newest `most` denials. `file`: a saved log, or whole events as JSON lines; "-" is standard input;
// empty: the journal, all boots, and what the kernel alone sent to it; where there is no journal, the
// kernel's own buffer.
Log read_log(const std::string& file, size_t most);

// The denial with this id (lib/events/event_id.h), or null.
const LoggedDenial* find_event(const Log& log, std::string_view id);

// One entry of each source is added to the log, if it is about denials; what others can write is not.
void add_message(Log& log, std::string_view message, uint64_t time_us);  // of the journal: without "diglim: "
void add_record(Log& log, std::string_view record, uint64_t boot_us);    // of /dev/kmsg; when the boot was
void add_line(Log& log, std::string_view line);                          // of a saved log
// A line of JSON that diglim-events wrote, with what it says of events that are missing. False: it is none.
bool add_event(Log& log, std::string_view line);

// The denial with this id, if diglim-events.service wrote it into this machine's journal: it says where, and
// is there also if the kernel's log has no line of it because there were too many at once.
std::optional<LoggedDenial> find_whole_event(const std::string& id);
// The same of the fields of one entry, by name ("DIGLIM_PATH"). Pure.
using JournalField = std::pair<std::string, std::string>;
std::optional<LoggedDenial> read_fields(const std::vector<JournalField>& fields);

// `field`: what an event's field ("unit") has, escaped as there; empty: nothing.
Where where_of(const std::function<std::string(const char*)>& field);
// "in the container 0a1b, the unit docker-0a1b.scope", printable; empty: not known, or in none.
std::string describe(const Where& where);

// Says on stderr which denials since then (seconds since 1970) are missing in `log`. Is any?
bool complain_of_missing(std::string_view tool, const Log& log, uint64_t since);

}  // namespace diglim::explain
