// SPDX-License-Identifier: Apache-2.0
#include "lib/librpm/files_in_place.h"

#include <fcntl.h>
#include <rpm/rpmtag.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <optional>

#include "lib/cms/appended_signature.h"
#include "lib/crypto/hash.h"
#include "lib/librpm/librpm.h"

namespace diglim {
namespace {

constexpr size_t kMagicBytes = 8;
constexpr uint64_t kMaxFileBytes = 1u << 30;
constexpr size_t kChunkBytes = 256u << 10;

struct ShippedFile {
  std::string path;
  uint64_t size = 0;
  HashAlgo algo = HashAlgo::kMd5;
  Bytes digest;
};

// Calls `on_file` for each regular file until it returns true; returns whether it did. A list that cannot be
// read has no files.
bool any_file(ByteView list, bool with_path, const std::function<bool(const ShippedFile&)>& on_file) {
  const auto parts = split_appended_signature(list);
  if (!parts || parts->content.size() <= kMagicBytes) return false;
  const ByteView blob = parts->content.subspan(kMagicBytes);
  // It copies, but its argument is not const.
  const RpmHeaderPtr header(headerImport(const_cast<uint8_t*>(blob.data()),
                                         static_cast<unsigned int>(blob.size()), HEADERIMPORT_COPY));
  if (!header) return false;
  const RpmFilesPtr files(rpmfilesNew(nullptr, header.get(), RPMTAG_BASENAMES, RPMFI_NOHEADER));
  const int count = files ? static_cast<int>(rpmfilesFC(files.get())) : 0;
  for (int i = 0; i < count; ++i) {
    int algo = 0;
    size_t size = 0;
    const unsigned char* digest = rpmfilesFDigest(files.get(), i, &algo, &size);
    const auto known = hash_from_openpgp(static_cast<uint32_t>(algo));
    if (digest == nullptr || size == 0 || !known || !S_ISREG(rpmfilesFMode(files.get(), i))) continue;
    ShippedFile file = {{}, rpmfilesFSize(files.get(), i), *known, Bytes(digest, digest + size)};
    if (with_path) {
      const MallocPtr<char> path(rpmfilesFN(files.get(), i));
      file.path = path ? path.get() : "";
    }
    if (on_file(file)) return true;
  }
  return false;
}

// nullopt: it cannot be read.
std::optional<Bytes> digest_of(int fd, HashAlgo algo) {
  auto hasher = Hasher::create(algo);
  Bytes chunk(kChunkBytes);
  for (;;) {
    const ssize_t got = read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 || !hasher) return std::nullopt;
    if (got == 0) break;
    if (!hasher->update(ByteView(chunk).first(static_cast<size_t>(got)))) return std::nullopt;
  }
  auto digest = hasher->finish();
  if (!digest) return std::nullopt;
  return *std::move(digest);
}

bool is_in_place(const std::string& root, const ShippedFile& file) {
  if (file.size > kMaxFileBytes) return true;  // not to be read for long; to keep a list is the safe answer
  const Fd fd(open((root + file.path).c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  struct stat info = {};
  if (!fd || fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  if (static_cast<uint64_t>(info.st_size) != file.size) return false;
  const auto digest = digest_of(fd.get(), file.algo);
  return digest && *digest == file.digest;
}

}  // namespace

bool FilesInPlace::needs(ByteView list) {
  if (!is_known_) {
    for (const PackageList& package : installed_()) {
      (void)any_file(package.list, false, [&](const ShippedFile& file) {
        known_.insert(to_hex(file.digest));
        return false;
      });
    }
    is_known_ = true;
  }
  return any_file(list, true, [&](const ShippedFile& file) {
    return !known_.contains(to_hex(file.digest)) && is_in_place(root_, file);
  });
}

}  // namespace diglim
