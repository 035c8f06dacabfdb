// SPDX-License-Identifier: Apache-2.0
#include "tools/events/outlets.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <libaudit.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>

#include "lib/base/file.h"
#include "lib/base/owned.h"
#include "lib/base/text.h"

namespace diglim::events {
namespace {

constexpr char kJournal[] = "/run/systemd/journal/socket";

std::string upper(std::string_view name) {
  std::string text(name);
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

// A socket of the file system that takes lines. Nothing waits: a reader that does not read loses them.
class LineSocket {
 public:
  explicit LineSocket(std::string path) : path_(std::move(path)) {}

  Result<void> send(const std::string& text) {
    for (const bool again : {false, true}) {
      if (!fd_) {
        if (const auto opened = open(); !opened) return opened;
      }
      const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent == static_cast<ssize_t>(text.size())) return {};
      const int error = sent < 0 ? errno : EAGAIN;
      // Half a line: whoever reads it shall see where it ends.
      if (sent >= 0 || (error != EAGAIN && error != ENOBUFS)) fd_ = Fd();
      if (again || fd_ || sent >= 0) return from_errno("write to " + path_, error);
    }
    return {};
  }

 private:
  Result<void> open() {
    sockaddr_un address = {AF_UNIX, {}};
    if (path_.size() >= sizeof(address.sun_path)) return invalid(path_ + ": too long for a socket");
    std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
      Fd fd(socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
        fd_ = std::move(fd);
        return {};
      }
      if (errno != EPROTOTYPE) break;
    }
    return from_errno("connect to " + path_, errno);
  }

  std::string path_;
  Fd fd_;
};

// "name=value", or in hexadecimal if it has a space, a quote or a control character, as audit's tools read
// it.
std::string audit_field(const char* name, const std::string& escaped) {
  const std::string raw = unescape(escaped).value_or(escaped);
  const MallocPtr<char> text(audit_encode_nv_string(name, raw.data(), static_cast<unsigned>(raw.size())));
  return text ? text.get() : std::string();
}

// DIGLIM's own words, which shall be read without decoding.
bool is_ours(std::string_view name) {
  return name == "kind" || name == "use" || name == "reason";
}

// The process that acted has other names than who writes the record: those that audit has for the object's.
const char* audit_name(std::string_view name) {
  if (name == "pid") return "opid";
  if (name == "uid") return "ouid";
  if (name == "auid") return "oauid";
  if (name == "session") return "oses";
  if (name == "command") return "ocomm";
  if (name == "exe") return "oexe";
  if (name == "kind") return "op";
  return nullptr;
}

}  // namespace

Outlet::Write write_journal() {
  return [](const Event& event, uint64_t lost) -> Result<void> {
    // sd_journal_sendv() says that all is well if there is no journal.
    if (access(kJournal, F_OK) != 0) return from_errno(kJournal, errno);
    std::vector<std::string> lines = {"MESSAGE=" + event.line, fmt::format("PRIORITY={}", event.priority),
                                      fmt::format("MESSAGE_ID={}", event.message_id),
                                      "SYSLOG_IDENTIFIER=diglim-events"};
    for (const Field& field : event.fields)
      lines.push_back(fmt::format("DIGLIM_{}={}", upper(field.name), field.text));
    if (lost > 0) lines.push_back(fmt::format("DIGLIM_LOST={}", lost));
    std::vector<iovec> parts;
    for (std::string& line : lines) parts.push_back({line.data(), line.size()});
    const int status = sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
    if (status < 0) return from_errno("write to the journal", -status);
    return {};
  };
}

std::string audit_text(const Event& event, uint64_t lost) {
  std::string text;
  for (const Field& field : event.fields) {
    const char* name = audit_name(field.name);
    if (name == nullptr) name = field.name;
    if (!text.empty()) text += ' ';
    if (field.is_number) {
      text += fmt::format("{}={}", name, field.text);
    } else if (is_ours(field.name)) {
      std::string words = field.text;
      std::ranges::replace(words, ' ', '-');
      text += audit_field(name, words);
    } else {
      text += audit_field(name, field.text);
    }
  }
  if (lost > 0) text += fmt::format(" lost={}", lost);
  return text;
}

Outlet::Write write_audit() {
  const auto fd = std::make_shared<Fd>();
  return [fd](const Event& event, uint64_t lost) -> Result<void> {
    if (!*fd) *fd = Fd(audit_open());
    if (!*fd) return from_errno("open the audit socket", errno);
    // The kernel takes records without a word while audit is off.
    const int enabled = audit_is_enabled(fd->get());
    if (enabled == 0) return unsupported("audit is off: start auditd, or auditctl -e 1");
    const int status = audit_log_user_message(fd->get(), AUDIT_ANOM_EXEC, audit_text(event, lost).c_str(),
                                              nullptr, nullptr, nullptr, event.priority == LOG_ERR ? 0 : 1);
    if (status > 0) return {};
    const int error = errno;
    *fd = Fd();
    return from_errno("write an audit record", error);
  };
}

Outlet::Write write_syslog(const std::string& path) {
  const auto out = std::make_shared<LineSocket>(path);
  return [out](const Event& event, uint64_t lost) {
    const time_t now = time(nullptr);
    tm parts = {};
    char when[32] = "";
    if (localtime_r(&now, &parts) != nullptr) (void)strftime(when, sizeof(when), "%b %e %H:%M:%S", &parts);
    std::string text = fmt::format("<{}>{} diglim-events[{}]: {}", LOG_AUTHPRIV | event.priority, when,
                                   getpid(), event.line);
    if (lost > 0) text += fmt::format("; {} events before it were lost", lost);
    return out->send(text);
  };
}

Outlet::Write write_json_file(const std::string& path) {
  return [path](const Event& event, uint64_t lost) -> Result<void> {
    // Anew for each event, so that a file that was rotated away is left at once. A pipe without a reader is
    // no reason to wait.
    const Fd fd(
        ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640));
    if (!fd) return from_errno("open " + path, errno);
    const std::string line = json_line(event, lost);
    const ssize_t written = ::write(fd.get(), line.data(), line.size());
    if (written == static_cast<ssize_t>(line.size())) return {};
    const int error = written < 0 ? errno : ENOSPC;
    if (written > 0) (void)!::write(fd.get(), "\n", 1);  // the next line shall be whole
    return from_errno("write to " + path, error);
  };
}

Outlet::Write write_json_socket(const std::string& path) {
  const auto out = std::make_shared<LineSocket>(path);
  return [out](const Event& event, uint64_t lost) { return out->send(json_line(event, lost)); };
}

std::vector<NamedWrite> outlets_of(const Config& config) {
  std::vector<NamedWrite> outlets;
  if (config.journal) outlets.push_back({"journal", write_journal()});
  if (config.audit) outlets.push_back({"audit", write_audit()});
  if (config.syslog) outlets.push_back({"syslog", write_syslog()});
  if (!config.json_file.empty()) outlets.push_back({"json-file", write_json_file(config.json_file)});
  if (!config.json_socket.empty()) outlets.push_back({"json-socket", write_json_socket(config.json_socket)});
  return outlets;
}

}  // namespace diglim::events
