// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/initramfs/unpacked.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tools/diglim/initramfs/archive.h"
#include "tools/diglim/initramfs/firmware_program.h"
#include "tools/diglim/initramfs/image.h"
#include "tools/run_command.h"

namespace diglim {
namespace {

constexpr const char* kInitrd = ".initrd";
constexpr const char* kMicrocode = ".ucode";  // an initramfs, too, which systemd-stub hands over first

}  // namespace

UnpackedInitramfs::UnpackedInitramfs(std::string folder)
    : folder_(std::move(folder)), root_(folder_ + "/root") {}

UnpackedInitramfs::UnpackedInitramfs(UnpackedInitramfs&& other) noexcept
    : folder_(std::exchange(other.folder_, std::string())), root_(std::move(other.root_)) {}

UnpackedInitramfs::~UnpackedInitramfs() {
  // std::filesystem::remove_all keeps a descriptor for each level, of which a stranger's archive may have
  // many.
  if (!folder_.empty()) (void)run_command({"rm", "-rf", "--", folder_}, Errors::kHide);
}

Result<void> UnpackedInitramfs::add(const std::string& image) {
  TRY_ASSIGN(const auto sections, initramfs::read_sections(image));
  if (sections.empty()) return initramfs::unpack_image(image, root_, folder_);
  if (initramfs::named(sections, kInitrd).empty())
    return Error{ErrorCode::kCorrupt, 0, "this unified kernel image has no section .initrd"};
  for (const std::string& addon : initramfs::addons_of(image)) {
    TRY_ASSIGN(const auto parts, initramfs::read_sections(addon));
    for (const char* name : {kMicrocode, kInitrd}) {
      if (!initramfs::named(parts, name).empty())
        return unsupported(fmt::format("{} may add an initramfs to this one's: remove it", escape(addon)));
    }
  }
  for (const char* name : {kMicrocode, kInitrd}) {
    const auto found = initramfs::named(sections, name);
    if (found.size() > 1)
      return unsupported(fmt::format(
          "this unified kernel image has {} sections {} (profiles), and which one is booted is not to be "
          "seen here",
          found.size(), name));
    const std::string part = folder_ + "/part";
    if (!found.empty()) {
      TRY(initramfs::copy_section(image, found.front(), part));
      TRY(initramfs::unpack_image(part, root_, folder_));
    }
  }
  return {};
}

Result<UnpackedInitramfs> UnpackedInitramfs::of_images(const std::vector<std::string>& paths) {
  std::string folder = "/var/tmp/diglim-initramfs.XXXXXX";  // /tmp may be small, and in memory
  if (mkdtemp(folder.data()) == nullptr) return from_errno("create " + folder, errno);
  UnpackedInitramfs unpacked(folder);
  if (mkdir(unpacked.root().c_str(), 0700) != 0) return from_errno("create " + unpacked.root(), errno);
  for (const std::string& path : paths) {
    auto added = unpacked.add(path);
    const auto names = list_folder(unpacked.root());
    if (added && (!names || names->empty())) added = Error{ErrorCode::kCorrupt, 0, "there is nothing in it"};
    if (!added) return with_context("the initramfs " + escape(path) + " cannot be unpacked", added.error());
  }
  TRY(initramfs::settle_links(unpacked.root()));
  return unpacked;
}

Result<UnpackedInitramfs> UnpackedInitramfs::of_kernel(const std::string& release) {
  TRY_ASSIGN(const auto images, initramfs::find_images("", release));
  if (images.empty()) return not_found("no initramfs of kernel " + escape(release) + " is found");
  return of_images(images);
}

}  // namespace diglim
