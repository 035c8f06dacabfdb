// SPDX-License-Identifier: Apache-2.0
#include "loader/measure.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "lib/base/file.h"
#include "lib/base/text.h"

namespace diglim {
namespace {

constexpr char kPolicyFile[] = "/sys/kernel/security/ima/policy";
constexpr char kCountFile[] = "/sys/kernel/security/ima/runtime_measurements_count";

}  // namespace

bool ima_was_active() {
  const auto line = read_stream("/proc/cmdline", 1 << 16);
  const auto count = read_stream(kCountFile, 64);
  if (!line || !count) return true;
  for (const std::string_view word : {"ima_policy=", "ima_tcb", "ima_appraise_tcb"}) {
    if (as_text(*line).find(word) != std::string_view::npos) return true;
  }
  // One is boot_aggregate. More come from rules that the kernel was built with.
  const std::string_view number = trim(as_text(*count));
  return number != "0" && number != "1";
}

Result<void> write_ima_policy(std::string_view text) {
  TRY_ASSIGN(const Fd policy, open_file(kPolicyFile, O_WRONLY));
  const ssize_t written = write(policy.get(), text.data(), text.size());
  if (written < 0) return from_errno(std::string("write ") + kPolicyFile, errno);
  if (static_cast<size_t>(written) != text.size())
    return Error{ErrorCode::kIo, EIO, std::string(kPolicyFile) + ": the kernel took only a part"};
  return {};  // it counts from the moment its file is closed
}

}  // namespace diglim
