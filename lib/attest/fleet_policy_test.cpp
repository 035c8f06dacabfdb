// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/fleet_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/attest/test_attester.h"

namespace diglim {
namespace {

using testing::HasSubstr;

const std::string kSix(64, '6');
const std::string kSeven(64, '7');

std::string with_machines(const std::string& machines) {
  return R"({"diglim-policy": 1, "loaders": "any", "programs": "any", "ima_policies": "any", "keys": "any",
             "lists": [")" +
         kSix + R"("], "machines": )" + machines + "}";
}
std::string reading_error(const std::string& machines) {
  const auto fleet = read_fleet_policy(with_machines(machines));
  return fleet ? "accepted" : fleet.error().message;
}

TEST(FleetPolicy, OneForAllIsOneForEach) {
  const auto fleet = read_fleet_policy(write_policy(TestAttester().policy()));
  ASSERT_TRUE(fleet) << fleet.error().message;
  EXPECT_FALSE(fleet->has_machines());
  EXPECT_EQ(&fleet->of("web1"), &fleet->base());
}

TEST(FleetPolicy, DifferencesByMergePatch) {
  const auto fleet = read_fleet_policy(with_machines(R"({"web1": {"pcr": 12, "modes": ["measure"]}})"));
  ASSERT_TRUE(fleet) << fleet.error().message;
  EXPECT_EQ(fleet->of("web1").pcr, 12u);
  EXPECT_EQ(fleet->of("web1").modes, std::set<ManifestMode>{ManifestMode::kMeasure});
  EXPECT_EQ(fleet->of("web2").pcr, 10u);
  // Thousands of lists are there once.
  EXPECT_EQ(fleet->of("web1").accepted, fleet->base().accepted);
}

TEST(FleetPolicy, DifferencesByOperations) {
  const auto fleet =
      read_fleet_policy(with_machines(R"({"web1": [{"op": "add", "path": "/lists/-", "value": ")" + kSeven +
                                      R"("}], "web2": [{"op": "add", "path": "/pcr", "value": 12}]})"));
  ASSERT_TRUE(fleet) << fleet.error().message;
  EXPECT_EQ(fleet->of("web1").accepted->lists->size(), 2u);
  EXPECT_EQ(fleet->base().accepted->lists->size(), 1u);
  EXPECT_EQ(fleet->of("web2").pcr, 12u);
  EXPECT_EQ(fleet->of("web2").accepted, fleet->base().accepted);
}

// By each way that leads to them.
TEST(FleetPolicy, ListsOfAMachineAreItsOwn) {
  for (const std::string differences :
       {R"({"lists": "signed"})", R"({"minimum_versions": {"bash": "9"}})",
        R"([{"op": "replace", "path": "/lists", "value": "signed"}])",
        R"([{"op": "remove", "path": "/lists/0"}])",
        R"([{"op": "add", "path": "/minimum_versions", "value": {"bash": "9"}}])",
        R"([{"op": "copy", "from": "/lists", "path": "/tolerated_files"}])",
        R"([{"op": "replace", "path": "", "value": {"diglim-policy": 1, "loaders": "any", "programs": "any",
             "ima_policies": "any", "keys": "any", "lists": "signed"}}])"}) {
    const auto fleet = read_fleet_policy(with_machines(R"({"web1": )" + differences + "}"));
    ASSERT_TRUE(fleet) << differences << fleet.error().message;
    EXPECT_NE(fleet->of("web1").accepted, fleet->base().accepted) << differences;
    EXPECT_EQ(fleet->base().accepted->lists->size(), 1u);
    EXPECT_TRUE(fleet->base().accepted->minimum_versions.empty());
  }
}

TEST(FleetPolicy, WhatIsWrongNamesTheMachine) {
  EXPECT_THAT(reading_error("[]"), HasSubstr("'machines' must be an object"));
  EXPECT_THAT(reading_error(R"({"web1": {"pcr": 3}})"), HasSubstr("machine 'web1': policy: 'pcr'"));
  EXPECT_THAT(reading_error(R"({"web1": {"colour": "red"}})"),
              HasSubstr("machine 'web1': policy: unknown key"));
  EXPECT_THAT(reading_error(R"({"web1": {"loaders": null}})"), HasSubstr("'loaders' is missing"));
  EXPECT_THAT(reading_error(R"({"web1": {"machines": {}}})"), HasSubstr("unknown key 'machines'"));
  EXPECT_THAT(reading_error(R"({"web1": "any"})"), HasSubstr("machine 'web1': an object (RFC 7396)"));
  for (const std::string operations :
       {R"(["pcr"])", R"([{"op": "add"}])", R"([{"op": "jump", "path": "/pcr"}])",
        R"([{"op": "remove", "path": "/pcr"}])", R"([{"op": "add", "path": 5, "value": 5}])",
        R"([{"op": "test", "path": "/keys", "value": "none"}])", R"([{"op": "remove", "path": "/lists/7"}])",
        R"([{"op": "add", "path": "pcr", "value": 12}])"}) {
    EXPECT_THAT(reading_error(R"({"web1": )" + operations + "}"), HasSubstr("machine 'web1': no such change"))
        << operations;
  }
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += R"({"a":)";
  EXPECT_THAT(reading_error(R"({"web1": )" + deep + "1" + std::string(100'000, '}') + "}"),
              HasSubstr("too deeply"));
  EXPECT_THAT(reading_error(R"({"web1": [{"op": "replace", "path": "", "value": 5}]})"),
              HasSubstr("what remains is no policy"));
}

TEST(FleetPolicy, AMachineIsWrittenAsItsDifferences) {
  VerifierPolicy policy = TestAttester().policy();
  const std::string base = write_policy(policy);
  policy.accepted = std::make_shared<AcceptedLists>(*policy.accepted);
  policy.accepted->lists->insert(Bytes(32, 0x77));
  policy.boot_aggregates = {Bytes(32, 1)};
  auto text = write_machine(base, "web1", policy);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_LT(text->size(), base.size() + 800);
  auto fleet = read_fleet_policy(*text);
  ASSERT_TRUE(fleet) << fleet.error().message;
  EXPECT_EQ(write_policy(fleet->of("web1")), write_policy(policy));
  EXPECT_EQ(write_policy(fleet->base()), base);
  // Again, without what it had: the other machine stays.
  text = write_machine(*text, "web2", policy);
  ASSERT_TRUE(text);
  policy.boot_aggregates.clear();
  text = write_machine(*text, "web1", policy);
  ASSERT_TRUE(text);
  fleet = read_fleet_policy(*text);
  ASSERT_TRUE(fleet);
  EXPECT_TRUE(fleet->of("web1").boot_aggregates.empty());
  EXPECT_EQ(fleet->of("web2").boot_aggregates.size(), 1u);
  EXPECT_FALSE(write_machine("{}", "web1", policy));
  for (const std::string machines : {"[]", "5", "null", R"("web1")"})
    EXPECT_FALSE(write_machine(with_machines(machines), "web1", policy)) << machines;
}

}  // namespace
}  // namespace diglim
