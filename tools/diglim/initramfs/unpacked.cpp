// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/initramfs/unpacked.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tools/diglim/initramfs/image.h"
#include "tools/run_command.h"

namespace diglim {
namespace {

// The first bytes of a program for the firmware, which a unified kernel image is.
constexpr std::string_view kMz = "MZ";

Result<bool> is_unified(const std::string& image) {
  TRY_ASSIGN(const auto fd, open_file(image, O_RDONLY));
  char magic[2] = {};
  return pread(fd.get(), magic, sizeof magic, 0) == sizeof magic &&
         std::string_view(magic, sizeof magic) == kMz;
}

// Its section .initrd (systemd-stub(7)) becomes a file. lsinitrd wants sections besides that not each image
// has.
Result<void> take_initrd(const std::string& image, const std::string& to) {
  // Its status says nothing: it complains of the second output, which nobody wants.
  TRY(run_command({"objcopy", "--dump-section", ".initrd=" + to, image, to + ".copy"}, Errors::kHide));
  struct stat info = {};
  if (stat(to.c_str(), &info) == 0 && info.st_size > 0) return {};
  return Error{ErrorCode::kIo, 0,
               "objcopy finds no section .initrd in the unified kernel image " + escape(image)};
}

}  // namespace

UnpackedInitramfs::UnpackedInitramfs(std::string folder)
    : folder_(std::move(folder)), root_(folder_ + "/root") {}

UnpackedInitramfs::UnpackedInitramfs(UnpackedInitramfs&& other) noexcept
    : folder_(std::exchange(other.folder_, std::string())), root_(std::move(other.root_)) {}

UnpackedInitramfs::~UnpackedInitramfs() {
  std::error_code ignored;  // what stays is below /tmp
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

Result<UnpackedInitramfs> UnpackedInitramfs::of_image(const std::string& given) {
  if (const auto found = run_command({"sh", "-c", "command -v lsinitrd"}, Errors::kHide);
      !found || found->status != 0)
    return not_found("lsinitrd, a part of dracut, is not installed");
  std::string folder = "/tmp/diglim-initramfs.XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return from_errno("create " + folder, errno);
  UnpackedInitramfs unpacked(folder);
  if (mkdir(unpacked.root().c_str(), 0700) != 0) return from_errno("create " + unpacked.root(), errno);
  std::string image = given;
  TRY_ASSIGN(const bool unified, is_unified(image));
  if (unified) {
    image = folder + "/initrd";
    TRY(take_initrd(given, image));
  }
  // It unpacks into the current directory.
  TRY_ASSIGN(
      const CommandResult done,
      run_command({"sh", "-c", R"(image=$(realpath -- "$2") && cd "$1" && exec lsinitrd --unpack "$image")",
                   "sh", unpacked.root(), image},
                  Errors::kCapture));
  const auto names = list_folder(unpacked.root());
  if (done.status != 0 || !names || names->empty()) {
    std::string_view said = done.output;
    said = said.substr(0, said.find('\n'));
    return Error{ErrorCode::kIo, 0,
                 "the initramfs " + escape(given) + " cannot be unpacked" +
                     (said.empty() ? std::string() : " (lsinitrd: " + escape(said, 300) + ")")};
  }
  return unpacked;
}

Result<UnpackedInitramfs> UnpackedInitramfs::of_kernel(const std::string& release) {
  TRY_ASSIGN(const auto image, initramfs::find_image("", release));
  if (!image) return not_found("no initramfs of kernel " + escape(release) + " is found");
  return of_image(*image);
}

}  // namespace diglim
