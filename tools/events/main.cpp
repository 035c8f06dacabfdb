// SPDX-License-Identifier: Apache-2.0
// diglim-events: takes whole events from the keeper and writes them where the configuration says. See
// diglim-events(8).
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <memory>

#include "lib/base/file.h"
#include "lib/base/paths.h"
#include "lib/base/standard_output.h"
#include "lib/base/text.h"
#include "tools/events/outlets.h"
#include "tools/events/shipped.h"
#include "tools/events/state_file.h"
#include "tools/tool.h"

namespace diglim::events {
namespace {

constexpr std::string_view kTool = "diglim-events";
constexpr size_t kMaxFile = 1 << 20;

struct Options {
  std::string config = kConfigFile;
  std::string folder = kRunFolder;
  bool print = false;
  bool status = false;
  bool json = false;
};

std::string boot_id() {
  const auto id = read_stream("/proc/sys/kernel/random/boot_id", 64);
  return id ? std::string(trim(as_text(*id))) : std::string();
}

Result<Fd> listen_in(const std::string& folder) {
  const std::string path = folder + "/" + kEventSocket;
  sockaddr_un address = {AF_UNIX, {}};
  if (path.size() >= sizeof(address.sun_path)) return invalid(path + ": too long for a socket");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Fd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return from_errno("socket", errno);
  (void)unlink(path.c_str());  // of a process that is gone: the lock says so
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return from_errno("bind " + path, errno);
  constexpr int kWaiting = 8;
  if (listen(fd.get(), kWaiting) != 0) return from_errno("listen at " + path, errno);
  return fd;
}

// One process at a time.
Result<Fd> lock(const std::string& folder) {
  (void)mkdir(folder.c_str(), 0755);  // exists already, or the next call says what is wrong
  TRY_ASSIGN(Fd fd, open_file(folder + "/events.lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return unsupported("another diglim-events runs already");
  return fd;
}

Outlet::Write print_lines() {
  return [](const Event& event, uint64_t lost) -> Result<void> {
    const std::string line = json_line(event, lost);
    return write_bytes(Fd(dup(STDOUT_FILENO)), "standard output", as_bytes(line));
  };
}

class Reader {
 public:
  Reader(std::string state_path, std::string boot)
      : state_path_(std::move(state_path)), boot_(std::move(boot)) {}

  void add(std::vector<NamedWrite> outlets) {
    const auto text = read_file(state_path_, kMaxFile);
    auto known = parse_state(text ? as_text(*text) : std::string_view(), boot_);
    for (NamedWrite& one : outlets)
      outlets_.push_back(std::make_unique<Outlet>(one.name, std::move(one.write), known[one.name]));
  }

  // False: the keeper has gone.
  bool take(int fd) {
    constexpr int kAtOnce = 1000;  // then it is looked whether this process shall end
    for (int i = 0; i < kAtOnce; ++i) {
      EventRecord record = {};
      const ssize_t size = recv(fd, &record, sizeof(record), MSG_DONTWAIT | MSG_TRUNC);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) return true;
      if (size <= 0) return false;
      if (size == sizeof(record) && record.event.version == DIGLIM_ABI_VERSION)
        give(record);
      else if (++not_understood_ == 1)
        complain(kTool,
                 "the loader of this boot is of another version: reboot; until then only the kernel log has "
                 "what is denied");
    }
    return true;
  }

  // At most once a second, unless it ends.
  void save(bool stopped) {
    const int64_t now_s = read_clocks().boot_ns / 1'000'000'000;
    if (!stopped && now_s == saved_s_) return;
    saved_s_ = now_s;
    const std::string text = state_text(boot_, not_understood_, stopped, outlets_);
    if (text == saved_) return;
    saved_ = text;
    (void)write_file_atomically(state_path_, as_bytes(text), 0644);  // of the next second, too
    std::string status = "STATUS=";
    for (const auto& outlet : outlets_) {
      const Outlet::State state = outlet->state();
      status += fmt::format("{} {}{}; ", outlet->name(), state.written,
                            state.lost > 0 ? fmt::format(", {} lost", state.lost) : "");
      if (state.error != errors_[outlet->name()] && !state.error.empty())
        complain(kTool, fmt::format("{}: {}", outlet->name(), escape(state.error)));
      errors_[outlet->name()] = state.error;
    }
    (void)sd_notify(0, status.c_str());  // nobody listens, or it is shown
  }

  void stop() {
    for (const auto& outlet : outlets_) outlet->stop();
    save(true);
  }

 private:
  void give(const EventRecord& record) {
    const Clocks clocks = read_clocks();
    const auto event = std::make_shared<Event>(describe(record, boot_, clocks));
    say_who_ships(*event, record.event, shipped_, clocks.boot_ns / 1'000'000'000);
    for (const auto& outlet : outlets_) outlet->give(event, record.log.sent);
  }

  ShippedFiles shipped_;
  std::string state_path_;
  std::string boot_;
  std::string saved_;
  int64_t saved_s_ = 0;
  uint64_t not_understood_ = 0;
  std::vector<std::unique_ptr<Outlet>> outlets_;
  std::map<std::string, std::string> errors_;  // said already
};

void accept_keeper(const Fd& listener, std::vector<Fd>& keepers) {
  Fd keeper(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  ucred who = {};
  socklen_t size = sizeof(who);
  if (!keeper || getsockopt(keeper.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 || who.uid != 0) return;
  keepers.push_back(std::move(keeper));
}

int follow(Reader& reader, const Fd& listener, const Fd& signals) {
  std::vector<Fd> keepers;  // an old one may wake up beside the new one
  for (;;) {
    std::vector<pollfd> wait = {{signals.get(), POLLIN, 0}, {listener.get(), POLLIN, 0}};
    for (const Fd& keeper : keepers) wait.push_back({keeper.get(), POLLIN, 0});
    constexpr int kSave_ms = 1000;
    if (poll(wait.data(), wait.size(), kSave_ms) < 0 && errno != EINTR) return kExitEnvironment;
    std::erase_if(keepers, [&](const Fd& keeper) { return !reader.take(keeper.get()); });
    if (wait[1].revents != 0) accept_keeper(listener, keepers);
    if (wait[0].revents != 0) return kExitOk;
    reader.save(false);
  }
}

int run(const Options& options) {
  const auto text = read_file(options.config, kMaxFile);
  if (!text && text.error().code != ErrorCode::kNotFound) {
    complain(kTool, text.error().message);
    return kExitEnvironment;
  }
  const auto config = parse_config(text ? as_text(*text) : std::string_view());
  if (!config) {
    complain(kTool, options.config + ": " + config.error().message);
    return kExitUsage;
  }
  sigset_t ends;
  sigemptyset(&ends);
  for (const int one : {SIGTERM, SIGINT}) sigaddset(&ends, one);
  (void)sigprocmask(SIG_BLOCK, &ends, nullptr);  // before there are threads
  (void)std::signal(SIGPIPE, SIG_IGN);
  const auto lock_fd = lock(options.folder);
  const auto listener = lock_fd ? listen_in(options.folder) : Result<Fd>(lock_fd.error());
  if (!listener) {
    complain(kTool, listener.error().message);
    return kExitEnvironment;
  }
  Reader reader(options.folder + "/events.state", boot_id());
  std::vector<NamedWrite> outlets = outlets_of(*config);
  if (options.print) outlets.push_back({"print", print_lines()});
  reader.add(std::move(outlets));
  (void)sd_notify(0, "READY=1");  // nobody listens, or it waits
  const int status = follow(reader, *listener, Fd(signalfd(-1, &ends, SFD_CLOEXEC)));
  reader.stop();
  return status;
}

// Does a process hold the lock? Who may not open it is told that one does.
bool is_locked(const std::string& folder) {
  const auto fd = open_file(folder + "/events.lock", O_RDWR | O_NOFOLLOW);
  if (!fd) return fd.error().code != ErrorCode::kNotFound;
  return flock(fd->get(), LOCK_SH | LOCK_NB) != 0;
}

int show(const Options& options) {
  const auto text = read_file(options.folder + "/events.state", kMaxFile);
  if (!text) {
    complain(kTool, "did not run in this boot: systemctl enable --now diglim-events.service");
    return kExitEnvironment;
  }
  bool lost = false;
  const std::string said = status_text(
      as_text(*text), [&] { return is_locked(options.folder); }, lost);
  fmt::print("{}", options.json ? as_text(*text) : said);
  return lost ? kExitRejected : kExitOk;
}

}  // namespace
}  // namespace diglim::events

int main(int argc, char** argv) {
  using namespace diglim;
  events::Options options;
  OptionParser app(
      "Writes each denial, with all that is known of it, to the journal, audit, syslog or JSON lines.",
      "diglim-events");
  app.add_option("--config", options.config, "configuration (default /etc/diglim/events.conf)");
  app.add_option("--run", options.folder, "where the keeper looks for the socket (default /run/diglim)");
  app.add_flag("--print", options.print, "print JSON lines, too");
  app.add_flag("--status", options.status, "say what became of the events, per outlet");
  app.add_flag("--json", options.json, "with --status: print JSON");
  if (const auto status = app.parse(argc, argv)) return *status;
  return run_with_output("diglim-events",
                         [&] { return options.status ? events::show(options) : events::run(options); });
}
