// SPDX-License-Identifier: Apache-2.0
// Goal: no bytes, signed or not, make the RPM readers do anything undefined, hang, or use memory out of
// proportion. Expected: a result or an error. read_package() gets the located bytes without a signature
// check, since a fuzzer cannot sign.
#include <cstdlib>

#include "lib/rpm/header.h"
#include "lib/rpm/package.h"
#include "lib/rpm/package_file.h"

namespace {

using diglim::ByteView;
namespace rpm = diglim::rpm;

void require(bool condition) {
  if (!condition) abort();
}

void read(ByteView header, uint64_t offset) {
  const auto package = rpm::read_package(header, offset);
  if (!package) return;
  require(!package->nevra.empty());
  for (const auto& [algo, digests] : package->digests) {
    require(!digests.empty() && digests.size() % diglim::hash_size(algo) == 0);
    require(digests.size() <= header.size() / 2);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView file(data, size);
  if (const auto located = rpm::locate_package(file)) {
    require(located->header_offset + located->signed_bytes.size() <= size);
    const auto head = rpm::package_head_size(file);
    require(head && *head == located->header_offset + located->signed_bytes.size());
    for (const auto& [packets, offset] : located->signatures) require(!packets.empty() && offset < size);
    read(located->signed_bytes, located->header_offset);
  } else {
    (void)rpm::package_head_size(file);  // only that it returns
  }
  if (rpm::check_main_header(file, 0)) read(file, 0);
  return 0;
}
