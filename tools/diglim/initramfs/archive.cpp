// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/initramfs/archive.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/text.h"
#include "tools/run_command.h"

namespace diglim::initramfs {
namespace {

constexpr uint64_t kMaxUnpacked = 2ull << 30;
constexpr size_t kHeaderSize = 110;
constexpr std::string_view kMagic = "070701";
constexpr std::string_view kEnd = "TRAILER!!!";
constexpr uint64_t kAlignment = 4;

// More than any initramfs has, so that what a stranger made takes neither all memory nor all inodes.
constexpr uint64_t kMaxFiles = 500'000;
constexpr const char* kTooLarge = "it is larger than 2 GiB when it is unpacked";

Error damaged(const std::string& why) {
  return {ErrorCode::kCorrupt, 0, why};
}

// What the kernel's decompressors know (lib/decompress.c).
struct Compression {
  std::string_view magic;
  const char* program;
};
using namespace std::string_view_literals;
constexpr std::array<Compression, 8> kCompressions = {{{"\x1f\x8b"sv, "gzip"},
                                                       {"\x1f\x9e"sv, "gzip"},
                                                       {"BZh"sv, "bzip2"},
                                                       {"\x5d\0\0"sv, "xz"},
                                                       {"\xfd"
                                                        "7zXZ\0"sv,
                                                        "xz"},
                                                       {"\x89LZO\0"sv, "lzop"},
                                                       {"\x02\x21\x4c\x18"sv, "lz4"},
                                                       {"\x28\xb5\x2f\xfd"sv, "zstd"}}};

Result<uint64_t> size_of(const Fd& fd) {
  struct stat info = {};
  if (fstat(fd.get(), &info) != 0) return from_errno("stat the initramfs", errno);
  if (!S_ISREG(info.st_mode)) return damaged("it is no regular file");
  return static_cast<uint64_t>(info.st_size);
}

// A file, read forward; it stays open meanwhile.
class Input {
 public:
  Input(const Fd& fd, uint64_t size) : fd_(fd), size_(size), buffer_(1u << 16, 0) {}

  uint64_t position() const { return start_ + at_; }
  uint64_t left() const { return size_ - position(); }

  // Up to `count` bytes, at most what the buffer holds, which stay; fewer only at the end.
  Result<ByteView> peek(size_t count) {
    if (filled_ - at_ < count && position() + (filled_ - at_) < size_) {
      std::copy(buffer_.begin() + static_cast<ptrdiff_t>(at_),
                buffer_.begin() + static_cast<ptrdiff_t>(filled_), buffer_.begin());
      start_ += at_;
      filled_ -= at_;
      at_ = 0;
      while (filled_ < buffer_.size()) {
        const ssize_t got =
            pread(fd_.get(), buffer_.data() + filled_, buffer_.size() - filled_, offset(start_ + filled_));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return from_errno("read the initramfs", errno);
        if (got == 0) break;
        filled_ += static_cast<size_t>(got);
      }
    }
    return ByteView(buffer_).subspan(at_, std::min(count, filled_ - at_));
  }
  // REQUIRES: peek() gave as many.
  void pass(size_t count) { at_ += count; }
  Result<Bytes> take(size_t count) {
    TRY_ASSIGN(const ByteView bytes, peek(count));
    if (bytes.size() < count)
      return damaged(fmt::format("it ends within an archive, at byte {}", position()));
    Bytes taken = to_bytes(bytes);
    pass(count);
    return taken;
  }
  // `to` may be none. What is short is an error.
  Result<void> copy(uint64_t count, const Fd* to) {
    while (count > 0) {
      const size_t wanted = static_cast<size_t>(std::min<uint64_t>(count, buffer_.size()));
      TRY_ASSIGN(const ByteView bytes, peek(wanted));
      if (bytes.empty()) return damaged(fmt::format("it ends within a file, at byte {}", position()));
      if (to != nullptr) TRY(write_bytes(*to, "the unpacked initramfs", bytes));
      pass(bytes.size());
      count -= bytes.size();
    }
    return {};
  }
  Result<void> align() { return copy((kAlignment - position() % kAlignment) % kAlignment, nullptr); }

 private:
  static off_t offset(uint64_t at) { return static_cast<off_t>(at); }
  const Fd& fd_;
  uint64_t size_;
  Bytes buffer_;
  uint64_t start_ = 0;  // of the buffer
  size_t at_ = 0, filled_ = 0;
};

struct Header {
  uint32_t inode = 0, mode = 0, links = 0, size = 0, major = 0, minor = 0, name_size = 0;
};

Result<Header> read_header(ByteView bytes) {
  std::array<uint32_t, 13> fields = {};
  for (size_t i = 0; i < fields.size(); ++i) {
    const std::string_view text = as_text(bytes.subspan(kMagic.size() + 8 * i, 8));
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), fields[i], 16);
    if (error != std::errc() || end != text.data() + text.size())
      return damaged("the head of a file in it is damaged");
  }
  return Header{fields[0], fields[1], fields[4], fields[6], fields[7], fields[8], fields[11]};
}

// A path where `root` is the root, so that no name and no link leads out of it. None: it is not there.
Result<Fd> open_within(const Fd& root, const std::string& path, uint64_t flags) {
  open_how how = {};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    Fd fd(static_cast<int>(syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how)));
    if (fd || errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return fd;
    // Somebody renamed anything anywhere, while ".." was followed.
    if (errno != EAGAIN && errno != EINTR) return from_errno("unpack the initramfs", errno);
  }
}

class Unpacker {
 public:
  Unpacker(Fd root, std::string work) : root_(std::move(root)), work_(std::move(work)) {}

  // What the kernel reads of an image; within what was compressed nothing is compressed again.
  Result<void> read(const Fd& image, bool may_be_compressed) {
    TRY_ASSIGN(const uint64_t size, size_of(image));
    Input input(image, size);
    while (input.left() > 0) {
      TRY_ASSIGN(const ByteView head, input.peek(kMagic.size()));
      if (head.empty()) return damaged("it was cut while it was read");
      if (head[0] == 0) {
        input.pass(1);
      } else if (as_text(head) == kMagic) {
        if (input.position() % kAlignment != 0)
          return damaged(fmt::format(
              "the archive at byte {} is at no multiple of 4, and the kernel refuses it", input.position()));
        TRY(read_archive(input));
      } else if (may_be_compressed) {
        return read_compressed(image, input.position(), size, as_text(head));
      } else {
        return damaged("what was compressed in it is no archive of the format newc");
      }
    }
    return {};
  }

 private:
  // Until its end, or that of the input, which the kernel takes for one, too.
  Result<void> read_archive(Input& input) {
    links_.clear();
    while (input.left() > 0) {
      TRY_ASSIGN(const ByteView start, input.peek(kMagic.size()));
      if (as_text(start) != kMagic)
        return damaged(fmt::format("at byte {} it is no archive of the format newc", input.position()));
      TRY_ASSIGN(const Bytes head, input.take(kHeaderSize));
      TRY_ASSIGN(const Header header, read_header(head));
      if (header.name_size == 0 || header.name_size > PATH_MAX)
        return damaged(fmt::format("at byte {} the name of a file is {} bytes long", input.position(),
                                   header.name_size));
      TRY_ASSIGN(const Bytes raw, input.take(header.name_size));
      if (raw.back() != 0) return damaged("the name of a file in it has no end");
      TRY(input.align());
      std::string name(reinterpret_cast<const char*>(raw.data()));
      // No tool writes these, and the kernel passes over them, or over what follows.
      const bool has_content = S_ISREG(header.mode) || S_ISLNK(header.mode);
      if (header.size > 0 && (!has_content || (name == kEnd && !S_ISLNK(header.mode))))
        return damaged(
            fmt::format("at byte {} something has a content that can have none", input.position()));
      if (name == kEnd && !S_ISLNK(header.mode)) return {};
      if (!S_ISDIR(header.mode) && name.ends_with('/'))
        return damaged(
            fmt::format("at byte {} the name of a file ends as that of a directory", input.position()));
      while (name.size() > 1 && name.ends_with('/')) name.pop_back();
      if (++files_ > kMaxFiles) return damaged(fmt::format("it has more than {} files", kMaxFiles));
      TRY(add(input, header, name));
      TRY(input.align());
    }
    return {};
  }

  Result<void> add(Input& input, const Header& header, const std::string& name) {
    if (header.size > left_) return damaged(kTooLarge);
    left_ -= header.size;
    TRY_ASSIGN(const auto place, place_of(name));
    const auto& [parent, last] = place;
    // The kernel passes over what it cannot make, such as a file whose directory is not there.
    if (!parent || last.empty() || last == "." || last == "..") return input.copy(header.size, nullptr);
    struct stat info = {};
    if (fstatat(parent.get(), last.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        ((info.st_mode ^ header.mode) & S_IFMT) != 0)
      (void)unlinkat(parent.get(), last.c_str(), S_ISDIR(info.st_mode) ? AT_REMOVEDIR : 0);
    if (S_ISDIR(header.mode)) {
      if (mkdirat(parent.get(), last.c_str(), 0700) != 0 && errno != EEXIST) return failed();
    } else if (S_ISREG(header.mode)) {
      return add_file(input, header, name);
    } else if (S_ISLNK(header.mode)) {
      if (header.size >= PATH_MAX) return input.copy(header.size, nullptr);
      TRY_ASSIGN(const Bytes target, input.take(header.size));
      (void)unlinkat(parent.get(), last.c_str(), 0);
      const std::string text(as_text(target));
      if (symlinkat(text.c_str(), parent.get(), last.c_str()) != 0 && errno != EEXIST && errno != ENOENT)
        return failed();
    }
    return {};
  }

  // The directory of `name`, none if it is not there, and the name in it.
  Result<std::pair<Fd, std::string>> place_of(const std::string& name) const {
    const size_t slash = name.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : name.substr(0, slash);
    TRY_ASSIGN(Fd parent, open_within(root_, folder, O_PATH | O_DIRECTORY));
    return std::pair(std::move(parent), slash == std::string::npos ? name : name.substr(slash + 1));
  }

  Result<void> add_file(Input& input, const Header& header, const std::string& name) {
    TRY_ASSIGN(const auto place, place_of(name));
    const auto& [parent, last] = place;
    bool is_later = false;
    if (header.links >= 2) {
      const auto [first, is_new] = links_.try_emplace({header.major, header.minor, header.inode}, name);
      is_later = !is_new;
      if (is_later) {
        TRY_ASSIGN(const auto first_place, place_of(first->second));
        (void)unlinkat(parent.get(), last.c_str(), 0);
        if (linkat(first_place.first.get(), first_place.second.c_str(), parent.get(), last.c_str(), 0) != 0)
          return failed();
      }
    }
    // The content comes with one of several names.
    const int how =
        O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (is_later && header.size == 0 ? 0 : O_TRUNC);
    const Fd file(openat(parent.get(), last.c_str(), how, 0600));
    if (!file && errno != EISDIR && errno != ELOOP) return failed();
    return input.copy(header.size, file ? &file : nullptr);
  }

  // From `begin` to the end. The programs unpack what is of one kind and lies one after the other, and fail
  // where anything else follows.
  Result<void> read_compressed(const Fd& image, uint64_t begin, uint64_t size, std::string_view head) {
    const auto* const found = std::ranges::find_if(kCompressions, [&](const Compression& one) {
      return head.starts_with(one.magic.substr(0, head.size()));
    });
    if (found == kCompressions.end())
      return damaged(
          fmt::format("at byte {} is neither an archive of the format newc nor anything compressed", begin));
    // Some have zeros behind them, which the kernel passes over and not each program; and some end in zeros
    // themselves. The file is cut from end to end.
    TRY_ASSIGN(const uint64_t without_zeros, end_of_content(image, size));
    constexpr uint64_t kOwnZeros = 8;
    std::vector<uint64_t> ends = {size};
    for (uint64_t end = std::min(size - 1, without_zeros + kOwnZeros); end >= without_zeros; --end)
      ends.push_back(end);
    TRY_ASSIGN(const Fd compressed, nameless_file());
    TRY(copy_range(image, begin, size, compressed));
    std::string said;
    for (const uint64_t end : ends) {
      if (ftruncate(compressed.get(), static_cast<off_t>(end - begin)) != 0) return failed();
      TRY_ASSIGN(const Fd plain, nameless_file());
      uint64_t written = 0;
      const auto done = run_filter({found->program, "-dc"}, compressed, [&](ByteView piece) -> Result<void> {
        written += piece.size();
        if (written > kMaxUnpacked) return damaged(kTooLarge);
        return write_bytes(plain, "the unpacked initramfs", piece);
      });
      if (!done && done.error().code == ErrorCode::kNotFound)
        return unsupported(
            fmt::format("it is compressed, and {0} is not installed: install {0}", found->program));
      if (!done) return done.error();
      // bzip2 says so where it leaves something out, and succeeds.
      if (done->status == 0 && done->output.empty()) return read(plain, false);
      if (said.empty()) said = done->output.substr(0, done->output.find('\n'));
    }
    return damaged(fmt::format("what {} compressed in it is cut, or something else follows ({})",
                               found->program, escape(said, 300)));
  }

  Result<Fd> nameless_file() const {  // not O_TMPFILE, which not every file system has
    std::string path = work_ + "/piece.XXXXXX";
    Fd fd(mkostemp(path.data(), O_CLOEXEC));
    if (!fd || unlink(path.c_str()) != 0) return from_errno("create " + path, errno);
    return fd;
  }
  static Error failed() { return from_errno("unpack the initramfs", errno); }

  static Result<void> copy_range(const Fd& from, uint64_t begin, uint64_t end, const Fd& to) {
    Bytes piece(1u << 16);
    while (begin < end) {
      const size_t wanted = static_cast<size_t>(std::min<uint64_t>(end - begin, piece.size()));
      const ssize_t got = pread(from.get(), piece.data(), wanted, static_cast<off_t>(begin));
      if (got <= 0) return damaged("it cannot be read to its end");
      TRY(write_bytes(to, "the initramfs", ByteView(piece).first(static_cast<size_t>(got))));
      begin += static_cast<uint64_t>(got);
    }
    return {};
  }

  static Result<uint64_t> end_of_content(const Fd& fd, uint64_t size) {
    Bytes piece(1u << 16);
    for (uint64_t end = size; end > 0;) {
      const size_t wanted = static_cast<size_t>(std::min<uint64_t>(end, piece.size()));
      if (pread(fd.get(), piece.data(), wanted, static_cast<off_t>(end - wanted)) !=
          static_cast<ssize_t>(wanted))
        return damaged("it cannot be read");
      for (size_t at = wanted; at > 0; --at) {
        if (piece[at - 1] != 0) return end - wanted + at;
      }
      end -= wanted;
    }
    return uint64_t{0};
  }

  Fd root_;
  std::string work_;
  uint64_t left_ = kMaxUnpacked, files_ = 0;
  // Of the present archive: the first name of each file that has several.
  std::map<std::tuple<uint32_t, uint32_t, uint32_t>, std::string> links_;
};

}  // namespace

Result<void> unpack_image(const std::string& image, const std::string& root, const std::string& work) {
  TRY_ASSIGN(Fd folder, open_file(root, O_RDONLY | O_DIRECTORY));
  TRY_ASSIGN(const Fd file, open_file(image, O_RDONLY));
  return Unpacker(std::move(folder), work).read(file, true);
}

Result<void> settle_links(const std::string& root) {
  TRY_ASSIGN(const Fd folder, open_file(root, O_RDONLY | O_DIRECTORY));
  // First all of them, since one may lead through another.
  std::vector<std::pair<std::string, std::string>> links;
  std::error_code failed;
  for (std::filesystem::recursive_directory_iterator at(root, failed), end; !failed && at != end;
       at.increment(failed)) {
    if (!at->is_symlink(failed)) continue;
    const std::string path = at->path().string();
    TRY_ASSIGN(const Fd target, open_within(folder, path.substr(root.size() + 1), O_PATH));
    std::string real(PATH_MAX, '\0');
    const ssize_t size =
        target ? readlink(fmt::format("/proc/self/fd/{}", target.get()).c_str(), real.data(), real.size())
               : 0;
    if (size < 0) return from_errno("unpack the initramfs", errno);
    links.emplace_back(path, real.substr(0, static_cast<size_t>(size)));
  }
  if (failed)
    return Error{ErrorCode::kIo, failed.value(),
                 "the unpacked initramfs cannot be read: " + failed.message()};
  for (const auto& [path, target] : links) {
    if (unlink(path.c_str()) != 0 || (!target.empty() && symlink(target.c_str(), path.c_str()) != 0))
      return from_errno("unpack the initramfs", errno);
  }
  return {};
}

}  // namespace diglim::initramfs
