// SPDX-License-Identifier: Apache-2.0
#include "tools/run_command.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "lib/base/file.h"
#include "lib/base/text.h"

namespace diglim {
namespace {

constexpr size_t kMaxOutput = 16u << 20;

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

Result<std::string> read_all(const Fd& fd, const std::string& name) {
  std::string output;
  std::string piece(64u << 10, '\0');
  for (;;) {
    const ssize_t got = read(fd.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return from_errno("read the output of " + name, errno);
    if (got == 0) return output;
    if (output.size() < kMaxOutput) output.append(piece, 0, static_cast<size_t>(got));
  }
}

}  // namespace

Result<CommandResult> run_command(const std::vector<std::string>& words, Errors errors) {
  const std::string name = escape(words.at(0));
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return from_errno("pipe", errno);
  const Fd from(ends[0]);
  Fd to(ends[1]);
  SpawnActions actions;  // what follows only fails for lack of memory, and then posix_spawnp() does
  (void)posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  (void)posix_spawn_file_actions_adddup2(actions.get(), to.get(), STDOUT_FILENO);
  if (errors == Errors::kCapture)
    (void)posix_spawn_file_actions_adddup2(actions.get(), to.get(), STDERR_FILENO);
  if (errors == Errors::kHide)
    (void)posix_spawn_file_actions_addopen(actions.get(), STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  std::vector<char*> environment;
  for (char** one = environ; one != nullptr && *one != nullptr; ++one) {
    if (!std::string_view(*one).starts_with("DIGLIM_PASSPHRASE=")) environment.push_back(*one);
  }
  environment.push_back(nullptr);
  pid_t pid = 0;
  const int spawned = posix_spawnp(&pid, argv[0], actions.get(), nullptr, argv.data(), environment.data());
  if (spawned != 0) return from_errno("run " + name, spawned);
  to = Fd();
  auto output = read_all(from, name);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return from_errno("wait for " + name, errno);
  }
  if (!output) return output.error();
  return CommandResult{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), *std::move(output)};
}

}  // namespace diglim
