// SPDX-License-Identifier: Apache-2.0
// Makes the digest list of an installed package: what its distribution signed, and the signatures. For
// rpm_gen and the rpm plugin; nothing here knows librpm. FORMAT.md has the layout.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lib/base/bytes.h"
#include "lib/crypto/hash.h"

namespace diglim {

// `region` is what headerGet(h, RPMTAG_HEADERIMMUTABLE) gives: il, dl, index and data, without the 8 bytes of
// magic. `packets` are the values of the tags 268, 267 and, decoded, 278; repeated ones are written once. No
// signature is verified: that is the loader's job. Errors: kUntrusted (no packet), kCorrupt (the region is
// not one; a value that cannot be an OpenPGP packet).
Result<Bytes> make_rpm_list(ByteView region, std::span<const Bytes> packets);

// Of a list that make_rpm_list() made: what not_counted_text() says of its files on a kernel that hashes with
// `kernel`. Errors: kCorrupt (rpm::read_package()).
Result<std::string> not_counted_in_rpm_list(ByteView list, HashAlgo kernel);

// The same list: "with md5 digests only", "without digests". Errors: as above.
Result<std::string> digest_kind_in_rpm_list(ByteView list);

// The file name of the list: "0-file_list-rpm-NVRA", as in 2022, where NVRA is "name-version-release.arch". A
// name that a directory cannot hold as it is ('/', control characters, too long for NAME_MAX with the suffix
// of a temporary file) is changed and gets 16 hexadecimal digits of its SHA-256, so that no two packages meet
// in one name.
Result<std::string> rpm_list_name(std::string_view nvra);

constexpr std::string_view kRpmListPrefix = "0-file_list-rpm-";

}  // namespace diglim
