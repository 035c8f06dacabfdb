// SPDX-License-Identifier: Apache-2.0
// Goal: no initramfs and no program for the firmware crashes who reads it, and none is written elsewhere than
// into the directory. Expected: the same; what is compressed is refused, since there is no program here.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "tools/diglim/initramfs/archive.h"
#include "tools/diglim/initramfs/firmware_program.h"

namespace diglim::initramfs {
namespace {

void check(bool truth) {
  if (!truth) std::abort();
}

// A folder in memory, gone at the end.
class Place {
 public:
  Place() : folder_("/dev/shm/diglim-initramfs-fuzz.XXXXXX") {
    check(mkdtemp(folder_.data()) != nullptr && setenv("PATH", "", 1) == 0);
  }
  ~Place() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string in(const std::string& name) const { return folder_ + "/" + name; }
  bool has(const std::string& folder, const std::vector<std::string>& names) const {
    const auto found = list_folder(in(folder));
    return found && *found == names;
  }

 private:
  std::string folder_;
};

// Names that lead upwards end in the directories above.
void unpack(const Place& place, const std::string& image) {
  const std::string root = place.in("above/it/root");
  std::filesystem::create_directories(root);
  const auto done = unpack_image(image, root, place.in(""));
  check(done.has_value() || !done.error().message.empty());
  if (done) check(settle_links(root).has_value());
  check(place.has("", {"above", "image"}) && place.has("above", {"it"}) && place.has("above/it", {"root"}));
  std::filesystem::remove_all(root);
}

void read_program(const Place& place, const std::string& image, size_t size) {
  const auto sections = read_sections(image);
  if (!sections) return;
  for (const Section& section : *sections) {
    const std::string to = place.in("section");
    if (copy_section(image, section, to))
      check(std::filesystem::file_size(to) == section.size &&
            (section.size == 0 || section.offset + section.size <= size));
    (void)unlink(to.c_str());
  }
}

}  // namespace
}  // namespace diglim::initramfs

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace diglim;
  static const initramfs::Place place;
  const std::string image = place.in("image");
  {
    const auto file = open_file(image, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    initramfs::check(file && write_bytes(*file, image, ByteView(data, size)));
  }
  initramfs::unpack(place, image);
  initramfs::read_program(place, image, size);
  return 0;
}
