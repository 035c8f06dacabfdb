// SPDX-License-Identifier: Apache-2.0
#include "lib/generation/registry.h"

#include <cstring>

namespace diglim {
namespace {

struct Head {
  uint8_t content_hash[32];
  uint64_t origin;
  uint64_t stamp;
  uint32_t digests;
  uint32_t left_out;
  uint16_t number;
  uint16_t name_size;
  uint16_t package_size;
  uint16_t signer_size;
};
static_assert(sizeof(Head) == 64, "no hidden padding");

}  // namespace

size_t registry_bytes(const LoadedList& list) {
  return sizeof(Head) + list.name.size() + list.package.size() + list.signer.size();
}

uint8_t* write_registry(const LoadedList& list, uint8_t* to) {
  Head head = {};
  std::memcpy(head.content_hash, list.content_hash.data(), sizeof(head.content_hash));
  head.origin = list.origin;
  head.stamp = list.stamp;
  head.digests = list.digests;
  head.left_out = list.left_out;
  head.number = list.number;
  head.name_size = static_cast<uint16_t>(list.name.size());
  head.package_size = static_cast<uint16_t>(list.package.size());
  head.signer_size = static_cast<uint16_t>(list.signer.size());
  std::memcpy(to, &head, sizeof(head));
  to += sizeof(head);
  for (const std::string_view text : {list.name, list.package, list.signer})
    to += text.copy(reinterpret_cast<char*>(to), text.size());
  return to;
}

Result<LoadedList> RegistryReader::next() {
  TRY_ASSIGN(const ByteView bytes, reader_.bytes(sizeof(Head)));
  Head head;
  std::memcpy(&head, bytes.data(), sizeof(head));
  LoadedList list;
  list.content_hash = bytes.first(sizeof(head.content_hash));
  list.origin = head.origin;
  list.stamp = head.stamp;
  list.digests = head.digests;
  list.left_out = head.left_out;
  list.number = head.number;
  TRY_ASSIGN(const ByteView rest,
             reader_.bytes(size_t{head.name_size} + head.package_size + head.signer_size));
  const std::string_view texts = as_text(rest);
  list.name = texts.substr(0, head.name_size);
  list.package = texts.substr(head.name_size, head.package_size);
  list.signer = texts.substr(size_t{head.name_size} + head.package_size);
  return list;
}

}  // namespace diglim
