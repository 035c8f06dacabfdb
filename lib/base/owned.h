// SPDX-License-Identifier: Apache-2.0
// Owners of what C libraries hand out: Owned<BIO, BIO_free> calls BIO_free() once, and not for null.
#pragma once

#include <cstdlib>
#include <memory>

namespace diglim {

template <auto Free>
struct FreeBy {
  template <typename T>
  void operator()(T* object) const {
    (void)Free(object);  // some return whether they could; nothing useful can be done about it
  }
};

template <typename T, auto Free>
using Owned = std::unique_ptr<T, FreeBy<Free>>;

template <typename T>
using MallocPtr = Owned<T, std::free>;

}  // namespace diglim
