// SPDX-License-Identifier: Apache-2.0
// Private copies of a known file's pages: once written they are anonymous memory.
//
// Goal: make code that was mapped privately executable again, in every order, or after the file changed.
// Expected: allowed as long as the file's verdict holds; once it does not, denied, if the file could be
// written at all.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "selftests/kernel/attacks/attack.h"

namespace attacks {
namespace {

constexpr int kR = PROT_READ;
constexpr int kRW = PROT_READ | PROT_WRITE;
constexpr int kRX = PROT_READ | PROT_EXEC;
constexpr int kRWX = PROT_READ | PROT_WRITE | PROT_EXEC;

struct Order {
  const char* name;
  std::vector<int> protections;  // the first by mmap, then by mprotect; written whenever that is possible
};

// The errno of the step that was refused, or 0.
int take(const std::string& path, const Order& order) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  auto* page = static_cast<uint8_t*>(map_page(fd.get(), order.protections[0]));
  if (page == nullptr) return errno;
  int error = 0;
  for (const int protection : order.protections) {
    if (mprotect(page, 4096, protection) != 0) error = errno;
    if (error != 0) break;
    if ((protection & PROT_WRITE) != 0) page[kPageCodeAt] = kUnknownCode;
  }
  if (error == 0 && call(page) != kUnknownCode) error = EFAULT;
  (void)munmap(page, 4096);
  return error;
}

Report every_order() {
  const Order orders[] = {{"rx-rw-rx", {kRX, kRW, kRX}},
                          {"r-rw-rx", {kR, kRW, kRX}},
                          {"rw-rx", {kRW, kRX}},
                          {"rx-r-rw-rx", {kRX, kR, kRW, kRX}},
                          {"rwx", {kRWX}},
                          {"rx-rwx", {kRX, kRWX}},
                          {"rw-rx-rw-rx", {kRW, kRX, kRW, kRX}}};
  std::string failed;
  int error = 0;
  for (const bool shared : {false, true}) {
    for (const Order& order : orders) {
      const std::string path = known_copy("page", false);
      if (map_and_call(path) != kKnownCode) return not_tried("the known content is denied");
      const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
      void* other = shared ? map_page(fd.get(), kRX) : nullptr;  // somebody else has it mapped all the while
      if (const int result = take(path, order); result != 0) {
        failed += std::string(" ") + order.name + (shared ? " (mapped by others)" : "");
        error = result;
      }
      if (other != nullptr) (void)munmap(other, 4096);
    }
  }
  return failed.empty() ? allowed("in every order") : refused("mprotect in the order" + failed, error, EPERM);
}

// What the mapping still shows was never the content that is there now.
Report written_since() {
  const std::string path = known_copy("page", false);
  if (map_and_call(path) != kKnownCode) return not_tried("the known content is denied");
  const Fd reader(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  auto* page = static_cast<uint8_t*>(map_page(reader.get(), kRW));
  if (page == nullptr) return not_tried("mmap", errno);
  if (!put(path, code_page(kUnknownCode))) return refused("open for writing", errno, ETXTBSY);
  if (mprotect(page, 4096, kRX) != 0) return refused("mprotect", errno, EPERM);
  return judge_map(call(page), EPERM);
}
// The same with a copy that was made before, and that is not cut off.
Report copied_and_written() {
  const std::string path = known_copy("page", false);
  if (map_and_call(path) != kKnownCode) return not_tried("the known content is denied");
  const Fd reader(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  auto* page = static_cast<uint8_t*>(map_page(reader.get(), kRW));
  if (page == nullptr) return not_tried("mmap", errno);
  page[kPageCodeAt] = kUnknownCode;
  {
    const Fd writer(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!writer) return refused("open for writing", errno, ETXTBSY);
    if (pwrite(writer.get(), "\x01", 1, kPageCodeAt) != 1) return not_tried("write", errno);
  }
  if (mprotect(page, 4096, kRX) != 0) return refused("mprotect", errno, EPERM);
  return judge_map(call(page), EPERM);
}

constexpr Attack kAttacks[] = {
    {"private-orders", kAll | kHarmless, nullptr, every_order, "a private copy, executable again"},
    {"private-orders-user", kAll | kHarmless | kUser, nullptr, every_order, "the same by uid 1000"},
    {"private-written", kAll, "", written_since, "made executable after the file was written"},
    {"private-written-user", kAll | kUser, "", written_since, "the same by uid 1000"},
    {"private-copy-written", kAll, "", copied_and_written, "a copy made before the file was written"},
};

}  // namespace

std::span<const Attack> private_attacks() {
  return kAttacks;
}

}  // namespace attacks
