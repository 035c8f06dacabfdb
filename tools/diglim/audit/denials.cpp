// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "lib/base/text.h"
#include "lib/events/reasons.h"
#include "tools/diglim/audit/evidence.h"

namespace diglim::audit {
namespace {

struct Group {
  uint64_t denials = 0;
  uint64_t enforced = 0;
  std::set<std::string> files;
  uint64_t first = 0;  // seconds since 1970; 0: not known
  uint64_t last = 0;
};

}  // namespace

Owner owner_of(const known::System& system, const explain::LoggedDenial& one) {
  const auto found = system.shipped.find(one.denial.path);
  if (found == system.shipped.end()) return {};
  const known::Shipped& shipped = found->second;
  const known::PackageStanding& package = system.packages[shipped.package];
  // Its content may have lain there before rpm's record of it, but for that nobody else would be the owner.
  const bool is_its_content = !one.denial.digest.empty() && as_text(one.denial.digest) == shipped.digest;
  const uint64_t at = one.time_us / 1'000'000;
  return {package.nvra, at > 0 && at < package.installed && !is_its_content};
}

Document denials(const explain::Log& log, uint64_t since, bool incomplete,
                 const std::function<Owner(const explain::LoggedDenial&)>& owner_of) {
  std::map<std::pair<std::string, Owner>, Group> groups;  // by reason and package
  uint64_t sum = 0;
  for (const explain::LoggedDenial& one : log.denials) {
    const uint64_t at = one.time_us / 1'000'000;
    if (at > 0 && at < since) continue;
    const Owner owner = one.denial.path_cut ? Owner() : owner_of(one);
    Group& group = groups[{reason_text(one.denial.reason), owner}];
    if (group.denials++ == 0) group.first = at;
    group.enforced += one.denial.enforced ? 1 : 0;
    group.last = at;
    group.files.insert(name_of(one.denial));
    ++sum;
  }
  Document all = Document::array();
  for (const auto& [key, group] : groups) {
    all.push_back({{"reason", key.first},
                   {"package", key.second.package},
                   {"package_came_later", key.second.came_later},
                   {"denials", group.denials},
                   {"enforced", group.enforced},
                   {"files", group.files.size()},
                   {"first", group.first},
                   {"last", group.last}});
  }
  return {{"since", since}, {"source", log.source},     {"count", sum},
          {"groups", all},  {"incomplete", incomplete}, {"complaint", log.complaint}};
}

}  // namespace diglim::audit
