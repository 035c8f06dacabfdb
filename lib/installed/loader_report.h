// SPDX-License-Identifier: Apache-2.0
// What the loader says of lists, made short: hundreds of packages that one key signed are one line, with the
// command that trusts that key.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace diglim {

struct ReportWords {
  // Whose the key of this id ("24c6a8a7f4a80eb5") is, unescaped; "" where nobody knows. May be empty.
  std::function<std::string(const std::string& key_id)> name_of_key;
  // Of a list, by its file name: "with md5 digests only", "without digests" (digest_kind_in_rpm_list()).
  std::function<std::string(const std::string& list)> digest_kind;
};

// `lines`: of the standard error of `diglim-loader sync`. Only what they say of the lists `ours` (file names)
// counts; the rest is no news. Lists of packages go by the package's name. What is of no known form comes as
// it is, at most kMaxOtherLines of it. By the words of loader/load.cpp and lib/openpgp/signature.cpp, which
// selftests/rpm/guest/keys and odd hold fast.
std::vector<std::string> report_lists(const std::vector<std::string>& lines,
                                      const std::set<std::string>& ours, const ReportWords& words);

constexpr size_t kMaxOtherLines = 10;

}  // namespace diglim
