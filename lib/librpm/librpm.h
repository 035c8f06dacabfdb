// SPDX-License-Identifier: Apache-2.0
// How this project holds librpm's objects, and what each reader of a database asks of it.
#pragma once

#include <rpm/header.h>
#include <rpm/rpmdb.h>
#include <rpm/rpmfiles.h>
#include <rpm/rpmte.h>
#include <rpm/rpmts.h>

#include <string>
#include <type_traits>

#include "lib/base/owned.h"

namespace diglim {

// librpm's own names of its types are pointers.
template <typename Handle, auto Free>
using RpmOwned = Owned<std::remove_pointer_t<Handle>, Free>;
using RpmTsPtr = RpmOwned<rpmts, rpmtsFree>;
using RpmTxnPtr = RpmOwned<rpmtxn, rpmtxnEnd>;
using RpmElementsPtr = RpmOwned<rpmtsi, rpmtsiFree>;
using RpmHeaderPtr = RpmOwned<Header, headerFree>;
using RpmFilesPtr = RpmOwned<rpmfiles, rpmfilesFree>;
using RpmIteratorPtr = RpmOwned<rpmdbMatchIterator, rpmdbFreeIterator>;
using RpmIndexIteratorPtr = RpmOwned<rpmdbIndexIterator, rpmdbIndexIteratorFree>;

// Headers are taken as they are: the loader verifies, and what rpm's keyring thinks must not hide one from
// it.
constexpr rpmVSFlags kUnverified = RPMVSF_NOHDRCHK | RPMVSF_MASK_NODIGESTS | RPMVSF_MASK_NOSIGNATURES;

// The text of a tag; empty if the header has none.
std::string header_text(Header header, rpmTagVal tag);

// "%{_dbpath}" expanded, as rpm's configuration says; may be empty.
std::string configured_dbpath();
// `path` is taken as it is, whatever macros it looks like. For all that this process asks librpm from now on.
void set_dbpath(const std::string& path);

}  // namespace diglim
