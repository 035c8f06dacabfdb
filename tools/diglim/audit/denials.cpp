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

Document denials(const explain::Log& log, uint64_t since, bool incomplete,
                 const std::function<std::string(const std::string&)>& package_of) {
  std::map<std::pair<std::string, std::string>, Group> groups;  // by reason and package
  std::map<std::string, std::string> packages;                  // by path
  uint64_t sum = 0;
  for (const explain::LoggedDenial& one : log.denials) {
    const uint64_t at = one.time_us / 1'000'000;
    if (at > 0 && at < since) continue;
    const std::string name = name_of(one.denial);
    const auto [known, is_new] = packages.try_emplace(name);
    if (is_new && !one.denial.path_cut) known->second = package_of(one.denial.path);
    Group& group = groups[{reason_text(one.denial.reason), known->second}];
    if (group.denials++ == 0) group.first = at;
    group.enforced += one.denial.enforced ? 1 : 0;
    group.last = at;
    group.files.insert(name);
    ++sum;
  }
  Document all = Document::array();
  for (const auto& [key, group] : groups) {
    all.push_back({{"reason", key.first},
                   {"package", key.second},
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
