// SPDX-License-Identifier: Apache-2.0
// What the attacks share: the verb table's row, the four outcomes, and helpers that make victims and run
// them.
//
// Goal: each attack really tries one thing and says honestly how it ended.
// Expected: with DIGLIM off every attack succeeds (the positive control), in enforce mode none does, in
// permissive mode nothing is blocked and each "would deny" is reported.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lib/base/file.h"

namespace attacks {

using diglim::Fd;

// The program's exit statuses too. 2 is a wrong call.
enum class Outcome { kAllowed = 0, kDenied = 1, kNotTried = 3, kOtherReason = 4 };

struct Report {
  Outcome outcome = Outcome::kNotTried;
  std::string detail;
};

// The goal was reached.
Report allowed(const std::string& what);
// The goal was not reached and needs no errno: what was done changed nothing.
Report harmless(const std::string& what);
// The kernel refused: as it should if `error` is the wanted one.
Report refused(const std::string& step, int error, int wanted);
Report not_tried(const std::string& step, int error = 0);

// In which modes the attack makes sense.
constexpr unsigned kOff = 1;
constexpr unsigned kEnforce = 2;
constexpr unsigned kPermissive = 4;
constexpr unsigned kAll = 7;
// What should end well also when DIGLIM enforces: the other half of the truth.
constexpr unsigned kHarmless = 8;
// Leaves the machine in a state that others should not see: run in a boot of its own part, at the end.
constexpr unsigned kLast = 16;
// Needs a machine that booted with ima_policy=tcb, which the loader replaces.
constexpr unsigned kIma = 64;
// Needs a machine where IMA goes on to collect every program: measure=on, without an LSM whose labels steer
// it.
constexpr unsigned kMeasured = 4096;
// Tried as uid 1000, without any capability.
constexpr unsigned kUser = 128;

struct Attack {
  const char* name;
  unsigned flags;
  const char* event;  // text that the log line of the denial must have; "": any; null: none is expected
  Report (*run)();
  const char* summary;
};

std::span<const Attack> content_attacks();
std::span<const Attack> stale_attacks();
std::span<const Attack> race_attacks();
std::span<const Attack> bpf_attacks();
std::span<const Attack> mount_attacks();
std::span<const Attack> process_attacks();
std::span<const Attack> loader_attacks();
std::span<const Attack> ima_attacks();
std::span<const Attack> pinned_attacks();
std::span<const Attack> stacked_attacks();
std::span<const Attack> dropped_attacks();
std::span<const Attack> storage_attacks();
std::span<const Attack> private_attacks();
std::span<const Attack> foreign_attacks();
std::span<const Attack> hidden_attacks();
std::span<const Attack> breakpoint_attacks();
std::span<const Attack> log_attacks();
std::span<const Attack> more_attacks();
std::span<const Attack> window_attacks();

// --- victims
// ---------------------------------------------------------------------------------------------------
constexpr int kKnownCode = 42;    // what the known victims answer
constexpr int kUnknownCode = 77;  // what the unknown ones answer
constexpr const char* kBase = "/opt/attacks";

// A static program of about 180 bytes that exits with `code`. Byte kElfCodeAt of it is `code`.
std::vector<uint8_t> tiny_elf(uint8_t code);
// One page whose first instructions return `code`. Byte kPageCodeAt of it is `code`.
std::vector<uint8_t> code_page(uint8_t code);
constexpr size_t kElfCodeAt = 0x79;
constexpr size_t kPageCodeAt = 1;

// A program and a code page whose last four bytes say what they answer: kKnownCode, or kUnknownCode when
// these bytes are zeros, as they are after they were cut off and the file grew again.
std::vector<uint8_t> tail_elf(bool cut);
std::vector<uint8_t> tail_page(bool cut);
constexpr size_t kTailAt = 4092;

// Files that the digest list covers, written on the build machine: DIR/elf, DIR/page, DIR/script, DIR/big,
// DIR/tail-elf, DIR/tail-page.
bool write_known_files(const std::string& folder);
// Files that take seconds to be hashed, nearly all of them a hole: never copied, each makes its own.
// DIR/slow-page is covered by the digest list as well, DIR/slow-elf by a list of its own (lists/slow).
bool write_slow_files(const std::string& folder);
bool put_slow(const std::string& path, std::span<const uint8_t> begin);

// A fresh empty folder on the root's tmpfs.
std::string scratch();
bool put(const std::string& path, std::span<const uint8_t> bytes, unsigned mode = 0755);
std::vector<uint8_t> get(const std::string& path);
std::string known(const char* name);  // path of a known file
// A copy of a known file at a new path, and for programs: run once, so that its verdict is cached.
std::string known_copy(const char* name, bool run = true);

// A known file in the upper layer of an overlay: the same content by two paths. Empty, with errno, where the
// kernel refuses. Who is not root enters a user namespace for it.
struct Stacked {
  std::string direct;
  std::string through;
};
Stacked stack_over(const char* name);

// --- doing
// ---------------------------------------------------------------------------------------------------------
// What a program that was started did: its exit status (128+n: signal n), or -errno when it could not be
// executed.
int run(const std::vector<std::string>& arguments);
int run_fd(int fd);  // execveat(fd, "", AT_EMPTY_PATH)
// run() judged for a victim: kUnknownCode is kAllowed.
Report judge_run(int result, int wanted);
// mmap one page of the file with `protection`; address, or null with errno.
void* map_page(int fd, int protection, int flags = 0x02 /* MAP_PRIVATE */);
int call(void* page);  // calls the code there: its answer, or -signal
// Opens for reading, maps executable, calls, unmaps: the answer, or -errno of mmap.
int map_and_call(const std::string& path);
Report judge_map(int result, int wanted);
// Waits for each: how many ended with another status than 0.
int count_failed(std::span<const pid_t> pids);
bool unknown_is_denied();  // does DIGLIM still enforce?
int loader(const std::vector<std::string>& arguments,
           std::string* output = nullptr);                          // /usr/sbin/diglim-loader
bool write_text(const std::string& path, const std::string& text);  // open(O_WRONLY), write; errno on failure
double now();                                                       // seconds, monotonic
pid_t process_named(const std::string& name);                       // by /proc/PID/comm; -1: there is none
// Root of a user namespace, with a mount namespace of its own. False with errno. REQUIRES: one thread.
bool enter_user_namespace();

}  // namespace attacks
