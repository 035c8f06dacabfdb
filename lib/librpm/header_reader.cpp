// SPDX-License-Identifier: Apache-2.0
#include "lib/librpm/header_reader.h"

#include <rpm/header.h>
#include <rpm/rpmtag.h>
#include <rpm/rpmtd.h>

#include <optional>

#include "lib/base/base64.h"

namespace diglim {
namespace {

constexpr rpmTagVal kOpenPgpTag = 278;  // RPMTAG_OPENPGP of rpm 6, which rpm 4.18's headers do not have

std::string tag_text(Header header, rpmTagVal tag) {
  const char* text = headerGetString(header, tag);
  return text != nullptr ? text : "";
}

std::optional<Bytes> binary_tag(Header header, rpmTagVal tag) {
  rpmtd_s data = {};
  if (headerGet(header, tag, &data, HEADERGET_DEFAULT) != 1) return std::nullopt;
  std::optional<Bytes> value;
  if (data.type == RPM_BIN_TYPE) {
    const auto* bytes = static_cast<const uint8_t*>(data.data);
    value = Bytes(bytes, bytes + data.count);
  }
  rpmtdFreeData(&data);
  return value;
}

// A value that is no base64 is kept as an empty packet, which make_rpm_list() refuses.
void add_base64_packets(Header header, std::vector<Bytes>& packets) {
  rpmtd_s data = {};
  if (headerGet(header, kOpenPgpTag, &data, HEADERGET_DEFAULT) != 1) return;
  while (const char* text = rpmtdNextString(&data)) {
    auto packet = from_base64(text);
    packets.push_back(packet ? *std::move(packet) : Bytes());
  }
  rpmtdFreeData(&data);
}

}  // namespace

InstalledPackage read_header(headerToken_s* header) {
  InstalledPackage package;
  package.name = tag_text(header, RPMTAG_NAME);
  package.nvr =
      package.name + "-" + tag_text(header, RPMTAG_VERSION) + "-" + tag_text(header, RPMTAG_RELEASE);
  package.nvra = package.nvr + "." + tag_text(header, RPMTAG_ARCH);
  package.region = binary_tag(header, RPMTAG_HEADERIMMUTABLE).value_or(Bytes());
  for (rpmTagVal tag : {RPMTAG_RSAHEADER, RPMTAG_DSAHEADER}) {
    if (auto packet = binary_tag(header, tag)) package.packets.push_back(*std::move(packet));
  }
  add_base64_packets(header, package.packets);
  return package;
}

}  // namespace diglim
