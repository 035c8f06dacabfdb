// SPDX-License-Identifier: Apache-2.0
#include "lib/digest_list/package_list.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/digest_list/rpm_list.h"
#include "lib/rpm/package.h"
#include "lib/rpm/package_file.h"

namespace diglim {
namespace {

constexpr size_t kLeadBytes = 112;
constexpr size_t kMagicBytes = 8;

// Grows `head` to `size` bytes or to the end of the file.
Result<void> read_more(int fd, off_t base, const std::string& path, size_t size, Bytes& head) {
  uint8_t room[1u << 16];  // as in read_up_to()
  while (head.size() < size) {
    const ssize_t got =
        pread(fd, room, std::min(size - head.size(), sizeof(room)), base + static_cast<off_t>(head.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return from_errno("read " + escape(path), errno);
    if (got == 0) return {};
    append(head, {room, static_cast<size_t>(got)});
  }
  return {};
}

Result<Bytes> read_head(int fd, off_t base, const std::string& path) {
  Bytes head;
  for (size_t wanted = kLeadBytes; wanted > head.size();) {
    const size_t before = head.size();
    TRY(read_more(fd, base, path, wanted, head));
    if (head.size() == before) break;  // the end; locate_package() says what is missing
    TRY_ASSIGN(wanted, rpm::package_head_size(head));
  }
  return head;
}

// "name-epoch:version-release.arch" without the epoch, which file names of lists never had.
std::string without_epoch(const std::string& nevra) {
  const size_t release = nevra.rfind('-');
  const size_t version =
      release == std::string::npos || release == 0 ? release : nevra.rfind('-', release - 1);
  if (version == std::string::npos) return nevra;
  const size_t colon = nevra.find(':', version);
  if (colon == std::string::npos || colon > release) return nevra;
  return nevra.substr(0, version + 1) + nevra.substr(colon + 1);
}

}  // namespace

Result<PackageList> list_of_package_file(const std::string& path) {
  TRY_ASSIGN(const Fd fd, open_file(path, O_RDONLY | O_NONBLOCK));
  return list_of_package(fd.get(), 0, path);
}

Result<PackageList> list_of_package(int fd, off_t base, const std::string& path) {
  TRY_ASSIGN(const Bytes head, read_head(fd, base, path));
  TRY_ASSIGN(const rpm::SignedHeader header, rpm::locate_package(head));
  // Not verified, and used for nothing but the name of a file; the loader goes by the content.
  TRY_ASSIGN(const rpm::Package package, rpm::read_package(header.signed_bytes, header.header_offset));
  std::vector<Bytes> packets;
  for (const auto& [packet, offset] : header.signatures) packets.push_back(packet);
  PackageList result;
  result.nvra = without_epoch(package.nevra);
  TRY_ASSIGN(result.list, make_rpm_list(header.signed_bytes.subspan(kMagicBytes), packets));
  return result;
}

}  // namespace diglim
