// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/initramfs/unpacked.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tools/diglim/initramfs/archive.h"
#include "tools/diglim/initramfs/firmware_program.h"
#include "tools/diglim/initramfs/image.h"

namespace diglim {
namespace {

constexpr const char* kInitrd = ".initrd";

}  // namespace

UnpackedInitramfs::UnpackedInitramfs(std::string folder)
    : folder_(std::move(folder)), root_(folder_ + "/root") {}

UnpackedInitramfs::UnpackedInitramfs(UnpackedInitramfs&& other) noexcept
    : folder_(std::exchange(other.folder_, std::string())), root_(std::move(other.root_)) {}

UnpackedInitramfs::~UnpackedInitramfs() {
  std::error_code ignored;  // what stays is below /tmp
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

Result<void> UnpackedInitramfs::add(const std::string& image) {
  TRY_ASSIGN(const auto sections, initramfs::read_sections(image));
  if (sections.empty()) return initramfs::unpack_image(image, root_, folder_);
  const auto found = initramfs::named(sections, kInitrd);
  if (found.size() != 1)
    return Error{ErrorCode::kIo, 0,
                 found.empty()
                     ? "this unified kernel image has no section .initrd"
                     : fmt::format("this unified kernel image has {} sections .initrd (profiles), and "
                                   "which one is booted is not to be seen here",
                                   found.size())};
  for (const std::string& addon : initramfs::addons_of(image)) {
    const auto parts = initramfs::read_sections(addon);
    if (!parts) return parts.error();
    if (!initramfs::named(*parts, kInitrd).empty())
      return Error{ErrorCode::kIo, 0, fmt::format("{} may add an initramfs to this one's", escape(addon))};
  }
  const std::string initrd = folder_ + "/initrd";
  TRY(initramfs::copy_section(image, found.front(), initrd));
  auto done = initramfs::unpack_image(initrd, root_, folder_);
  (void)unlink(initrd.c_str());
  return done;
}

Result<UnpackedInitramfs> UnpackedInitramfs::of_images(const std::vector<std::string>& paths) {
  std::string folder = "/tmp/diglim-initramfs.XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return from_errno("create " + folder, errno);
  UnpackedInitramfs unpacked(folder);
  if (mkdir(unpacked.root().c_str(), 0700) != 0) return from_errno("create " + unpacked.root(), errno);
  for (const std::string& path : paths) {
    auto added = unpacked.add(path);
    const auto names = list_folder(unpacked.root());
    if (added && (!names || names->empty())) added = Error{ErrorCode::kIo, 0, "there is nothing in it"};
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
