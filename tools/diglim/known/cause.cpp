// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/known/cause.h"

#include <array>

#include "lib/trust/trust_store.h"

namespace diglim::known {
namespace {

constexpr std::array<CauseWords, kCauses> kWords = {{
    {"known", "known", ""},
    {"changed", "changed since the package that ships it was installed",
     "reinstall the package (dnf reinstall PACKAGE), or allow what it is now: diglim allow FILE"},
    {"config-changed", "configuration that was changed, and that is executed",
     "if the change is yours: diglim allow FILE; else put back what the package shipped"},
    {"unsigned", "of packages that nobody signed", "install signed packages, or: diglim allow FILE"},
    {"untrusted", "of packages that no trusted key signed",
     "if you trust who built them: diglim key list, diglim key add KEY, reboot"},
    {"damaged", "of packages whose header is damaged", "rpm -V PACKAGE, and reinstall it"},
    {"algorithm", "of packages whose digests are of another algorithm than the kernel's",
     "install a newer build of the package, or: diglim allow FILE"},
    {"no-list", "of packages whose list is not in /etc/digest_lists", "diglim repair"},
    {"foreign", "of no package, and on no list", "those that you want: diglim allow FILE"},
    {"file-system", "on file systems from which nothing may run",
     "copy what you need to a local disk: ext4, xfs, btrfs, f2fs, squashfs, erofs, tmpfs"},
    {"too-large", "larger than 4 GiB, which are never known", "run a smaller one; nothing allows it"},
    {"unreadable", "cannot be read, so nobody knows", "run this as root"},
    {"revoked", "that a deny list revokes", "upgrade the package; what is revoked: diglim revoke list"},
}};

}  // namespace

const CauseWords& cause_words(Cause cause) {
  return kWords[static_cast<size_t>(cause)];
}

Verdict judge(const System& system, const std::string& path, ByteView digest) {
  const std::string key(as_text(digest));
  if (const auto known = system.digests.find(key); known != system.digests.end())
    return {Cause::kNone, std::nullopt, known->second};
  if (const DenyEntry* const denial =
          system.trust ? system.trust->denials().of_digest(system.algo, digest) : nullptr) {
    const auto owner = system.shipped.find(path);
    const auto package = owner == system.shipped.end() ? std::nullopt : std::optional(owner->second.package);
    return {Cause::kRevoked, package, std::nullopt, revoked_text(*denial)};
  }
  const auto shipped = system.shipped.find(path);
  if (shipped != system.shipped.end()) {
    const Shipped& file = shipped->second;
    const PackageStanding& package = system.packages[file.package];
    if (!file.digest.empty() && file.algo != system.algo)
      return {package.cause == Cause::kNone || package.cause == Cause::kNoList ? Cause::kAlgorithm
                                                                               : package.cause,
              file.package,
              std::nullopt,
              {}};
    if (file.digest == key) {
      // Its list counts, or the digest would have been found above: what is left is that it is not installed.
      return {package.cause == Cause::kNone ? Cause::kNoList : package.cause, file.package, std::nullopt};
    }
    // Of a ghost the package says only that something will be there.
    if (file.digest.empty()) return {Cause::kForeign, file.package, std::nullopt};
    return {file.is_config ? Cause::kConfigChanged : Cause::kChanged, file.package, std::nullopt};
  }
  // A copy of what a package ships elsewhere.
  if (const auto bad = system.of_bad.find(key); bad != system.of_bad.end())
    return {system.packages[bad->second].cause, bad->second, std::nullopt};
  return {Cause::kForeign, std::nullopt, std::nullopt};
}

}  // namespace diglim::known
