// SPDX-License-Identifier: Apache-2.0
// Data types of SSH: RFC 4251, section 5.
#pragma once

#include "lib/base/bytes.h"

namespace diglim {

void put_ssh_string(Bytes& out, ByteView content);
// `number`: big-endian, without a sign, with or without leading zeros. An mpint has none of these, but one
// zero before a first byte whose high bit is set: else it would be negative.
void put_ssh_mpint(Bytes& out, ByteView number);

// The next string; the view is into what the reader reads. kCorrupt: it says that it is longer than that.
Result<ByteView> read_ssh_string(ByteReader& in);

}  // namespace diglim
