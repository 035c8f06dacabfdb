// SPDX-License-Identifier: Apache-2.0
#include "selftests/kernel/attacks/hold_page.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>

#include "selftests/kernel/attacks/attack.h"

namespace attacks {
namespace {

constexpr size_t kPage = 4096;

// The rings of io_uring, by hand: one request at a time.
struct Ring {
  Fd fd;
  io_uring_params params = {};
  char* submissions = nullptr;
  char* completions = nullptr;
  io_uring_sqe* entries = nullptr;

  template <typename T>
  T& at(char* ring, unsigned offset) {
    return *reinterpret_cast<T*>(ring + offset);
  }

  char* map(size_t size, long offset) const {
    void* where = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd.get(), offset);
    return where == MAP_FAILED ? nullptr : static_cast<char*>(where);
  }

  bool open() {
    fd = Fd(static_cast<int>(syscall(SYS_io_uring_setup, 2, &params)));
    if (!fd) return false;
    submissions = map(params.sq_off.array + params.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
    completions = map(params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe), IORING_OFF_CQ_RING);
    entries = reinterpret_cast<io_uring_sqe*>(map(params.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES));
    return submissions != nullptr && completions != nullptr && entries != nullptr;
  }

  // Its result.
  int submit(const io_uring_sqe& request) {
    auto& tail = at<std::atomic<unsigned>>(submissions, params.sq_off.tail);
    const unsigned slot = tail.load() & at<unsigned>(submissions, params.sq_off.ring_mask);
    entries[slot] = request;
    at<unsigned>(submissions, params.sq_off.array + slot * static_cast<unsigned>(sizeof(unsigned))) = slot;
    tail.fetch_add(1);
    if (syscall(SYS_io_uring_enter, fd.get(), 1, 1, IORING_ENTER_GETEVENTS, nullptr, 0) != 1) return -errno;
    auto& head = at<std::atomic<unsigned>>(completions, params.cq_off.head);
    const unsigned which = head.load() & at<unsigned>(completions, params.cq_off.ring_mask);
    const int result = reinterpret_cast<io_uring_cqe*>(completions + params.cq_off.cqes)[which].res;
    head.fetch_add(1);
    return result;
  }
};

}  // namespace

Land hold_by_ring(void* page) {
  auto ring = std::make_shared<Ring>();
  if (!ring->open()) return {};
  const iovec buffer = {page, kPage};
  if (syscall(SYS_io_uring_register, ring->fd.get(), IORING_REGISTER_BUFFERS, &buffer, 1) != 0) return {};
  return [ring, page](std::span<const uint8_t> content) {
    const std::string source = scratch() + "/source";
    if (!put(source, content)) return false;
    const Fd fd(open(source.c_str(), O_RDONLY | O_CLOEXEC));
    io_uring_sqe request = {};
    request.opcode = IORING_OP_READ_FIXED;
    request.fd = fd.get();
    request.addr = reinterpret_cast<uint64_t>(page);
    request.len = static_cast<unsigned>(content.size());
    const int result = ring->submit(request);
    if (result < 0) errno = -result;
    return result == static_cast<int>(content.size());
  };
}

int request_by_ring(const io_uring_sqe& request) {
  Ring ring;
  return ring.open() ? ring.submit(request) : -errno;
}

// The source of the data is a page that userfaultfd provides when it is time.
Land hold_by_writev(void* page) {
  const int faults = static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC));
  uffdio_api api = {.api = UFFD_API, .features = 0, .ioctls = 0};
  void* source = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uffdio_register range = {};
  range.range = {reinterpret_cast<uint64_t>(source), kPage};
  range.mode = UFFDIO_REGISTER_MODE_MISSING;
  if (faults < 0 || ioctl(faults, UFFDIO_API, &api) != 0 || ioctl(faults, UFFDIO_REGISTER, &range) != 0)
    return {};
  auto written = std::make_shared<std::atomic<bool>>(false);
  std::thread([page, source, written] {
    const iovec from = {source, kPage};
    const iovec to = {page, kPage};
    (void)process_vm_writev(getpid(), &from, 1, &to, 1, 0);
    written->store(true);
  }).detach();
  uffd_msg fault = {};  // once it comes, the target is held
  if (read(faults, &fault, sizeof(fault)) != sizeof(fault)) return {};
  return [written, faults, source](std::span<const uint8_t> content) {
    alignas(kPage) static uint8_t whole[kPage];
    memcpy(whole, content.data(), content.size());
    uffdio_copy copy = {};
    copy.dst = reinterpret_cast<uint64_t>(source);
    copy.src = reinterpret_cast<uint64_t>(whole);
    copy.len = kPage;
    if (ioctl(faults, UFFDIO_COPY, &copy) != 0) return false;
    for (int i = 0; i < 500 && !written->load(); ++i) (void)usleep(10'000);
    return written->load();
  };
}

namespace {

// Serves a file system of one file, which is its root. A process of its own: whoever waits for an answer
// cannot end before it has come or the server has gone.
struct Server {
  int device;
  int held;     // gets a byte when somebody reads
  int content;  // gives what that one reads, once
  uint64_t read_request = 0;

  void answer(uint64_t unique, int error, const void* data, size_t size) const {
    uint8_t message[sizeof(fuse_out_header) + kPage] = {};
    const fuse_out_header header = {static_cast<uint32_t>(sizeof(header) + size), -error, unique};
    memcpy(message, &header, sizeof(header));
    if (size > 0) memcpy(message + sizeof(header), data, size);
    (void)!write(device, message, header.len);
  }

  void answer_request() {
    alignas(8) static uint8_t message[FUSE_MIN_READ_BUFFER + (1 << 16)];
    if (read(device, message, sizeof(message)) < static_cast<ssize_t>(sizeof(fuse_in_header))) return;
    const auto* header = reinterpret_cast<const fuse_in_header*>(message);
    if (header->opcode == FUSE_INIT) {
      fuse_init_out out = {};
      out.major = FUSE_KERNEL_VERSION;
      out.minor = 31;
      out.max_write = kPage;
      answer(header->unique, 0, &out, sizeof(out));
    } else if (header->opcode == FUSE_OPEN) {
      fuse_open_out out = {};
      out.open_flags = FOPEN_DIRECT_IO;
      answer(header->unique, 0, &out, sizeof(out));
    } else if (header->opcode == FUSE_GETATTR) {
      fuse_attr_out out = {};
      out.attr.mode = 0100644;
      out.attr.ino = 1;
      out.attr.nlink = 1;
      out.attr.size = kPage;
      answer(header->unique, 0, &out, sizeof(out));
    } else if (header->opcode == FUSE_READ) {
      read_request = header->unique;
      (void)!write(held, "", 1);
    } else if (header->opcode != FUSE_RELEASE) {
      answer(header->unique, ENOSYS, nullptr, 0);
    } else {
      answer(header->unique, 0, nullptr, 0);
    }
  }

  void answer_read() {
    uint8_t page[kPage];
    const ssize_t size = read(content, page, sizeof(page));
    if (size <= 0) _exit(0);
    answer(read_request, 0, page, static_cast<size_t>(size));
  }

  void serve() {
    for (;;) {
      pollfd files[] = {{device, POLLIN, 0}, {content, POLLIN, 0}};
      if (poll(files, 2, -1) < 0) continue;
      if (files[0].revents != 0) answer_request();
      if (files[1].revents != 0) answer_read();
    }
  }
};

}  // namespace

SlowFile serve_slowly(void* page) {
  const std::string at = scratch() + "/file";
  int held[2];
  int content[2];
  Fd device(open("/dev/fuse", O_RDWR | O_CLOEXEC));
  const std::string options = "fd=" + std::to_string(device.get()) + ",rootmode=100000,user_id=0,group_id=0";
  if (!device || !put(at, {}) || pipe2(held, O_CLOEXEC) != 0 || pipe2(content, O_CLOEXEC) != 0 ||
      mount("fuse", at.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) != 0)
    return {};
  if (fork() == 0) {
    // It holds nothing of the page itself.
    if (page != nullptr) (void)munmap(page, kPage);
    for (int fd = 3; fd < 1024; ++fd) {
      if (fd != device.get() && fd != held[1] && fd != content[0]) (void)close(fd);
    }
    Server{device.get(), held[1], content[0]}.serve();
  }
  return {at, held[0], content[1]};
}

Land hold_by_direct(void* page) {
  const SlowFile slow = serve_slowly(page);
  if (slow.path.empty()) return {};
  auto done = std::make_shared<std::atomic<bool>>(false);
  std::thread([page, slow, done] {
    const Fd fd(open(slow.path.c_str(), O_RDONLY | O_CLOEXEC));
    (void)!read(fd.get(), page, kPage);
    done->store(true);
  }).detach();
  char byte = 0;
  if (read(slow.held, &byte, 1) != 1) return {};
  return [slow, done](std::span<const uint8_t> bytes) {
    if (write(slow.content, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) return false;
    for (int i = 0; i < 500 && !done->load(); ++i) (void)usleep(10'000);
    return done->load();
  };
}

}  // namespace attacks
