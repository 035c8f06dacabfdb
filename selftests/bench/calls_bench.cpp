// SPDX-License-Identifier: Apache-2.0
// calls_bench calls DIR: exec, open and mmap, timed; DIR holds `nothing`, `nothing-100k`, `nothing-5m`, all
// known. calls_bench time NAME COMMAND...: one command: time and peak memory.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "selftests/bench/measure.h"

namespace diglim::bench {
namespace {

[[noreturn]] void fail(const std::string& what) {
  (void)fprintf(stderr, "calls_bench: %s: %s\n", what.c_str(), strerror(errno));
  exit(3);
}

// What failed to run was not measured, so anything but exit status 0 ends the program.
rusage run(char* const* arguments, bool output_to_stderr) {
  const pid_t pid = fork();
  if (pid < 0) fail("fork");
  if (pid == 0) {
    if (output_to_stderr) (void)dup2(STDERR_FILENO, STDOUT_FILENO);
    (void)execv(arguments[0], arguments);
    _exit(127);
  }
  int status = 0;
  rusage usage = {};
  if (wait4(pid, &status, 0, &usage) != pid) fail("wait");
  if (status != 0) {
    (void)fprintf(stderr, "calls_bench: %s ended with wait status %d\n", arguments[0], status);
    exit(3);
  }
  return usage;
}

template <typename Prepare, typename Call>
void measure(const char* name, int samples, int batch, Prepare prepare, Call call) {
  constexpr int kWarmUps = 3;
  std::vector<double> all_ns;
  for (int i = -kWarmUps; i < samples; ++i) {
    prepare();
    Stopwatch watch;
    for (int j = 0; j < batch; ++j) call();
    const double passed_ns = watch.lap_ns() / batch;
    if (i >= 0) all_ns.push_back(passed_ns);
  }
  print(name, std::move(all_ns));
}

void open_and_close(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) fail("open " + path);
  (void)close(fd);
}

void measure_exec(const char* name, const std::string& path, int samples, bool first) {
  std::string program = path;
  char* const arguments[] = {program.data(), nullptr};
  // Opening for write makes DIGLIM forget what it knew: the next exec hashes again.
  const auto forget = [&] {
    if (first) open_and_close(path, O_WRONLY);
  };
  measure(name, samples, 1, forget, [&] { (void)run(arguments, false); });
}

void measure_calls(const std::string& folder) {
  const auto nothing_to_prepare = [] {};
  measure_exec("exec_ns", folder + "/nothing", 200, false);
  measure_exec("exec_first_100k_ns", folder + "/nothing-100k", 20, true);
  measure_exec("exec_first_5m_ns", folder + "/nothing-5m", 5, true);

  const std::string uninvolved = "/tmp/uninvolved";
  const int fd = open(uninvolved.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, "data", 4) != 4) fail("write " + uninvolved);
  (void)close(fd);
  measure("open_read_ns", 200, 16, nothing_to_prepare, [&] { open_and_close(uninvolved, O_RDONLY); });
  measure("open_write_ns", 200, 16, nothing_to_prepare, [&] { open_and_close(uninvolved, O_WRONLY); });

  const std::string library = folder + "/nothing-100k";
  const int library_fd = open(library.c_str(), O_RDONLY | O_CLOEXEC);
  if (library_fd < 0) fail("open " + library);
  measure("mmap_exec_ns", 200, 16, nothing_to_prepare, [&] {
    void* at = mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, library_fd, 0);
    if (at == MAP_FAILED) fail("map " + library);
    (void)munmap(at, 4096);
  });
  measure("mmap_read_ns", 200, 16, nothing_to_prepare, [&] {
    void* at = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, library_fd, 0);
    if (at == MAP_FAILED) fail("map " + library);
    (void)munmap(at, 4096);
  });
  (void)close(library_fd);
}

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "calls" && argc == 3) {
    measure_calls(argv[2]);
    return 0;
  }
  if (verb == "time" && argc >= 4) {
    const std::string name = argv[2];
    Stopwatch watch;
    const rusage usage = run(argv + 3, true);
    print((name + "_ns").c_str(), watch.lap_ns());
    print((name + "_peak_rss_bytes").c_str(), static_cast<double>(usage.ru_maxrss) * 1024);
    return 0;
  }
  (void)fputs("Usage: calls_bench calls DIR | time NAME COMMAND...\n", stderr);
  return 2;
}

}  // namespace
}  // namespace diglim::bench

int main(int argc, char** argv) {
  return diglim::bench::main(argc, argv);
}
