// SPDX-License-Identifier: Apache-2.0
// Ways to keep a page of a file while nothing shows any more that somebody may write to it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

struct io_uring_sqe;

namespace attacks {

// Writes into the page, whatever became of the mapping by which it was found. False with errno.
using Land = std::function<bool(std::span<const uint8_t>)>;

// Each holds the one page that is mapped writable at `page`. Empty, with errno, where the kernel refuses.
Land hold_by_ring(void* page);    // a fixed buffer of io_uring
Land hold_by_writev(void* page);  // process_vm_writev(2) that waits for the source of its data. Root only
Land hold_by_direct(void* page);  // read(2) from a file of FUSE whose server waits; mounts it, so REQUIRES:
                                  // root of a user namespace at least

// A file of FUSE, one page, whose server waits before it answers a read: a byte comes from `held` when
// somebody reads, and what is written to `content` is the answer. Empty path, with errno, where the kernel
// refuses. `page`: a mapping that the server must not keep, or null.
struct SlowFile {
  std::string path;
  int held = -1;
  int content = -1;
};
SlowFile serve_slowly(void* page);

// The result of one request of io_uring, or -errno.
int request_by_ring(const io_uring_sqe& request);

}  // namespace attacks
