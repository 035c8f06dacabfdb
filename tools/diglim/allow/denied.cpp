// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/allow/denied.h"

#include <fmt/format.h>

#include "lib/base/text.h"
#include "lib/events/event_id.h"
#include "tools/diglim/explain/log.h"
#include "tools/diglim/explain/open.h"
#include "tools/file_digests.h"

namespace diglim::allow {
namespace {

constexpr size_t kMostRead = 100'000;  // denials, as `explain` reads

// As it is now, if the path is still the very file that the kernel named: it follows no link.
Result<Bytes> digest_now(const std::string& path, HashAlgo algo) {
  TRY_ASSIGN(const explain::Named named, explain::find_named("", path));
  if (!S_ISREG(named.info.st_mode)) return unsupported("it is no regular file any more");
  TRY_ASSIGN(const Fd fd, explain::open_named(named, path));
  return digest_open_file(fd, path, algo);
}

}  // namespace

Result<DeniedFile> denied_file(const std::string& event) {
  const auto id = find_event_id(event, read_boot());
  if (!id) return invalid(escape(event, 40) + " is no event: 3f2a91bc-57, or 57 of this boot");
  explain::settle_log();
  // What the journal has whole, with all of the path, comes first.
  const auto whole = explain::find_whole_event(*id);
  const explain::Log log = whole ? explain::Log() : explain::read_log("", kMostRead);
  const explain::LoggedDenial* logged = whole ? &*whole : explain::find_event(log, *id);
  if (logged == nullptr) return not_found(fmt::format("no event {} in {}", *id, log.source));
  const Denial& denial = logged->denial;
  if (denial.path.empty() || denial.path_cut)
    return not_found(fmt::format("event {} names no whole path: {}", *id, escape(name_of(denial))));
  const std::string name = escape(denial.path);
  if (!denial.algo || denial.digest.empty())
    return untrusted(name + ": event " + *id + " does not say which content it was; name the file instead");
  const auto now = digest_now(denial.path, *denial.algo);
  if (!now) return with_context(name, now.error());
  if (*now != denial.digest)
    return untrusted(
        name + ": it has another content now than the one that was denied; name the file to allow this");
  return DeniedFile{denial.path, denial.digest};
}

}  // namespace diglim::allow
