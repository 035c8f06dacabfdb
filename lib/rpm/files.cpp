// SPDX-License-Identifier: Apache-2.0
#include "lib/rpm/files.h"

#include <vector>

#include "lib/rpm/header.h"
#include "lib/rpm/tags.h"

namespace diglim::rpm {
namespace {

// rpm: include/rpm/rpmtag.h.
constexpr uint32_t kTagDirIndexes = 1116;
constexpr uint32_t kTagDirNames = 1118;

}  // namespace

Result<void> for_each_file(
    ByteView signed_bytes,
    const std::function<void(std::string_view path, std::string_view digest)>& on_file) {
  TRY(check_main_header(signed_bytes, 0));
  TRY_ASSIGN(const TagTable tags, TagTable::read(signed_bytes, 0));
  TRY_ASSIGN(const Tag* names, tags.find(kTagBaseNames, kTypeStringArray));
  TRY_ASSIGN(const Tag* folders, tags.find(kTagDirNames, kTypeStringArray));
  TRY_ASSIGN(const Tag* indexes, tags.find(kTagDirIndexes, kTypeInt32));
  TRY_ASSIGN(const Tag* digests, tags.find(kTagFileDigests, kTypeStringArray));
  if (names == nullptr) return {};
  if (folders == nullptr || indexes == nullptr || indexes->count != names->count ||
      (digests != nullptr && digests->count != names->count))
    return corrupt(names->entry_at, "names, folders and digests of files do not fit each other");
  std::vector<std::string_view> folder;
  StringWalk folder_walk(*folders);
  for (uint32_t i = 0; i < folders->count; ++i) folder.push_back(folder_walk.next());
  std::vector<uint32_t> folder_of;
  ByteReader numbers(indexes->data, indexes->data_at);
  for (uint32_t i = 0; i < names->count; ++i) {
    TRY_ASSIGN(const uint32_t index, numbers.u32_be());
    if (index >= folder.size())
      return corrupt(indexes->data_at + 4 * i, "a file in a folder that has no name");
    folder_of.push_back(index);
  }
  StringWalk name_walk(*names);
  const Tag none;
  StringWalk digest_walk(digests != nullptr ? *digests : none);
  std::string path;
  for (uint32_t i = 0; i < names->count; ++i) {
    path.assign(folder[folder_of[i]]).append(name_walk.next());
    on_file(path, digests != nullptr ? digest_walk.next() : std::string_view());
  }
  return {};
}

}  // namespace diglim::rpm
