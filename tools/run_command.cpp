// SPDX-License-Identifier: Apache-2.0
#include "tools/run_command.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "lib/base/file.h"
#include "lib/base/text.h"

namespace diglim {
namespace {

constexpr size_t kMaxOutput = 16u << 20;
constexpr size_t kMaxSaid = 4096;

class SpawnActions {
 public:
  SpawnActions() { (void)posix_spawn_file_actions_init(&actions_); }  // glibc: cannot fail
  ~SpawnActions() { (void)posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

Result<void> read_all(const Fd& fd, const std::string& name,
                      const std::function<Result<void>(ByteView)>& sink) {
  Bytes piece(64u << 10);
  for (;;) {
    const ssize_t got = read(fd.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return from_errno("read the output of " + name, errno);
    if (got == 0) return {};
    TRY(sink(ByteView(piece).first(static_cast<size_t>(got))));
  }
}

struct Pipe {
  Fd from, to;
};
Result<Pipe> make_pipe() {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return from_errno("pipe", errno);
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// `more` stands before what it replaces.
Result<pid_t> spawn(const std::vector<std::string>& words, SpawnActions& actions,
                    const std::vector<std::string>& more) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  std::vector<char*> environment;
  for (const std::string& one : more) environment.push_back(const_cast<char*>(one.c_str()));
  for (char** one = environ; one != nullptr && *one != nullptr; ++one) {
    const std::string_view text = *one;
    const std::string_view name = text.substr(0, text.find('=') + 1);
    if (name != "DIGLIM_PASSPHRASE=" &&
        std::ranges::none_of(more, [&](const std::string& other) { return other.starts_with(name); }))
      environment.push_back(*one);
  }
  environment.push_back(nullptr);
  // A service that ignores it (systemd's default) has its children ignore it, too.
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_t attributes;
  (void)posix_spawnattr_init(&attributes);  // glibc: these cannot fail
  (void)posix_spawnattr_setsigdefault(&attributes, &defaults);
  (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  const int spawned =
      posix_spawnp(&pid, argv[0], actions.get(), &attributes, argv.data(), environment.data());
  (void)posix_spawnattr_destroy(&attributes);
  if (spawned != 0) return from_errno("run " + escape(words[0]), spawned);
  return pid;
}

Result<int> wait_for(pid_t pid, const std::string& name) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return from_errno("wait for " + name, errno);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// What it says on standard error goes there: a second pipe would have to be read at the same time.
Result<Fd> keep_errors(SpawnActions& actions) {
  Fd said(memfd_create("said", MFD_CLOEXEC));
  if (!said) return from_errno("memfd_create", errno);
  (void)posix_spawn_file_actions_adddup2(actions.get(), said.get(), STDERR_FILENO);
  return said;
}

std::string read_errors(const Fd& said, size_t most) {
  Bytes bytes;
  if (lseek(said.get(), 0, SEEK_SET) == 0) (void)read_up_to(said, "what it said", most, bytes);
  return std::string(as_text(bytes));
}

}  // namespace

Result<CommandResult> run_command(const std::vector<std::string>& words, Errors errors,
                                  const std::vector<std::string>& more) {
  const std::string name = escape(words.at(0));
  TRY_ASSIGN(Pipe pipe, make_pipe());
  SpawnActions actions;  // what follows only fails for lack of memory, and then posix_spawnp() does
  (void)posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  (void)posix_spawn_file_actions_adddup2(actions.get(), pipe.to.get(), STDOUT_FILENO);
  if (errors == Errors::kCapture)
    (void)posix_spawn_file_actions_adddup2(actions.get(), pipe.to.get(), STDERR_FILENO);
  if (errors == Errors::kHide)
    (void)posix_spawn_file_actions_addopen(actions.get(), STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  Fd said;
  if (errors == Errors::kApart) {
    TRY_ASSIGN(said, keep_errors(actions));
  }
  TRY_ASSIGN(const pid_t pid, spawn(words, actions, more));
  pipe.to = Fd();
  CommandResult result;
  const auto read = read_all(pipe.from, name, [&](ByteView piece) -> Result<void> {
    if (result.output.size() < kMaxOutput) result.output += as_text(piece);
    return {};
  });
  TRY_ASSIGN(result.status, wait_for(pid, name));
  if (!read) return read.error();
  if (said) result.said = read_errors(said, kMaxOutput);
  return result;
}

Result<CommandResult> run_filter(const std::vector<std::string>& words, const Fd& in,
                                 const std::function<Result<void>(ByteView)>& sink) {
  const std::string name = escape(words.at(0));
  TRY_ASSIGN(Pipe pipe, make_pipe());
  if (lseek(in.get(), 0, SEEK_SET) != 0) return from_errno("lseek", errno);
  SpawnActions actions;
  (void)posix_spawn_file_actions_adddup2(actions.get(), in.get(), STDIN_FILENO);
  (void)posix_spawn_file_actions_adddup2(actions.get(), pipe.to.get(), STDOUT_FILENO);
  TRY_ASSIGN(const Fd said, keep_errors(actions));
  TRY_ASSIGN(const pid_t pid, spawn(words, actions, {"LC_ALL=C"}));
  pipe.to = Fd();
  const auto read = read_all(pipe.from, name, sink);
  pipe.from = Fd();
  if (!read) (void)kill(pid, SIGKILL);
  CommandResult result;
  TRY_ASSIGN(result.status, wait_for(pid, name));
  if (!read) return read.error();
  result.output = read_errors(said, kMaxSaid);
  return result;
}

}  // namespace diglim
