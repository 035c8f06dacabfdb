// SPDX-License-Identifier: Apache-2.0
// Ways to keep a page of a file while nothing shows any more that somebody may write to it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

namespace attacks {

// Writes into the page, whatever became of the mapping by which it was found. False with errno.
using Land = std::function<bool(std::span<const uint8_t>)>;

// Each holds the one page that is mapped writable at `page`. Empty, with errno, where the kernel refuses.
Land hold_by_ring(void* page);    // a fixed buffer of io_uring
Land hold_by_writev(void* page);  // process_vm_writev(2) that waits for the source of its data. Root only
Land hold_by_direct(void* page);  // read(2) from a file of FUSE whose server waits; mounts it, so REQUIRES:
                                  // root of a user namespace at least

}  // namespace attacks
