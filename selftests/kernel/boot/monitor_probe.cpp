// SPDX-License-Identifier: Apache-2.0
// What the tests of monitor mode (guest/monitor*) need and busybox lacks:
//   sign KEY CERTIFICATE FILE      signs standard input, whatever it is, into FILE
//   hold FILE GO                   maps FILE executable, says "mapped"; once GO is there, makes the mapping
//                                  writable and executable again, and says how that ended
//   later SECONDS COMMAND...       runs it in a time namespace whose CLOCK_BOOTTIME is so much later
//   set-boottime                   says how it ends to set that clock
//   kexec FILE                     says how it ends to load FILE as a kernel
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

#include "lib/base/file.h"
#include "lib/cms/appended_signature.h"
#include "lib/cms/cms_sign.h"
#include "lib/crypto/openssl.h"

namespace {

using namespace diglim;

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

int say(const char* what, bool good) {
  std::printf("%s: %s\n", what, good ? "done" : std::strerror(errno));
  return good ? 0 : 1;
}

int sign(char** argv) {
  const auto text = read_stream("/dev/stdin", 1u << 20);
  if (!text) return 1;
  const auto signature = sign_cms(*text, argv[0], argv[1]);
  if (!signature) {
    std::fprintf(stderr, "%s\n", signature.error().message.c_str());
    return 1;
  }
  return write_file_atomically(argv[2], append_signature(*text, *signature, SignatureType::kPkcs7), 0600) ? 0
                                                                                                          : 1;
}

int hold(char** argv) {
  const Fd file(open(argv[0], O_RDONLY | O_CLOEXEC));
  void* at = mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file.get(), 0);
  if (at == MAP_FAILED) return say("map", false);
  std::printf("mapped\n");
  (void)std::fflush(stdout);
  while (access(argv[1], F_OK) != 0) (void)usleep(100'000);
  if (mprotect(at, 4096, PROT_READ) != 0) return say("mprotect for reading", false);
  return say("mprotect", mprotect(at, 4096, PROT_READ | PROT_EXEC) == 0);
}

int later(char** argv) {
  if (unshare(CLONE_NEWTIME) != 0) return say("unshare", false);
  const std::string text = "boottime " + std::string(argv[0]) + " 0\n";
  const Fd offsets(open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC));
  if (write(offsets.get(), text.data(), text.size()) < 0) return say("offset", false);
  const pid_t pid = fork();  // the child is in it
  if (pid == 0) {
    timespec now = {};
    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    std::printf("boottime here: %ld\n", static_cast<long>(now.tv_sec));
    (void)std::fflush(stdout);
    (void)execv(argv[1], argv + 1);
    _exit(126);
  }
  int status = 0;
  (void)waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}

int kexec(char** argv) {
  const Fd file(open(argv[0], O_RDONLY | O_CLOEXEC));
  constexpr unsigned long kNoInitramfs = 4;  // KEXEC_FILE_NO_INITRAMFS
  return say("kexec", syscall(SYS_kexec_file_load, file.get(), -1, 1UL, "", kNoInitramfs) == 0);
}

}  // namespace

int main(int argc, char** argv) {
  init_openssl();
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "sign" && argc == 5) return sign(argv + 2);
  if (verb == "hold" && argc == 4) return hold(argv + 2);
  if (verb == "later" && argc > 3) return later(argv + 2);
  if (verb == "kexec" && argc == 3) return kexec(argv + 2);
  if (verb == "set-boottime") {
    const timespec zero = {};
    return say("set", clock_settime(CLOCK_BOOTTIME, &zero) == 0);
  }
  return 2;
}
