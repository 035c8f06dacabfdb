// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/tls/agent_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "lib/base/text.h"
#include "lib/ssh/agent.h"

namespace diglim {
namespace {

using Clock = std::chrono::steady_clock;

std::chrono::milliseconds since(Clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
}

// Answers one message after the other, in the order in which they came.
class Worker {
 public:
  struct Job {
    uint64_t client = 0;
    Bytes message;
    std::shared_ptr<AgentClient> who;
    Clock::time_point came;
  };
  struct Answer {
    uint64_t client;
    Bytes bytes;
  };

  Worker(const AgentAnswer& answer, Fd done)
      : answer_(answer), done_(std::move(done)), thread_([this] { run(); }) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  const Fd& done() const { return done_; }  // can be read once there are answers

  void give(Job job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    changed_.notify_all();
  }

  std::vector<Answer> take() {
    eventfd_t ignored = 0;
    (void)eventfd_read(done_.get(), &ignored);  // none, if another one took them already
    const std::lock_guard lock(mutex_);
    return std::exchange(answers_, {});
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
      if (stop_) return;
      const Job job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      // Who has gone meanwhile is not worth a signature.
      Bytes bytes = job.who.use_count() > 1 ? answer_(job.message, *job.who, since(job.came)) : Bytes();
      lock.lock();
      answers_.push_back({job.client, std::move(bytes)});
      (void)eventfd_write(done_.get(), 1);  // full: it can be read already
    }
  }

  const AgentAnswer& answer_;
  Fd done_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::vector<Answer> answers_;
  bool stop_ = false;
  std::thread thread_;  // last: it uses the others
};

struct Connection {
  Fd fd;
  std::shared_ptr<AgentClient> who = std::make_shared<AgentClient>();
  Bytes in;
  Bytes out;
  size_t sent = 0;
  bool asked = false;         // its message is being answered
  Clock::time_point changed;  // when it last sent or took something

  bool stalls(std::chrono::milliseconds limit) const {
    return !asked && (!in.empty() || !out.empty()) && since(changed) >= limit;
  }
  short wants() const {
    if (asked) return 0;
    return out.empty() ? POLLIN : POLLOUT;
  }
  // False: nothing more comes.
  bool receive() {
    constexpr size_t kAtOnce = 16384;
    const size_t before = in.size();
    in.resize(before + std::min(kAtOnce, kAgentHeaderBytes + kMaxAgentMessage - before));
    const ssize_t size = recv(fd.get(), in.data() + before, in.size() - before, MSG_DONTWAIT);
    const int error = errno;
    in.resize(before + (size > 0 ? static_cast<size_t>(size) : 0));
    if (size > 0) changed = Clock::now();
    return size > 0 || (size < 0 && (error == EAGAIN || error == EINTR));
  }
  bool send_more() {
    const ssize_t size = send(fd.get(), out.data() + sent, out.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    sent += static_cast<size_t>(size);
    changed = Clock::now();
    if (sent == out.size()) {
      out.clear();
      sent = 0;
    }
    return true;
  }
};

class Server {
 public:
  Server(const std::vector<Fd>& listeners, const AgentLimits& limits, const AgentAnswer& answer, Fd done,
         const std::function<void(const std::string&)>& complain)
      : listeners_(listeners), limits_(limits), complain_(complain), worker_(answer, std::move(done)) {}

  Result<void> run(const Fd& stop) {
    for (;;) {
      std::vector<pollfd> wait = {{stop.get(), POLLIN, 0}, {worker_.done().get(), POLLIN, 0}};
      const bool room = has_room();
      for (const Fd& listener : listeners_)
        wait.push_back({room ? listener.get() : -1, POLLIN, 0});  // a negative one is passed over
      std::vector<uint64_t> order;
      for (const auto& [id, connection] : connections_) {
        wait.push_back({connection.fd.get(), connection.wants(), 0});
        order.push_back(id);
      }
      constexpr int kLook_ms = 500;  // for those who stall
      const bool busy = std::ranges::any_of(
          connections_, [](const auto& one) { return !one.second.in.empty() || !one.second.out.empty(); });
      if (poll(wait.data(), wait.size(), busy || no_descriptors_ ? kLook_ms : -1) < 0 && errno != EINTR)
        return from_errno("poll", errno);
      if (wait[0].revents != 0) return {};
      no_descriptors_ = false;
      size_t at = 2 + listeners_.size();
      for (const uint64_t id : order) serve(id, wait[at++].revents);
      if (wait[1].revents != 0) hand_out();
      for (size_t i = 0; i < listeners_.size(); ++i) {
        if (wait[2 + i].revents != 0) accept_from(listeners_[i]);
      }
    }
  }

 private:
  bool has_room() {
    if (no_descriptors_) return false;
    if (connections_.size() < limits_.clients) return true;
    say_full(std::to_string(limits_.clients) + " clients are connected");
    return false;
  }

  void say_full(const std::string& why) {
    if (!std::exchange(full_, true)) complain_(why + ": the next waits until one goes");
  }

  void accept_from(const Fd& listener) {
    Connection fresh;
    fresh.fd = Fd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fresh.fd) {
      no_descriptors_ = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
      if (no_descriptors_) say_full(from_errno("accept", errno).message);
      return;
    }
    ucred peer = {};
    socklen_t size = sizeof(peer);
    if (getsockopt(fresh.fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) {
      fresh.who->pid = peer.pid;
      fresh.who->uid = peer.uid;
    }
    fresh.changed = Clock::now();
    connections_.emplace(next_++, std::move(fresh));
  }

  void serve(uint64_t id, short events) {
    Connection& connection = connections_.at(id);
    bool alive = true;
    if ((events & POLLIN) != 0)
      alive = connection.receive() && begin(id, connection);
    else if ((events & POLLOUT) != 0)
      alive = connection.send_more() && begin(id, connection);
    else
      alive = events == 0 && !connection.stalls(limits_.stalled);
    if (alive) return;
    connections_.erase(id);
    full_ = false;
  }

  // Has the next message answered, if it is there. False: what came is no message.
  bool begin(uint64_t id, Connection& connection) {
    if (connection.asked || !connection.out.empty()) return true;
    const auto size = agent_message_size(connection.in);
    if (!size) return false;
    if (!*size) return true;
    const auto first = connection.in.begin() + kAgentHeaderBytes;
    const auto last = first + static_cast<std::ptrdiff_t>(**size);
    worker_.give({id, Bytes(first, last), connection.who, Clock::now()});
    connection.in.erase(connection.in.begin(), last);
    connection.asked = true;
    return true;
  }

  void hand_out() {
    for (Worker::Answer& answer : worker_.take()) {
      const auto found = connections_.find(answer.client);
      if (found == connections_.end()) continue;
      found->second.asked = false;
      found->second.out = std::move(answer.bytes);
      found->second.changed = Clock::now();
    }
  }

  const std::vector<Fd>& listeners_;
  const AgentLimits& limits_;
  const std::function<void(const std::string&)>& complain_;
  std::map<uint64_t, Connection> connections_;
  uint64_t next_ = 0;
  bool full_ = false;            // and that was said
  bool no_descriptors_ = false;  // for the moment
  Worker worker_;
};

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address = {AF_UNIX, {}};
  if (path.empty() || path.size() >= sizeof(address.sun_path))
    return invalid(escape(path) + ": no path for a socket, or too long for one");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

// Of an agent that is gone.
Result<void> remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return {};  // bind() says what is wrong
  const Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe) return from_errno("socket", errno);
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
    return unsupported(escape(path) + ": another agent listens there");
  if (errno != ECONNREFUSED) return from_errno("connect to " + escape(path), errno);
  if (unlink(path.c_str()) != 0) return from_errno("remove " + escape(path), errno);
  return {};
}

}  // namespace

Result<void> serve_agent(const std::vector<Fd>& listeners, const Fd& stop, const AgentLimits& limits,
                         const AgentAnswer& answer, const std::function<void(const std::string&)>& complain) {
  for (const Fd& listener : listeners) {
    const int flags = fcntl(listener.get(), F_GETFL);
    if (flags < 0 || fcntl(listener.get(), F_SETFL, flags | O_NONBLOCK) != 0)
      return from_errno("make a socket non-blocking", errno);
  }
  Fd done(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!done) return from_errno("eventfd", errno);
  return Server(listeners, limits, answer, std::move(done), complain).run(stop);
}

Result<Fd> listen_at(const std::string& path) {
  TRY_ASSIGN(const sockaddr_un address, address_of(path));
  TRY(remove_stale(path, address));
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return from_errno("socket", errno);
  const mode_t before = umask(0177);
  const int bound = bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int error = errno;
  (void)umask(before);
  if (bound != 0) return from_errno("bind " + escape(path), error);
  if (listen(fd.get(), SOMAXCONN) != 0) return from_errno("listen at " + escape(path), errno);
  return fd;
}

}  // namespace diglim
