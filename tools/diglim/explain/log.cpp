// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/explain/log.h"

#include <fcntl.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>

#include "lib/base/file.h"
#include "lib/base/owned.h"
#include "lib/base/text.h"

namespace diglim::explain {
namespace {

using JournalPtr = Owned<sd_journal, sd_journal_close>;

constexpr std::string_view kTag = "diglim: ";
constexpr std::string_view kDenials[] = {"denied ", "would deny "};

// Is this a line of a denial, with or without what stands before it in a saved log?
bool is_denial(std::string_view line) {
  const size_t at = line.find(kTag);
  if (at != std::string_view::npos) line.remove_prefix(at + kTag.size());
  return std::ranges::any_of(kDenials, [&](std::string_view begin) { return line.starts_with(begin); });
}

void add(Log& log, std::string_view line, uint64_t time_us) {
  if (!is_denial(line)) return;
  if (auto denial = parse_denial(line))
    log.denials.push_back({*std::move(denial), time_us});
  else
    ++log.not_understood;
}

void keep_newest(Log& log, size_t most) {
  if (log.denials.size() > most)
    log.denials.erase(log.denials.begin(), log.denials.end() - static_cast<std::ptrdiff_t>(most));
}

void read_lines(std::istream& in, Log& log) {
  for (std::string line; std::getline(in, line);) add(log, line, 0);
}

std::string strerror_of(int negative) {
  return std::strerror(-negative);
}

// Newest first, until there are enough. A damaged file ends it: what was read counts. False: there is nothing
// to read.
bool read_journal(Log& log, size_t most) {
  sd_journal* opened = nullptr;
  int status = sd_journal_open(&opened, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
  const JournalPtr journal(opened);
  if (status < 0) return false;
  // Only the kernel's: everybody may send lines to syslog that look like ours.
  status = sd_journal_add_match(journal.get(), "_TRANSPORT=kernel", 0);
  if (status >= 0) status = sd_journal_add_match(journal.get(), "SYSLOG_IDENTIFIER=diglim", 0);
  if (status >= 0) status = sd_journal_seek_tail(journal.get());
  bool any = false;
  while (status >= 0 && log.denials.size() < most && (status = sd_journal_previous(journal.get())) > 0) {
    any = true;
    const void* data = nullptr;
    size_t size = 0;
    status = sd_journal_get_data(journal.get(), "MESSAGE", &data, &size);
    if (status == -ENOENT) status = 0;
    if (status < 0 || data == nullptr) continue;
    std::string_view message(static_cast<const char*>(data), size);
    message.remove_prefix(std::min(message.size(), std::strlen("MESSAGE=")));
    uint64_t time_us = 0;
    (void)sd_journal_get_realtime_usec(journal.get(), &time_us);  // 0 says that it is not known
    add(log, message, time_us);
  }
  if (status < 0) log.complaint = "the journal could not be read further back: " + strerror_of(status);
  std::ranges::reverse(log.denials);
  log.source = "the journal";
  return any || status < 0;
}

// As the kernel writes what is not printable, and the backslash.
std::string unescape_record(std::string_view text) {
  const auto plain = unescape(text);
  return plain ? *plain : std::string(text);
}

// "6,1234,5678901,-;diglim: ...": priority, number, microseconds since the boot.
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
    if (got < 0 && (errno == EPIPE || errno == EINTR)) continue;  // EPIPE: what came next was overwritten
    if (got <= 0) return;
    std::string_view record(buffer.data(), static_cast<size_t>(got));
    const size_t text = record.find(';');
    if (text == std::string_view::npos) continue;
    std::string_view head = record.substr(0, text);
    for (int i = 0; i < 2; ++i) head.remove_prefix(std::min(head.size(), head.find(',') + 1));
    uint64_t since_us = 0;
    (void)std::from_chars(head.data(), head.data() + head.size(), since_us);  // 0 if it is no number
    record = record.substr(text + 1);
    record = record.substr(0, record.find('\n'));
    add(log, unescape_record(record), static_cast<uint64_t>(boot_us) + since_us);
  }
}

}  // namespace

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
  keep_newest(log, most);
  return log;
}

}  // namespace diglim::explain
