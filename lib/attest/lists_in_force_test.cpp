// SPDX-License-Identifier: Apache-2.0
// Goal: what changed since the boot, kept beside it, gives what a plain map of all lists gives.
#include "lib/attest/lists_in_force.h"

#include <gtest/gtest.h>

#include <random>

namespace diglim {
namespace {

using Model = std::map<std::pair<std::string, Bytes>, ManifestList>;

// Few names, hashes and packages, so that they meet.
ManifestList some_list(std::mt19937& random) {
  ManifestList list;
  list.name = std::string(1, static_cast<char>('a' + random() % 6));
  list.hash = Bytes(32, static_cast<uint8_t>(random() % 3));
  list.package = "tool-" + std::to_string(random() % 3) + "-1.noarch";
  return list;
}

JudgedManifestPtr some_manifest(std::mt19937& random, const VerifierPolicy& policy) {
  std::map<std::string, ManifestList> lists;  // sorted by name, each once
  for (size_t i = random() % 5; i > 0; --i) {
    ManifestList list = some_list(random);
    lists[list.name] = list;
  }
  auto judged = std::make_shared<JudgedManifest>();
  judged->lists_accepted = true;
  for (auto& [name, list] : lists) {
    judged->lists_accepted = judged->lists_accepted && judge_list(list, policy).empty();
    judged->manifest->lists.push_back(std::move(list));
  }
  return judged;
}

std::vector<Finding> judge(const ListsInForce& lists, const VerifierPolicy& policy) {
  std::vector<Finding> findings;
  lists.judge(policy, [&](Finding finding) { findings.push_back(std::move(finding)); });
  return findings;
}

std::vector<std::string> texts(const std::vector<Finding>& findings) {
  std::vector<std::string> all;
  for (const Finding& finding : findings) all.push_back(finding.text);
  return all;
}

TEST(ListsInForce, IsWhatAPlainMapIs) {
  size_t refused = 0;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    std::mt19937 random(seed);
    VerifierPolicy policy;
    policy.accepted->lists = {{Bytes(32, 0), Bytes(32, 1)}};
    if (random() % 2 == 0) policy.accepted->lists->insert(Bytes(32, 2));
    policy.accepted->minimum_versions["tool"] = std::to_string(random() % 3);
    ListsInForce lists;
    Model model;
    const auto boot = some_manifest(random, policy);
    lists.boot(boot);
    for (const ManifestList& list : boot->manifest->lists) model[{list.name, list.hash}] = list;
    for (int step = 0; step < 12; ++step) {
      if (random() % 2 == 0) {
        const auto more = some_manifest(random, policy);
        lists.add(more);
        for (const ManifestList& list : more->manifest->lists) model[{list.name, list.hash}] = list;
      } else {
        const ManifestList gone = some_list(random);
        EXPECT_EQ(lists.remove(gone), model.erase({gone.name, gone.hash}) == 1) << seed;
      }
      ASSERT_EQ(lists.size(), model.size()) << seed;
      std::vector<Finding> expected;
      for (const auto& [key, list] : model) {
        for (Finding& finding : judge_list(list, policy)) expected.push_back(std::move(finding));
      }
      ASSERT_EQ(texts(judge(lists, policy)), texts(expected)) << seed;
      refused += expected.size();
    }
  }
  EXPECT_GT(refused, 1000u) << "the test has to see refused lists";
}

}  // namespace
}  // namespace diglim
