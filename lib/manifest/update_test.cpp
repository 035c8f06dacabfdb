// SPDX-License-Identifier: Apache-2.0
#include "lib/manifest/update.h"

#include <gtest/gtest.h>

#include "lib/manifest/reader.h"

namespace diglim {
namespace {

ManifestList list(uint8_t hash, const std::string& name) {
  return {Bytes(32, hash), name, "package-1-1.noarch", "signer"};
}
const Bytes kBootHash(32, 0xb0);

// As a removal says them.
std::vector<ManifestList> names_of(std::vector<ManifestList> lists) {
  for (ManifestList& item : lists) item.package = item.signer = "";
  return lists;
}

Manifest read(const std::optional<WrittenManifest>& written) {
  const auto manifest = read_manifest(written->content);
  EXPECT_TRUE(manifest);
  return manifest ? *manifest : Manifest();
}

TEST(UpdatePlan, AddsBeforePublishing) {
  const std::vector<ManifestList> before = {list(1, "a")};
  const std::vector<ManifestList> after = {list(2, "b"), list(1, "a")};
  const auto plan = plan_update(1, kBootHash, before, after);
  ASSERT_TRUE(plan);
  ASSERT_TRUE(plan->before_publishing);
  EXPECT_FALSE(plan->after_publishing);
  const Manifest add = read(plan->before_publishing);
  EXPECT_EQ(add.kind, ManifestKind::kAdd);
  EXPECT_EQ(add.number, 2u);
  EXPECT_EQ(add.previous, kBootHash);
  EXPECT_EQ(add.lists, std::vector<ManifestList>{list(2, "b")});
  EXPECT_EQ(plan->last_number, 2u);
  EXPECT_EQ(plan->last_hash, plan->before_publishing->hash);
  EXPECT_EQ(plan->last_hash, *manifest_hash(plan->before_publishing->content));
}

TEST(UpdatePlan, RemovesAfterPublishing) {
  const std::vector<ManifestList> before = {list(1, "a"), list(2, "b")};
  const auto plan = plan_update(7, kBootHash, before, {});
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->before_publishing);
  const Manifest remove = read(plan->after_publishing);
  EXPECT_EQ(remove.kind, ManifestKind::kRemove);
  EXPECT_EQ(remove.number, 8u);
  EXPECT_EQ(remove.lists, names_of(before));
}

TEST(UpdatePlan, ReplacingIsBothInOneChain) {
  const std::vector<ManifestList> before = {list(1, "a")};
  const std::vector<ManifestList> after = {list(2, "a")};
  const auto plan = plan_update(1, kBootHash, before, after);
  ASSERT_TRUE(plan);
  EXPECT_EQ(read(plan->before_publishing).lists, after);
  const Manifest remove = read(plan->after_publishing);
  EXPECT_EQ(remove.lists, names_of(before));
  EXPECT_EQ(remove.number, 3u);
  EXPECT_EQ(remove.previous, plan->before_publishing->hash);
  EXPECT_EQ(plan->last_number, 3u);
  EXPECT_EQ(plan->last_hash, plan->after_publishing->hash);
}

TEST(UpdatePlan, MonitorModeIsMeasuredBeforeItBegins) {
  const ManifestMonitor monitor = {60, "signer", "reason"};
  const auto plan = plan_monitor(4, kBootHash, monitor);
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->after_publishing);
  const Manifest manifest = read(plan->before_publishing);
  EXPECT_EQ(manifest.kind, ManifestKind::kMonitor);
  EXPECT_EQ(manifest.number, 5u);
  EXPECT_EQ(manifest.previous, kBootHash);
  EXPECT_EQ(manifest.monitor, monitor);
  EXPECT_EQ(plan->last_number, 5u);
  EXPECT_EQ(plan->last_hash, plan->before_publishing->hash);
  EXPECT_FALSE(plan_monitor(4, kBootHash, {60, "signer", ""}));
}

TEST(UpdatePlan, NothingChangedIsNoManifest) {
  const std::vector<ManifestList> before = {list(1, "a")};
  std::vector<ManifestList> after = before;
  after[0].signer = "the same key, described otherwise";
  const auto plan = plan_update(3, kBootHash, before, after);
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->before_publishing);
  EXPECT_FALSE(plan->after_publishing);
  EXPECT_EQ(plan->last_number, 3u);
  EXPECT_EQ(plan->last_hash, kBootHash);
}

TEST(UpdatePlan, WhatIsRevokedIsMeasuredAfterItIs) {
  const std::vector<ManifestList> after = {list(1, "a")};
  const auto plan = plan_update(3, kBootHash, {}, after, {{Bytes(32, 9), 4, "local", "signer"}});
  ASSERT_TRUE(plan);
  ASSERT_TRUE(plan->before_publishing && plan->after_publishing);
  EXPECT_EQ(plan->after_publishing->number, 5u);
  EXPECT_NE(as_text(plan->after_publishing->content).find(" 4 local signer\nend\n"), std::string::npos);
  EXPECT_EQ(as_text(plan->before_publishing->content).find("revoked"), std::string::npos);
}

TEST(UpdatePlan, GrantedKeysAreMeasuredBeforeTheyCount) {
  const std::vector<ManifestKey> keys = {{Bytes(32, 9), "x509:" + std::string(64, 'a')}};
  const auto plan = plan_update(3, kBootHash, {}, {}, {}, keys);
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_TRUE(plan->before_publishing);
  EXPECT_FALSE(plan->after_publishing);
  const auto manifest = read_manifest(plan->before_publishing->content);
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->kind, ManifestKind::kAdd);
  EXPECT_EQ(manifest->keys, keys);
}

TEST(UpdatePlan, SameInputSameBytes) {
  const std::vector<ManifestList> one = {list(1, "a"), list(2, "b")};
  const std::vector<ManifestList> other = {list(2, "b"), list(1, "a")};
  EXPECT_EQ(plan_update(1, kBootHash, {}, one)->last_hash, plan_update(1, kBootHash, {}, other)->last_hash);
}

TEST(UpdatePlan, RefusesANameThatCannotBe) {
  const std::vector<ManifestList> after = {list(1, "a/b")};
  EXPECT_EQ(plan_update(1, kBootHash, {}, after).error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace diglim
