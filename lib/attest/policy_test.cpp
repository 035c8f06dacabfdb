// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/attest/policy_json.h"
#include "lib/attest/test_attester.h"

namespace diglim {
namespace {

using testing::HasSubstr;

constexpr char kLeast[] =
    R"({"diglim-policy": 1, "loaders": "any", "programs": "any", "ima_policies": "any", "keys": "any", "lists": "signed")";

std::string reading_error(const std::string& rest) {
  const auto policy = read_policy(kLeast + rest);
  return policy ? "accepted" : policy.error().message;
}

TEST(Policy, AnyMustBeSaid) {
  const auto policy = read_policy(std::string(kLeast) + "}");
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_FALSE(policy->loaders || policy->ima_policies || policy->programs || policy->keys ||
               policy->accepted->lists);
  EXPECT_EQ(policy->modes, std::set<ManifestMode>{ManifestMode::kEnforce});
  EXPECT_EQ(policy->pcr, 10u);
  const auto nothing = read_policy(R"({"diglim-policy": 1})");
  ASSERT_FALSE(nothing);
  EXPECT_THAT(nothing.error().message, HasSubstr("'loaders' is missing"));
}

TEST(Policy, RoundTrip) {
  VerifierPolicy policy = TestAttester().policy();
  policy.boot_aggregates = {Bytes(32, 1)};
  policy.tolerated_files = {Bytes(32, 2)};
  policy.minimum_serials = {{"local", 7}};
  policy.weak_hashes = {HashAlgo::kSha1};
  policy.modes = {ManifestMode::kEnforce, ManifestMode::kMeasure};
  const std::string text = write_policy(policy);
  const auto again = read_policy(text);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(write_policy(*again), text);
  EXPECT_EQ(again->pcrs, policy.pcrs);
  EXPECT_EQ(again->programs, policy.programs);
  EXPECT_EQ(again->accepted->lists, policy.accepted->lists);
  EXPECT_EQ(again->accepted->minimum_versions, policy.accepted->minimum_versions);
  EXPECT_EQ(again->minimum_serials, policy.minimum_serials);
}

// The parser takes the last of two, and whoever reads the file may see the first.
TEST(Policy, RefusesANameThatIsThereTwice) {
  EXPECT_THAT(parse_policy(R"({"keys": ["x"], "pcr": 10, "keys": "any"})").error().message,
              testing::HasSubstr("'keys' is there twice"));
  EXPECT_THAT(parse_policy(R"({"machines": {"web1": {"lists": []}, "web1": {}}})").error().message,
              testing::HasSubstr("'web1' is there twice"));
  EXPECT_THAT(reading_error(R"(, "pcrs": {"7": [], "07": []}})"), HasSubstr("'pcrs'"));
  EXPECT_THAT(parse_policy(std::string("{}\0{}", 5)).error().message, HasSubstr("zero byte"));
  EXPECT_TRUE(parse_policy(R"({"a": {"b": 1, "c": [{"b": 1}, {"b": 2}]}, "b": {"b": {}}})"));
}

TEST(Policy, RefusesWhatItWouldNotCheck) {
  EXPECT_EQ(reading_error("}"), "accepted");
  EXPECT_THAT(reading_error(R"(, "mode": "enforce"})"), HasSubstr("unknown key 'mode'"));
  EXPECT_THAT(reading_error(R"(, "modes": ["enforced"]})"), HasSubstr("'modes'"));
  EXPECT_THAT(reading_error(R"(, "modes": []})"), HasSubstr("'modes'"));
  EXPECT_THAT(reading_error(R"(, "pcr": 24})"), HasSubstr("'pcr'"));
  EXPECT_THAT(reading_error(R"(, "pcr": -1})"), HasSubstr("'pcr'"));
  EXPECT_THAT(reading_error(R"(, "pcr": 16})"), HasSubstr("8 to 15")) << "root resets it";
  EXPECT_THAT(reading_error(R"(, "boot_aggregates": []})"), HasSubstr("at least one"));
  EXPECT_THAT(reading_error(R"(, "bank": "md5"})"), HasSubstr("no PCR bank"));
  EXPECT_THAT(reading_error(R"(, "pcrs": {"x": []}})"), HasSubstr("'pcrs'"));
  EXPECT_THAT(reading_error(R"(, "pcrs": {"0": ["00"]}})"), HasSubstr("64 hexadecimal digits"));
  EXPECT_THAT(reading_error(R"(, "minimum_versions": {"bash": 5}})"), HasSubstr("'minimum_versions'"));
  EXPECT_THAT(reading_error(R"(, "minimum_serials": {"local": 0}})"), HasSubstr("'minimum_serials'"));
  EXPECT_THAT(reading_error(R"(, "weak_hashes": ["x"]})"), HasSubstr("'weak_hashes'"));
  EXPECT_THAT(reading_error(R"(, "tolerated_files": ["00"]})"), HasSubstr("'tolerated_files'"));
  EXPECT_THAT(reading_error(", "), HasSubstr("not a JSON object"));
  const auto version = read_policy(R"({"diglim-policy": 2})");
  EXPECT_EQ(version.error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace diglim
