// SPDX-License-Identifier: Apache-2.0
#include "lib/installed/publisher.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "lib/base/exit_status.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"

namespace diglim {
namespace {

constexpr size_t kMaxOutputBytes = 64u << 10;
constexpr int kExitCannotRun = 127;
constexpr int kStep_ms = 20;

int64_t now_ms() {
  timespec now = {};
  (void)clock_gettime(CLOCK_MONOTONIC, &now);  // cannot fail with this clock
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

// Between fork and exec of a process with threads only system calls are safe.
[[noreturn]] void become_loader(int root, int folder, int errors, char* const* arguments) {
  static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  char* const environment[] = {path, nullptr};
  sigset_t none;
  (void)sigemptyset(&none);
  // A session of its own: ^C, ^Z or a closed terminal is for rpm, which finishes its transaction all the
  // same.
  (void)setsid();
  // rpm blocks signals and ignores SIGPIPE while it works, and both are inherited.
  for (int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) (void)signal(number, SIG_DFL);
  (void)sigprocmask(SIG_SETMASK, &none, nullptr);
  // As rpm itself leaves a chroot; outside of one it changes nothing. An unprivileged process was in none.
  const bool moved =
      fchdir(root) == 0 && (chroot(".") == 0 || errno == EPERM) && (folder < 0 || fchdir(folder) == 0);
  const int null = open("/dev/null", O_RDWR);
  if (!moved || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(errors, 2) < 0)
    _exit(kExitCannotRun);
  (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);  // what other threads opened meanwhile without O_CLOEXEC
  (void)execve(arguments[0], arguments, environment);
  _exit(kExitCannotRun);
}

// Appends what a non-blocking pipe has now. False once it is closed.
bool read_some(int fd, std::string& text) {
  for (;;) {
    char buffer[4096];
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) return false;
    if (got < 0 && errno == EAGAIN) return true;
    if (got > 0 && text.size() < kMaxOutputBytes) text.append(buffer, static_cast<size_t>(got));
  }
}

std::vector<std::string> split_lines(std::string_view text) {
  constexpr size_t kMaxLineBytes = 1000;
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.push_back(escape(text.substr(0, end), kMaxLineBytes));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace

Publisher::Publisher(const std::string& loader, int budget_ms)
    : loader_(loader),
      root_(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)),
      budget_ms_(budget_ms),
      left_ms_(budget_ms) {
  if (!loader_.empty()) return;
  if (access(kBootLoader, X_OK) == 0) {
    loader_ = kBootLoader;
    active_ = 1;
  } else if (access(kInstalledLoader, X_OK) == 0) {
    loader_ = kInstalledLoader;
  }
}

Publisher::~Publisher() {
  reap();
}

bool Publisher::is_active() {
  if (active_ < 0 && loader_.empty()) active_ = 0;
  if (active_ < 0) {
    // A loader that does not answer is no sign that it has nothing to say.
    const LoaderResult::Kind kind = run({"status"}, -1).kind;
    active_ = kind == LoaderResult::Kind::kOk || kind == LoaderResult::Kind::kTimeout ? 1 : 0;
  }
  return active_ == 1;
}

LoaderResult Publisher::sync(int folder, const std::string& identity, Gone gone) {
  std::vector<std::string> arguments = {"sync"};
  if (gone == Gone::kKeep) arguments.emplace_back("--keep");
  if (!identity.empty()) arguments.push_back("--root=" + identity);
  arguments.emplace_back(".");
  return run(arguments, folder);
}

LoaderResult Publisher::run(const std::vector<std::string>& arguments, int folder) {
  reap();
  LoaderResult result;
  const auto fail = [&](const std::string& why) {
    result.lines.push_back(why);
    return result;
  };
  if (loader_.empty()) return fail("there is no " + std::string(kInstalledLoader));
  if (left_ms_ <= 0) {
    result.kind = LoaderResult::Kind::kTimeout;
    return result;
  }
  std::vector<char*> words = {loader_.data()};
  for (const std::string& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));  // NOLINT: execve's type; nobody writes
  words.push_back(nullptr);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(from_errno("pipe", errno).message);
  const Fd output(ends[0]);
  Fd errors(ends[1]);
  (void)fcntl(output.get(), F_SETFL, O_NONBLOCK);
  const int64_t begin = now_ms();
  const pid_t child = fork();
  if (child < 0) return fail(from_errno("fork", errno).message);
  if (child == 0) become_loader(root_.get(), folder, errors.get(), words.data());
  errors = Fd();

  std::string text;
  int status = 0;
  bool ended = false;
  bool open = true;
  const auto left = [&] { return static_cast<int>(std::max<int64_t>(0, left_ms_ - (now_ms() - begin))); };
  while (!ended && left() > 0) {
    // Short steps: its standard error may stay open without it, in a child of its own.
    pollfd wanted = {open ? output.get() : -1, POLLIN, 0};
    (void)poll(&wanted, 1, std::min(left(), open ? kStep_ms : 1));
    const pid_t got = waitpid(child, &status, WNOHANG);
    const int error = errno;
    ended = got == child;
    if (open) open = read_some(output.get(), text);
    if (got >= 0 || error == EINTR) continue;
    // Somebody else in this process reaped it; where SIGCHLD is ignored, the kernel does.
    left_ms_ = left();
    return fail("the loader's exit status was lost");
  }
  left_ms_ = left();
  result.lines = split_lines(text);
  if (!ended) {
    running_.push_back(child);  // guarded against signals, and right to go on: what it publishes is wanted
    result.kind = LoaderResult::Kind::kTimeout;
  } else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    result.kind = LoaderResult::Kind::kOk;
  } else if (WIFEXITED(status) && WEXITSTATUS(status) == 1) {
    result.kind = LoaderResult::Kind::kRejected;
  } else if (WIFEXITED(status) && WEXITSTATUS(status) == kExitCannotRun) {
    result.lines.push_back(escape(loader_) + " cannot be executed");
  } else if (WIFSIGNALED(status)) {
    result.lines.push_back(escape(loader_) + " was killed by signal " + std::to_string(WTERMSIG(status)));
  } else if (WIFEXITED(status) && WEXITSTATUS(status) == kExitUsage) {
    result.lines.push_back("the loader that booted is of another version: reboot");
  } else if (result.lines.empty()) {
    result.lines.push_back(escape(loader_) + " ended with status " + std::to_string(WEXITSTATUS(status)));
  }
  return result;
}

void Publisher::reap() {
  std::erase_if(running_, [](pid_t child) { return waitpid(child, nullptr, WNOHANG) != 0; });
}

}  // namespace diglim
