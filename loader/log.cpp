// SPDX-License-Identifier: Apache-2.0
#include "loader/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "lib/base/file.h"

namespace diglim {

int log_line(int priority, const std::string& line) {
  // One write is one record. The kernel refuses one of more than about 980 bytes (devkmsg_write: EINVAL), and
  // shows what is not printable as \xNN. event_line() keeps within that; of another text the end is cut.
  constexpr size_t kMost = 940;
  const std::string text = line.size() > kMost ? line.substr(0, kMost) + "..." : line;
  const std::string record = "<" + std::to_string(priority) + ">diglim: " + text + "\n";
  // Through the folder as it was found first: the keeper stays in the initramfs, from which /dev is moved
  // away. Opened for each line, since the kernel limits the rate of each open file (printk.devkmsg) and
  // denials must not be among what it drops.
  static Fd dev;  // NOLINT: the loader has one thread
  if (!dev) dev = Fd(open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const Fd log(openat(dev.get(), "kmsg", O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat info = {};
  if (log && fstat(log.get(), &info) == 0 && (!S_ISCHR(info.st_mode) || info.st_rdev != makedev(1, 11)))
    errno = ENXIO;  // something else of that name
  else if (log && write(log.get(), record.data(), record.size()) >= 0)
    return 0;
  const int error = errno;
  (void)fprintf(stderr, "diglim: %s\n", line.c_str());
  return error;
}

}  // namespace diglim
