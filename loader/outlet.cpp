// SPDX-License-Identifier: Apache-2.0
#include "loader/outlet.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "lib/base/paths.h"
#include "lib/events/stream.h"

namespace diglim {

void Outlet::enter() {
  (void)mkdir(kRunFolder, 0755);  // exists already, or there is no reader
  (void)!chdir(kRunFolder);
}

bool Outlet::connect() {
  char byte = 0;
  // The reader says nothing: what ends is its life.
  if (reader_ && recv(reader_.get(), &byte, 1, MSG_DONTWAIT) == 0) reader_ = Fd();
  timespec now = {};
  (void)clock_gettime(CLOCK_MONOTONIC, &now);  // cannot fail with this clock
  if (reader_ || static_cast<uint64_t>(now.tv_sec) < next_try_s_) return static_cast<bool>(reader_);
  next_try_s_ = static_cast<uint64_t>(now.tv_sec) + 1;
  Fd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address = {AF_UNIX, {}};
  std::memcpy(address.sun_path, kEventSocket, sizeof(kEventSocket));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return false;
  constexpr int kBuffer = 4 << 20;  // about a thousand events
  (void)setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kBuffer, sizeof(kBuffer));  // or as many as fit
  reader_ = std::move(fd);
  return true;
}

void Outlet::give(const diglim_event& event, diglim_log_counters& counters) {
  if (kept_.size() == kKept) {
    kept_.pop_front();
    ++counters.unsent;
  }
  kept_.push_back(event);
  (void)flush(counters);
}

bool Outlet::flush(diglim_log_counters& counters) {
  bool there = connect();
  while (there && !kept_.empty()) {
    const EventRecord record = {kept_.front(), counters};
    if (send(reader_.get(), &record, sizeof(record), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
      if (errno == EAGAIN || errno == ENOBUFS) break;
      reader_ = Fd();
      there = false;
      break;
    }
    kept_.pop_front();
    ++counters.sent;
  }
  counters.kept = kept_.size();
  counters.reader = there ? 1 : 0;
  return there && !kept_.empty();
}

}  // namespace diglim
