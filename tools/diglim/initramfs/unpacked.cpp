// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/initramfs/unpacked.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tools/run_command.h"

namespace diglim {

UnpackedInitramfs::UnpackedInitramfs(UnpackedInitramfs&& other) noexcept
    : root_(std::exchange(other.root_, std::string())) {}

UnpackedInitramfs::~UnpackedInitramfs() {
  std::error_code ignored;  // what stays is below /tmp
  if (!root_.empty()) std::filesystem::remove_all(root_, ignored);
}

Result<UnpackedInitramfs> UnpackedInitramfs::of_kernel(const std::string& release) {
  if (const auto found = run_command({"sh", "-c", "command -v lsinitrd"}, Errors::kHide);
      !found || found->status != 0)
    return not_found("lsinitrd, a part of dracut, is not installed");
  std::string path = "/tmp/diglim-initramfs.XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return from_errno("create " + path, errno);
  UnpackedInitramfs unpacked(path);
  // It unpacks into the current directory.
  TRY_ASSIGN(
      const CommandResult done,
      run_command({"sh", "-c", R"(cd "$1" && exec lsinitrd --kver "$2" --unpack)", "sh", path, release},
                  Errors::kCapture));
  const auto names = list_folder(path);
  if (done.status != 0 || !names || names->empty()) {
    std::string_view said = done.output;
    said = said.substr(0, said.find('\n'));
    return Error{ErrorCode::kIo, 0,
                 "the initramfs of kernel " + escape(release) + " cannot be unpacked" +
                     (said.empty() ? std::string() : " (lsinitrd: " + escape(said, 300) + ")")};
  }
  return unpacked;
}

}  // namespace diglim
