// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/written.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "lib/base/file.h"
#include "lib/base/text.h"

namespace diglim {

Result<void> write_output(const std::string& path, ByteView bytes, mode_t mode) {
  if (path != "-") {
    struct stat named = {}, info = {};
    if (lstat(path.c_str(), &named) != 0 || S_ISREG(named.st_mode))
      return write_file_atomically(path, bytes, mode);
    // In /tmp others wait for a name that root writes to. Whose link it is nobody else can change there.
    if (named.st_uid != 0 && named.st_uid != geteuid())
      return invalid(escape(path) + " is another user's, and no regular file: name another one");
    if (stat(path.c_str(), &info) != 0) return write_file_atomically(path, bytes, mode);
    if (!S_ISREG(info.st_mode)) {
      TRY_ASSIGN(const Fd fd, open_file(path, O_WRONLY | O_NOCTTY));
      return write_bytes(fd, path, bytes);
    }
    const std::unique_ptr<char, decltype(&free)> real(realpath(path.c_str(), nullptr), free);
    if (!real) return from_errno("realpath " + escape(path), errno);
    return write_file_atomically(real.get(), bytes, mode);
  }
  if (fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size() || fflush(stdout) != 0)
    return from_errno("write to stdout", errno);
  return {};
}

void Written::add_option(OptionParser& app) {
  app.add_flag("--json", wanted_, "print JSON: what was written; with -o FILE");
}

Result<void> Written::begin(const std::string& output) {
  if (wanted_ && output == "-")
    return invalid("--json says what was written, and standard output has the result: name a file (-o FILE)");
  json_.begin_object().key("written").value(output);
  return {};
}

void Written::print() {
  if (wanted_) fmt::print("{}\n", json_.end_object().text());
}

}  // namespace diglim
