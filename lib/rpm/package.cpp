// SPDX-License-Identifier: Apache-2.0
#include "lib/rpm/package.h"

#include <algorithm>

#include "lib/rpm/header.h"
#include "lib/rpm/tags.h"

namespace diglim::rpm {
namespace {

// rpm: include/rpm/rpmtag.h.
constexpr uint32_t kTagName = 1000;
constexpr uint32_t kTagVersion = 1001;
constexpr uint32_t kTagRelease = 1002;
constexpr uint32_t kTagEpoch = 1003;
constexpr uint32_t kTagArch = 1022;
constexpr uint32_t kTagOldFileNames = 1027;  // whole paths; rpm before 4.0
constexpr uint32_t kTagSourceRpm = 1044;
constexpr uint32_t kTagFileDigestAlgo = 5011;

Result<std::string> required(const TagTable& tags, uint32_t tag, std::string_view what, uint64_t offset) {
  TRY_ASSIGN(const auto value, tags.string(tag));
  if (!value || value->empty()) return corrupt(offset, "a package without a " + std::string(what));
  return std::string(*value);
}

Result<std::string> read_nevra(const TagTable& tags, uint64_t offset) {
  TRY_ASSIGN(std::string nevra, required(tags, kTagName, "name", offset));
  TRY_ASSIGN(const std::string version, required(tags, kTagVersion, "version", offset));
  TRY_ASSIGN(const std::string release, required(tags, kTagRelease, "release", offset));
  TRY_ASSIGN(const auto epoch, tags.number(kTagEpoch));
  TRY_ASSIGN(const auto arch, tags.string(kTagArch));
  nevra += '-';
  if (epoch) nevra += std::to_string(*epoch) + ':';
  nevra += version + '-' + release;
  // A source package carries the arch it was built on, but is called .src everywhere. Only it names no source
  // package (rpm: headerIsSource() in lib/headerutil.c).
  if (!tags.has(kTagSourceRpm)) {
    nevra += ".src";
  } else if (arch) {
    nevra += '.' + std::string(*arch);
  }
  return nevra;
}

Result<HashAlgo> read_digest_algorithm(const TagTable& tags, uint64_t offset) {
  TRY_ASSIGN(const auto number, tags.number(kTagFileDigestAlgo));
  if (!number) return HashAlgo::kMd5;
  const auto algo = hash_from_openpgp(*number);
  if (!algo) {
    return unsupported("offset " + std::to_string(offset) + ": file digests of the unknown algorithm " +
                       std::to_string(*number));
  }
  return *algo;
}

// Folders and links count.
Result<uint32_t> count_files(const TagTable& tags) {
  TRY_ASSIGN(const Tag* names, tags.find(kTagBaseNames, kTypeStringArray));
  if (names == nullptr) {
    TRY_ASSIGN(names, tags.find(kTagOldFileNames, kTypeStringArray));
  }
  return names == nullptr ? 0 : names->count;
}

// All digests that are not empty. Folders, symbolic links and device files have empty ones.
//
// Two kinds of files need a thought, and both are kept:
// - Ghosts (RPMFILE_GHOST) are not in the payload, and rpm since 4.14 writes no digest for them (rpm pull
// request 228); older
//   packages have the digest of what lay in the build root. That content the vendor built and signed like the
//   rest; nobody can make other content with that digest. Leaving it out would buy nothing, but deny what a
//   scriptlet puts there (byte-compiled modules, alternatives).
// - Configuration files are known as shipped. Once edited they are unknown, which is right: only what the
// vendor signed may
//   run as code.
Result<Bytes> read_digests(const Tag& tag, HashAlgo algo) {
  const size_t size = hash_size(algo);
  Bytes digests;
  digests.reserve(tag.data.size() / 2);
  StringWalk strings(tag);
  for (uint32_t i = 0; i < tag.count; ++i) {
    const uint64_t at = strings.offset();
    const std::string_view text = strings.next();
    if (text.empty()) continue;
    if (text.size() != 2 * size) {
      return corrupt(at, "a file digest of " + std::to_string(text.size()) + " characters, " +
                             std::string(hash_name(algo)) + " has " + std::to_string(2 * size));
    }
    if (!append_hex(digests, text)) return corrupt(at, "a file digest that is not hexadecimal");
  }
  return digests;
}

}  // namespace

Result<Package> read_package(ByteView signed_bytes, uint64_t header_offset) {
  TRY(check_main_header(signed_bytes, header_offset));
  TRY_ASSIGN(const TagTable tags, TagTable::read(signed_bytes, header_offset));

  Package package;
  TRY_ASSIGN(package.nevra, read_nevra(tags, header_offset));
  TRY_ASSIGN(const Tag* digests, tags.find(kTagFileDigests, kTypeStringArray));
  TRY_ASSIGN(const uint32_t files, count_files(tags));
  if (digests == nullptr) {
    package.undigested = files;
    return package;
  }
  // Each file has a digest or an empty string.
  if (digests->count != files) {
    return corrupt(digests->entry_at + 12,
                   std::to_string(digests->count) + " file digests for " + std::to_string(files) + " files");
  }
  TRY_ASSIGN(const HashAlgo algo, read_digest_algorithm(tags, header_offset));
  TRY_ASSIGN(Bytes bytes, read_digests(*digests, algo));
  if (!bytes.empty()) package.digests.emplace_back(algo, std::move(bytes));
  return package;
}

}  // namespace diglim::rpm
