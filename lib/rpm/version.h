// SPDX-License-Identifier: Apache-2.0
// Names and versions of packages, ordered as rpm orders them (rpmvercmp() and rpmVersionCompare() in rpmio
// and lib; rpm-version(7)).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace diglim::rpm {

struct PackageName {
  std::string name;
  std::string evr;  // "[epoch:]version-release"
};

// "name-[epoch:]version-release.arch" (Header::nevra). None for anything else.
std::optional<PackageName> split_nevra(std::string_view nevra);

// Segments of digits or letters; "~" sorts before the end, "^" after it. Below, equal to, or above zero.
int compare_versions(std::string_view a, std::string_view b);

// "[epoch:]version[-release]". No epoch is epoch 0; a release counts only if both have one.
int compare_evr(std::string_view a, std::string_view b);

}  // namespace diglim::rpm
