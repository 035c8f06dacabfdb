// SPDX-License-Identifier: Apache-2.0
// Goal: a verifier that keeps manifests says of each bundle what one says that keeps none, but for what may
// be left out. Expected: only what a trusted machine sent, or the operator, stands in for what is left out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "lib/attest/test_attester.h"
#include "lib/attest/verify.h"

namespace diglim {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> reasons(const Verdict& verdict) {
  std::vector<std::string> codes;
  for (const Finding& finding : verdict.findings) codes.emplace_back(reason_code(finding.reason));
  return codes;
}

class FleetTest : public testing::Test {
 protected:
  FleetTest() : verifier_(TestAttester().policy()) { first_.updates = second_.updates = {update()}; }

  static Manifest update() {
    Manifest manifest;
    manifest.kind = ManifestKind::kAdd;
    manifest.lists = {{Bytes(32, 0x06), "again", "", "CN=Distribution"}};
    return manifest;
  }
  Verdict verify(const TestAttester& machine, const Bundle& bundle) {
    const Bytes file = must_have(write_bundle(bundle));
    const Bytes ak = machine.ak();
    return verifier_.verify({file, ak, machine.nonce});
  }
  static Bundle without_manifests(Bundle bundle) {
    bundle.manifests.clear();
    return bundle;
  }

  TestAttester first_, second_;  // of one kind
  Verifier verifier_;
};

TEST_F(FleetTest, WhatATrustedMachineSentOthersMayLeaveOut) {
  const Verdict before = verify(second_, without_manifests(second_.bundle()));
  EXPECT_FALSE(before.trusted());
  EXPECT_TRUE(before.incomplete());
  EXPECT_THAT(reasons(before), ElementsAre("manifest-missing", "manifest-missing"));
  ASSERT_EQ(before.lacks.size(), 2u);
  EXPECT_EQ(before.lacks[0].path, manifest_path(1));
  EXPECT_EQ(before.lacks[0].algo, "sha256");
  const Bundle whole = second_.bundle();
  EXPECT_EQ(before.lacks[0].digest, must_have(manifest_hash(whole.manifests[0])));
  EXPECT_EQ(before.lacks[1].digest, must_have(manifest_hash(whole.manifests[1])));

  EXPECT_TRUE(verify(first_, first_.bundle()).trusted());
  const Verdict after = verify(second_, without_manifests(second_.bundle()));
  EXPECT_THAT(reasons(after), IsEmpty());
  EXPECT_TRUE(after.trusted());
  EXPECT_THAT(after.lacks, IsEmpty());
  EXPECT_EQ(after.lists.size(), 3u);
  EXPECT_EQ(after.boot.loader_hash, first_.boot.boot.loader_hash);
}

TEST_F(FleetTest, OneOfThemMayBeLeftOut) {
  EXPECT_TRUE(verify(first_, first_.bundle()).trusted());
  for (const size_t gone : {0u, 1u}) {
    Bundle bundle = second_.bundle();
    bundle.manifests.erase(bundle.manifests.begin() + static_cast<ptrdiff_t>(gone));
    EXPECT_TRUE(verify(second_, bundle).trusted()) << gone;
  }
  // In another order than the log's.
  Bundle bundle = second_.bundle();
  std::swap(bundle.manifests[0], bundle.manifests[1]);
  EXPECT_TRUE(verify(second_, bundle).trusted());
}

TEST_F(FleetTest, WhatWasNotMeasuredIsNamedThoughTheRestIsKnown) {
  EXPECT_TRUE(verify(first_, first_.bundle()).trusted());
  Bundle bundle = second_.bundle();
  bundle.manifests.push_back(bundle.manifests[0]);  // a second time
  EXPECT_THAT(reasons(verify(second_, bundle)), ElementsAre("manifest-extra"));
  bundle = second_.bundle();
  bundle.manifests[0].at(60) ^= 1;  // another in its place
  EXPECT_THAT(reasons(verify(second_, bundle)), ElementsAre("manifest-extra"));
}

// A machine whose state is refused may be anybody's: nothing of it may push out what others use.
TEST_F(FleetTest, NothingIsKeptOfAMachineThatIsNotTrusted) {
  first_.boot.boot.mode = ManifestMode::kPermissive;
  second_.boot.boot.mode = ManifestMode::kPermissive;
  EXPECT_THAT(reasons(verify(first_, first_.bundle())), ElementsAre("mode-differs"));
  const Verdict verdict = verify(second_, without_manifests(second_.bundle()));
  EXPECT_THAT(reasons(verdict), ElementsAre("manifest-missing", "manifest-missing"));
}

TEST_F(FleetTest, WhatIsKeptHelpsNobodyWhoMeasuredAnother) {
  EXPECT_TRUE(verify(first_, first_.bundle()).trusted());
  second_.boot.boot.loader_hash[0] ^= 1;
  EXPECT_THAT(reasons(verify(second_, second_.bundle())), ElementsAre("loader-unknown"));
  Bundle bundle = second_.bundle();
  bundle.manifests = first_.bundle().manifests;
  const Verdict verdict = verify(second_, bundle);
  EXPECT_FALSE(verdict.trusted());
  EXPECT_EQ(reasons(verdict).front(), "manifest-missing");
}

TEST_F(FleetTest, WhatTheOperatorKnowsNobodyNeedsToSend) {
  for (const Bytes& manifest : first_.bundle().manifests) EXPECT_TRUE(verifier_.know(manifest));
  EXPECT_TRUE(verify(second_, without_manifests(second_.bundle())).trusted());
  EXPECT_TRUE(verifier_.know(as_bytes("rubbish")));
}

// An unknown file ran: no manifest that is still to come changes that.
TEST_F(FleetTest, WhatNoManifestCuresIsNotIncomplete) {
  NewImaEvent evil;
  evil.template_name = "ima-sig";
  evil.digest = Bytes(32, 0xee);
  evil.path = "/tmp/evil";
  second_.files = {evil};
  const Verdict verdict = verify(second_, without_manifests(second_.bundle()));
  EXPECT_FALSE(verdict.lacks.empty());
  EXPECT_FALSE(verdict.incomplete());
  EXPECT_FALSE(verdict.trusted());
}

// A log of many unknown files: the verdict is the same, what it lists is bounded.
TEST_F(FleetTest, WhatIsListedIsBounded) {
  NewImaEvent file;
  file.template_name = "ima-sig";
  file.digest = Bytes(32, 0xee);
  file.path = "/tmp/" + std::string(200, 'x');
  second_.files.assign(40000, file);
  const Verdict verdict = verify(second_, second_.bundle());
  EXPECT_FALSE(verdict.trusted());
  EXPECT_EQ(verdict.events, 40003u);
  EXPECT_GT(verdict.unknown.size(), 10000u);
  EXPECT_LT(verdict.unknown.size(), 40000u);
  EXPECT_EQ(verdict.findings.size() + verdict.unknown.size() + verdict.not_listed, 80000u);
}

// The same of lists.
TEST_F(FleetTest, RefusedListsAreBounded) {
  Manifest large = update();
  large.lists.clear();
  for (size_t i = 0; i < 60000; ++i)
    large.lists.push_back(
        {Bytes(32, 0x66), "list-" + std::to_string(100000 + i) + std::string(200, 'x'), "", "x"});
  first_.updates = {large};
  const Verdict verdict = verify(first_, first_.bundle());
  EXPECT_FALSE(verdict.trusted());
  EXPECT_GT(verdict.findings.size(), 10000u);
  EXPECT_LT(verdict.findings.size(), 60000u);
  EXPECT_EQ(verdict.findings.size() + verdict.not_listed, 60000u);
}

// Tolerated files fill the room. What comes behind them still counts.
TEST_F(FleetTest, NothingFindsShelterBehindToleratedFiles) {
  NewImaEvent tolerated;
  tolerated.template_name = "ima-sig";
  tolerated.digest = Bytes(32, 0x77);
  tolerated.path = "/tmp/" + std::string(900, 'x');
  NewImaEvent evil = tolerated;
  evil.digest = Bytes(32, 0xee);
  VerifierPolicy policy = first_.policy();
  policy.tolerated_files = {tolerated.digest};
  const auto verdict_of = [&policy](TestAttester& machine) {
    const Bytes file = must_have(write_bundle(machine.bundle()));
    const Bytes ak = machine.ak();
    return verify_attestation({file, ak, machine.nonce}, policy);
  };
  first_.files.assign(20000, tolerated);
  const Verdict full = verdict_of(first_);
  EXPECT_TRUE(full.trusted());
  EXPECT_GT(full.not_listed, 0u);

  second_.files = first_.files;
  second_.files.push_back(evil);
  const Verdict unknown = verdict_of(second_);
  EXPECT_THAT(reasons(unknown), ElementsAre("unknown-file"));
  EXPECT_FALSE(unknown.trusted());

  NewImaEvent manifest;  // which nobody has
  manifest.template_name = "ima-ng";
  manifest.digest = Bytes(32, 0x99);
  manifest.path = manifest_path(3);
  second_.files.back() = manifest;
  const Verdict missing = verdict_of(second_);
  EXPECT_THAT(reasons(missing), ElementsAre("manifest-missing"));
  EXPECT_EQ(missing.lacks.size(), 1u);
}

// One manifest, measured again and again, would cost the verifier its lists each time.
TEST_F(FleetTest, WhatManifestsChangeIsBounded) {
  Manifest large = update();
  large.lists.clear();
  for (size_t i = 0; i < 20000; ++i)
    large.lists.push_back({Bytes(32, 0x06), "list-" + std::to_string(100000 + i), "", "CN=Distribution"});
  first_.updates = {large};
  Bundle bundle = first_.bundle();
  const Bytes event =
      test_event(10, "ima-ng", must_have(manifest_hash(bundle.manifests[1])), manifest_path(2));
  while (bundle.manifests.size() == 2 && bundle.ima_log.size() < 24 * event.size())
    append(bundle.ima_log, event);
  replay_into(bundle);
  first_.sign(bundle);
  EXPECT_TRUE(verify(first_, bundle).trusted());  // fewer than 26 times

  for (int i = 0; i < 4; ++i) append(bundle.ima_log, event);
  replay_into(bundle);
  first_.sign(bundle);
  const Verdict verdict = verify(first_, bundle);
  EXPECT_THAT(reasons(verdict), Contains("manifest-malformed"));
  EXPECT_EQ(verdict.lists.size(), 20002u);
}

// Whatever one verifier says of a bundle, the other says with all of it known.
TEST_F(FleetTest, SaysOfAWholeBundleWhatOneSaysThatKeepsNothing) {
  const std::vector<std::function<void(TestAttester&)>> changes = {
      [](TestAttester&) {},
      [](TestAttester& machine) { machine.boot.lists[1].hash[0] ^= 1; },
      [](TestAttester& machine) { machine.boot.lists[0].package = "bash-5.1-8.x86_64"; },
      [](TestAttester& machine) { machine.updates[0].kind = ManifestKind::kRemove; },
      [](TestAttester& machine) {
        machine.updates = {update(), update()};
      },
      [](TestAttester& machine) {
        Manifest gone = update();
        gone.kind = ManifestKind::kRemove;
        gone.lists = {machine.boot.lists[1]};
        machine.boot.lists[1].hash[0] ^= 1;
        gone.lists[0].hash[0] ^= 1;
        machine.updates = {gone};
      },
      [](TestAttester& machine) { machine.bank = HashAlgo::kSha1; },
  };
  for (const auto& change : changes) {
    TestAttester machine;
    machine.updates = {update()};
    change(machine);
    const Bundle bundle = machine.bundle();
    Verifier verifier(machine.policy());
    for (const Bytes& manifest : bundle.manifests) ASSERT_TRUE(verifier.know(manifest));
    const Bytes file = must_have(write_bundle(bundle));
    const Bytes ak = machine.ak();
    const AttestationRequest request{file, ak, machine.nonce};
    const Verdict expected = verify_attestation(request, machine.policy());
    for (int time = 0; time < 2; ++time) {
      const Verdict verdict = verifier.verify(request);
      EXPECT_EQ(reasons(verdict), reasons(expected));
      EXPECT_EQ(verdict.lists.size(), expected.lists.size());
    }
  }
}

// A list that one machine may have is no list for the others, whoever comes first, and whether they send it.
TEST(Fleet, WhatOneMachineMayHaveIsNotForOthers) {
  TestAttester special, plain;
  special.boot.lists.push_back({Bytes(32, 0x77), "special", "", "CN=Distribution"});
  plain.boot = special.boot;
  VerifierPolicy may = special.policy();
  may.accepted = std::make_shared<AcceptedLists>(*may.accepted);
  may.accepted->lists->insert(Bytes(32, 0x77));
  const std::string policy = must_have(write_machine(write_policy(TestAttester().policy()), "special", may));
  const auto judge = [](Verifier& verifier, const TestAttester& machine, const char* name, bool whole) {
    Bundle bundle = machine.bundle();
    if (!whole) bundle.manifests.clear();
    const Bytes file = must_have(write_bundle(bundle));
    const Bytes ak = machine.ak();
    return verifier.verify({file, ak, machine.nonce, name});
  };
  for (const bool whole : {true, false}) {
    Verifier verifier(must_have(read_fleet_policy(policy)));
    EXPECT_THAT(reasons(judge(verifier, plain, "plain", true)), ElementsAre("list-untrusted"));
    EXPECT_TRUE(judge(verifier, special, "special", true).trusted());
    EXPECT_THAT(reasons(judge(verifier, plain, "plain", whole)), ElementsAre("list-untrusted"));
    EXPECT_TRUE(judge(verifier, special, "special", false).trusted());
  }
}

}  // namespace
}  // namespace diglim
