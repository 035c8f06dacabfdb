// SPDX-License-Identifier: Apache-2.0
#include "lib/librpm/header_reader.h"

#include <rpm/rpmtag.h>
#include <rpm/rpmtd.h>
#include <sys/stat.h>

#include <optional>

#include "lib/base/base64.h"
#include "lib/librpm/librpm.h"

namespace diglim {
namespace {

constexpr rpmTagVal kOpenPgpTag = 278;  // RPMTAG_OPENPGP of rpm 6, which rpm 4.18's headers do not have

// The value of a tag, as long as this lives; `data` is empty if the header has none.
class TagValue {
 public:
  TagValue(Header header, rpmTagVal tag) { (void)headerGet(header, tag, &data, HEADERGET_DEFAULT); }
  ~TagValue() { rpmtdFreeData(&data); }
  TagValue(const TagValue&) = delete;
  TagValue& operator=(const TagValue&) = delete;

  rpmtd_s data = {};
};

std::optional<Bytes> binary_tag(Header header, rpmTagVal tag) {
  const TagValue value(header, tag);
  if (value.data.type != RPM_BIN_TYPE) return std::nullopt;
  const auto* bytes = static_cast<const uint8_t*>(value.data.data);
  return Bytes(bytes, bytes + value.data.count);
}

// A value that is no base64 is kept as an empty packet, which make_rpm_list() refuses.
void add_base64_packets(Header header, std::vector<Bytes>& packets) {
  TagValue value(header, kOpenPgpTag);
  while (const char* text = rpmtdNextString(&value.data)) {
    auto packet = from_base64(text);
    packets.push_back(packet ? *std::move(packet) : Bytes());
  }
}

}  // namespace

InstalledPackage read_header(headerToken_s* header) {
  InstalledPackage package;
  package.name = header_text(header, RPMTAG_NAME);
  package.nvr =
      package.name + "-" + header_text(header, RPMTAG_VERSION) + "-" + header_text(header, RPMTAG_RELEASE);
  package.nvra = package.nvr + "." + header_text(header, RPMTAG_ARCH);
  package.installed = headerGetNumber(header, RPMTAG_INSTALLTIME);
  package.region = binary_tag(header, RPMTAG_HEADERIMMUTABLE).value_or(Bytes());
  for (rpmTagVal tag : {RPMTAG_RSAHEADER, RPMTAG_DSAHEADER}) {
    if (auto packet = binary_tag(header, tag)) package.packets.push_back(*std::move(packet));
  }
  add_base64_packets(header, package.packets);
  return package;
}

std::vector<PackagedFile> read_files(headerToken_s* header) {
  std::vector<PackagedFile> all;
  const RpmFilesPtr files(rpmfilesNew(nullptr, header, RPMTAG_BASENAMES, RPMFI_NOHEADER));
  const int count = files ? static_cast<int>(rpmfilesFC(files.get())) : 0;
  all.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    if (!S_ISREG(rpmfilesFMode(files.get(), i))) continue;
    const MallocPtr<char> path(rpmfilesFN(files.get(), i));
    if (!path) continue;
    int algo = 0;
    size_t size = 0;
    const unsigned char* digest = rpmfilesFDigest(files.get(), i, &algo, &size);
    PackagedFile file;
    file.path = path.get();
    file.algo = hash_from_openpgp(static_cast<uint32_t>(algo));
    if (digest != nullptr) file.digest.assign(digest, digest + size);
    file.is_config = (rpmfilesFFlags(files.get(), i) & RPMFILE_CONFIG) != 0;
    file.size = rpmfilesFSize(files.get(), i);
    all.push_back(std::move(file));
  }
  return all;
}

}  // namespace diglim
