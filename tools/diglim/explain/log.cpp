// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/explain/log.h"

#include <fcntl.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>

#include "lib/base/file.h"
#include "lib/base/owned.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "tools/run_command.h"

namespace diglim::explain {
namespace {

using JournalPtr = Owned<sd_journal, sd_journal_close>;

void keep_newest(Log& log, size_t most) {
  if (log.denials.size() > most)
    log.denials.erase(log.denials.begin(), log.denials.end() - static_cast<std::ptrdiff_t>(most));
}

void read_lines(std::istream& in, Log& log) {
  for (std::string line; std::getline(in, line);) add_line(log, line);
}

std::string strerror_of(int negative) {
  return std::strerror(-negative);
}

// Is there an entry of the kernel's? Each boot makes some, so without one there is no journal that could be
// read.
bool has_entries(sd_journal* journal) {
  return sd_journal_add_match(journal, "_TRANSPORT=kernel", 0) >= 0 && sd_journal_seek_tail(journal) >= 0 &&
         sd_journal_previous(journal) != 0;
}

// Newest first, until there are enough. A damaged file ends it: what was read counts. False: there is no
// journal.
bool read_journal(Log& log, size_t most) {
  sd_journal* opened = nullptr;
  int status = sd_journal_open(&opened, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
  const JournalPtr journal(opened);
  // Only the kernel's: everybody may send lines to syslog that look like ours.
  if (status < 0 || !has_entries(journal.get())) return false;
  status = sd_journal_add_match(journal.get(), "SYSLOG_IDENTIFIER=diglim", 0);
  if (status >= 0) status = sd_journal_seek_tail(journal.get());
  while (status >= 0 && log.denials.size() < most && (status = sd_journal_previous(journal.get())) > 0) {
    const void* data = nullptr;
    size_t size = 0;
    status = sd_journal_get_data(journal.get(), "MESSAGE", &data, &size);
    if (status == -ENOENT) status = 0;
    if (status < 0 || data == nullptr) continue;
    std::string_view message(static_cast<const char*>(data), size);
    message.remove_prefix(std::min(message.size(), std::strlen("MESSAGE=")));
    uint64_t time_us = 0;
    (void)sd_journal_get_realtime_usec(journal.get(), &time_us);  // 0 says that it is not known
    add_message(log, message, time_us);
  }
  if (status < 0) log.complaint = "the journal could not be read further back: " + strerror_of(status);
  std::ranges::reverse(log.denials);
  log.full = log.denials.size() >= most;
  log.source = "the journal";
  return true;
}

void read_kernel(Log& log) {
  log.source = "the kernel's buffer";
  const auto fd = open_file("/dev/kmsg", O_RDONLY | O_NONBLOCK);
  if (!fd) {
    log.complaint = fd.error().message;
    return;
  }
  timespec now = {};
  timespec up = {};
  (void)clock_gettime(CLOCK_REALTIME, &now);  // cannot fail with these clocks
  (void)clock_gettime(CLOCK_MONOTONIC, &up);
  const int64_t boot_us = (int64_t{now.tv_sec} - up.tv_sec) * 1'000'000 + (now.tv_nsec - up.tv_nsec) / 1000;
  std::array<char, 16384> buffer;
  for (;;) {
    const ssize_t got = read(fd->get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EPIPE)
      log.complaint = "lines were overwritten while the kernel's buffer was read";
    if (got < 0 && (errno == EPIPE || errno == EINTR)) continue;
    if (got <= 0) return;
    add_record(log, {buffer.data(), static_cast<size_t>(got)}, static_cast<uint64_t>(boot_us));
  }
}

std::vector<JournalField> fields_of(sd_journal* journal) {
  std::vector<JournalField> fields;
  const void* data = nullptr;
  size_t size = 0;
  sd_journal_restart_data(journal);
  while (sd_journal_enumerate_data(journal, &data, &size) > 0) {
    const std::string_view text(static_cast<const char*>(data), size);
    const size_t sign = text.find('=');
    if (sign != text.npos) fields.emplace_back(text.substr(0, sign), text.substr(sign + 1));
  }
  return fields;
}

}  // namespace

std::optional<LoggedDenial> find_whole_event(const std::string& id) {
  sd_journal* opened = nullptr;
  const int status = sd_journal_open(&opened, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
  const JournalPtr journal(opened);
  if (status < 0 || id.empty()) return std::nullopt;
  // What begins with "_" journald itself says; everybody may send fields that look like ours.
  for (const std::string& match :
       {"DIGLIM_EVENT=" + id, std::string("_SYSTEMD_UNIT=diglim-events.service"), std::string("_UID=0")})
    if (sd_journal_add_match(journal.get(), match.data(), match.size()) < 0) return std::nullopt;
  if (sd_journal_seek_tail(journal.get()) < 0 || sd_journal_previous(journal.get()) <= 0) return std::nullopt;
  (void)sd_journal_set_data_threshold(journal.get(), 0);  // nothing is cut
  return read_fields(fields_of(journal.get()));
}

void settle_log() {
  if (geteuid() != 0) return;
  (void)run_command({kBootLoader, "status"}, Errors::kCapture);
  if (access("/run/systemd/journal/io.systemd.journal", F_OK) == 0)
    (void)run_command({"timeout", "10", "journalctl", "--sync"},
                      Errors::kCapture);  // it waits for a dead one, too
}

Log read_log(const std::string& file, size_t most) {
  Log log;
  if (file == "-") {
    log.source = "standard input";
    read_lines(std::cin, log);
  } else if (!file.empty()) {
    log.source = escape(file);
    std::ifstream in(file, std::ios::binary);
    if (!in) log.complaint = from_errno("open " + escape(file), errno).message;
    read_lines(in, log);
  } else if (!read_journal(log, most)) {
    read_kernel(log);
  }
  log.full = log.full || log.denials.size() > most;
  keep_newest(log, most);
  return log;
}

}  // namespace diglim::explain
