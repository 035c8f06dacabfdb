// SPDX-License-Identifier: Apache-2.0
// calls_bench calls DIR RUNS: exec (RUNS times), mmap (5 * RUNS), open (10 * RUNS), timed one by one; DIR
// holds `nothing`, `dynamic`, `library` of 2 MiB, all known, and `data`. calls_bench loop NAME DIR SECONDS:
// one of these calls, again and again, for someone who looks on. calls_bench first DIR: exec of a file that
// has to be hashed; DIR holds `nothing-100k`, `nothing-5m`, known. calls_bench each NAME FILE...: exec of
// each file, once. calls_bench four DIR RUNS: `nothing`, executed by four processes at once. calls_bench
// repeat NAME RUNS COMMAND...: one command, again and again. calls_bench time NAME COMMAND...: one command:
// time and peak memory. calls_bench contend DIR SECONDS: 1, 2 and 4 processes that execute `nothing` all the
// time.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

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

// The clock is read around each call, so that an interrupt falls into one sample and not into the median.
void measure(const char* name, int samples, const std::function<void()>& prepare,
             const std::function<void()>& call, int warm_ups = 3) {
  std::vector<double> all_ns;
  for (int i = -warm_ups; i < samples; ++i) {
    prepare();
    Stopwatch watch;
    call();
    const double passed_ns = watch.lap_ns();
    if (i >= 0) all_ns.push_back(passed_ns);
  }
  print(name, std::move(all_ns));
}

void open_and_close(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) fail("open " + path);
  (void)close(fd);
}

void map_and_unmap(int fd, int protection) {
  constexpr size_t kSize = 2 << 20;
  void* at = mmap(nullptr, kSize, protection, MAP_PRIVATE, fd, 0);
  if (at == MAP_FAILED) fail("map the library");
  (void)munmap(at, kSize);
}

void execute(const std::string& path) {
  std::string program = path;
  char* const arguments[] = {program.data(), nullptr};
  (void)run(arguments, false);
}

struct Call {
  std::string name;
  int samples_per_run;
  std::function<void()> call;
};

std::vector<Call> all_calls(const std::string& folder) {
  const std::string library = folder + "/library";
  const int fd = open(library.c_str(), O_RDONLY | O_CLOEXEC);  // stays open
  if (fd < 0) fail("open " + library);
  return {
      {"exec_static", 1, [=] { execute(folder + "/nothing"); }},
      {"exec_dynamic", 1, [=] { execute(folder + "/dynamic"); }},
      {"mmap_exec", 5, [=] { map_and_unmap(fd, PROT_READ | PROT_EXEC); }},
      {"mmap_plain", 5, [=] { map_and_unmap(fd, PROT_READ); }},
      {"open_ro", 10, [=] { open_and_close(folder + "/data", O_RDONLY); }},
      {"open_rw", 10, [=] { open_and_close(folder + "/data", O_RDWR); }},
  };
}

void measure_calls(const std::string& folder, int runs) {
  for (const Call& call : all_calls(folder))
    measure((call.name + "_ns").c_str(), runs * call.samples_per_run, [] {}, call.call);
}

void loop(std::string_view name, const std::string& folder, double seconds) {
  for (const Call& call : all_calls(folder)) {
    if (call.name != name) continue;
    const uint64_t end_ns = now_ns() + static_cast<uint64_t>(seconds * 1e9);
    while (now_ns() < end_ns) call.call();
    return;
  }
  errno = EINVAL;
  fail("no such call");
}

// Opening for write makes DIGLIM forget what it knew: the next exec hashes again.
void measure_first(const char* name, const std::string& path, int samples) {
  measure(
      name, samples, [&] { open_and_close(path, O_WRONLY); }, [&] { execute(path); });
}

void measure_each(const std::string& name, char** files, int count) {
  int next = 0;
  measure((name + "_ns").c_str(), count, [] {}, [&] { execute(files[next++]); }, 0);
}

// Returns in each child, with true; in the parent when all have ended, with false.
bool in_processes(int count) {
  for (int i = 0; i < count; ++i) {
    const pid_t pid = fork();
    if (pid < 0) fail("fork");
    if (pid == 0) return true;
  }
  for (int i = 0; i < count; ++i) {
    int status = 0;
    if (wait(&status) < 0) fail("wait");
    if (status != 0) {
      (void)fprintf(stderr, "calls_bench: a process ended with wait status %d\n", status);
      exit(3);
    }
  }
  return false;
}

void measure_four(const std::string& folder, int runs) {
  std::string program = folder + "/nothing";
  char* const arguments[] = {program.data(), nullptr};
  const auto four_at_once = [&] {
    if (!in_processes(4)) return;
    (void)execv(arguments[0], arguments);
    _exit(127);
  };
  measure(
      "exec_four_ns", runs, [] {}, four_at_once);
}

// One exec's share of the time in which all processes together made their execs.
void contend(const std::string& folder, int processes, double seconds) {
  const auto length_ns = static_cast<uint64_t>(seconds * 1e9);
  int counts[2] = {};
  if (pipe(counts) != 0) fail("pipe");
  const uint64_t start_ns = now_ns();
  if (in_processes(processes)) {
    uint64_t count = 0;
    for (; now_ns() < start_ns + length_ns; ++count) execute(folder + "/nothing");
    _exit(write(counts[1], &count, sizeof(count)) == sizeof(count) ? 0 : 3);
  }
  const auto passed_ns = static_cast<double>(now_ns() - start_ns);
  uint64_t total = 0;
  for (int i = 0; i < processes; ++i) {
    uint64_t count = 0;
    if (read(counts[0], &count, sizeof(count)) != sizeof(count)) fail("count");
    total += count;
  }
  (void)close(counts[0]);
  (void)close(counts[1]);
  print(("at_once_" + std::to_string(processes) + "_ns").c_str(), passed_ns / static_cast<double>(total));
}

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  const int runs = verb == "calls" && argc == 4 ? atoi(argv[3]) : 0;
  if (runs > 0) {
    measure_calls(argv[2], runs);
    return 0;
  }
  if (verb == "loop" && argc == 5) {
    loop(argv[2], argv[3], atof(argv[4]));
    return 0;
  }
  if (verb == "first" && argc == 3) {
    const std::string folder = argv[2];
    measure_first("exec_first_100k_ns", folder + "/nothing-100k", 20);
    measure_first("exec_first_5m_ns", folder + "/nothing-5m", 5);
    return 0;
  }
  if (verb == "each" && argc >= 4) {
    measure_each(argv[2], argv + 3, argc - 3);
    return 0;
  }
  if (verb == "four" && argc == 4 && atoi(argv[3]) > 0) {
    measure_four(argv[2], atoi(argv[3]));
    return 0;
  }
  if (verb == "repeat" && argc >= 5 && atoi(argv[3]) > 0) {
    const std::string name = std::string(argv[2]) + "_ns";
    measure(
        name.c_str(), atoi(argv[3]), [] {}, [&] { (void)run(argv + 4, true); }, 1);
    return 0;
  }
  if (verb == "contend" && argc == 4) {
    for (const int processes : {1, 2, 4}) contend(argv[2], processes, atof(argv[3]));
    return 0;
  }
  if (verb == "time" && argc >= 4) {
    const std::string name = argv[2];
    Stopwatch watch;
    const rusage usage = run(argv + 3, true);
    const auto microseconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
    };
    print((name + "_passed_ns").c_str(), watch.lap_ns());
    // What the process did, also in the kernel: without waiting, and without what others did meanwhile.
    print((name + "_ns").c_str(), (microseconds(usage.ru_utime) + microseconds(usage.ru_stime)) * 1000);
    print((name + "_peak_rss_bytes").c_str(), static_cast<double>(usage.ru_maxrss) * 1024);
    return 0;
  }
  (void)fputs(
      "Usage: calls_bench calls DIR RUNS | loop NAME DIR SECONDS | first DIR | each NAME FILE... | four DIR "
      "RUNS\n"
      "       calls_bench repeat NAME RUNS COMMAND... | time NAME COMMAND... | contend DIR SECONDS\n",
      stderr);
  return 2;
}

}  // namespace
}  // namespace diglim::bench

int main(int argc, char** argv) {
  return diglim::bench::main(argc, argv);
}
