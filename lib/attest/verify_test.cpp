// SPDX-License-Identifier: Apache-2.0
// Goal: a bundle that was tampered with, or of a machine that is not as it should be, is refused for the
// right reason. Expected: each case is a change of one thing to a machine that is trusted without it.
#include "lib/attest/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tss2/tss2_tpm2_types.h>

#include <algorithm>
#include <functional>

#include "lib/attest/test_attester.h"

namespace diglim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> reasons(const Verdict& verdict) {
  std::vector<std::string> codes;
  for (const Finding& finding : verdict.findings) {
    EXPECT_FALSE(finding.text.empty());
    codes.emplace_back(reason_code(finding.reason));
  }
  return codes;
}

class VerifyTest : public testing::Test {
 protected:
  VerifyTest() : policy_(machine_.policy()), nonce_(machine_.nonce), ak_(machine_.ak()) {}

  // Of the machine as it is now.
  Verdict verify() { return verify(machine_.bundle()); }
  Verdict verify(const Bundle& bundle) {
    const auto file = write_bundle(bundle);
    EXPECT_TRUE(file);
    return verify(*file);
  }
  Verdict verify(const Bytes& file) { return verify_attestation({file, ak_, nonce_}, policy_); }

  // Positive control, then the change.
  void expect_tampered(const std::function<void(Bundle&)>& change, const std::string& reason,
                       const std::string& consequence = "") {
    Bundle bundle = machine_.bundle();
    EXPECT_THAT(reasons(verify(bundle)), IsEmpty()) << "positive control";
    change(bundle);
    const Verdict verdict = verify(bundle);
    std::vector<std::string> expected = {reason};
    if (!consequence.empty()) expected.push_back(consequence);
    EXPECT_EQ(reasons(verdict), expected);
    EXPECT_FALSE(verdict.trusted());
  }
  // The same with a change that the machine's TPM signs, so only the judgement of the state is left.
  void expect_state(const std::function<void(TestAttester&)>& change, const std::string& reason) {
    EXPECT_THAT(reasons(verify()), IsEmpty()) << "positive control";
    change(machine_);
    EXPECT_THAT(reasons(verify()), ElementsAre(reason));
  }
  // Several findings may follow from one change of the log; the first is the cause.
  void expect_log(const std::function<void(Bundle&)>& change, const std::string& reason) {
    Bundle bundle = machine_.bundle();
    EXPECT_THAT(reasons(verify(bundle)), IsEmpty()) << "positive control";
    change(bundle);
    replay_into(bundle);
    machine_.sign(bundle);
    const auto found = reasons(verify(bundle));
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found[0], reason);
  }

  Manifest change_of(ManifestKind kind, ManifestList list) {
    Manifest manifest;
    manifest.kind = kind;
    manifest.lists = {std::move(list)};
    return manifest;
  }
  NewImaEvent unknown_file() {
    NewImaEvent file;
    file.template_name = "ima-sig";
    file.digest = Bytes(32, 0xee);
    file.path = "/tmp/evil";
    return file;
  }

  TestAttester machine_;
  VerifierPolicy policy_;
  Bytes nonce_;
  Bytes ak_;
};

TEST_F(VerifyTest, TrustsAGoodMachine) {
  const Verdict verdict = verify();
  EXPECT_TRUE(verdict.trusted());
  EXPECT_THAT(verdict.warnings, IsEmpty());
  EXPECT_EQ(verdict.lists.size(), 2u);
  EXPECT_EQ(verdict.events, 2u);
  EXPECT_EQ(verdict.quote.resets, 3u);
}

TEST_F(VerifyTest, TrustsAGoodMachineAfterUpdates) {
  machine_.updates = {
      change_of(ManifestKind::kAdd, {Bytes(32, 0x16), "bash-2", "bash-5.2-2.x86_64", "CN=Distribution"}),
      change_of(ManifestKind::kRemove, machine_.boot.lists[0])};
  policy_.accepted->lists->insert(Bytes(32, 0x16));
  const Verdict verdict = verify();
  EXPECT_THAT(reasons(verdict), IsEmpty());
  ASSERT_EQ(verdict.lists.size(), 2u);
}

TEST_F(VerifyTest, RefusesAMachineThatWasInMonitorMode) {
  expect_state(
      [&](TestAttester& machine) {
        Manifest monitor;
        monitor.kind = ManifestKind::kMonitor;
        monitor.monitor = {1800, "CN=Admin", "no login"};
        machine.updates = {monitor};
      },
      "monitored");
  EXPECT_THAT(verify().findings[0].text, HasSubstr("for 1800 seconds"));
  EXPECT_THAT(verify().findings[0].text, HasSubstr("allowed by CN=Admin, because: no login"));
}

// A loader that was killed between measuring and publishing leaves a manifest that the next one's shares its
// number with.
TEST_F(VerifyTest, AcceptsTheManifestOfAKilledLoader) {
  Bundle bundle = machine_.bundle();
  const Bytes boot_hash = *manifest_hash(bundle.manifests[0]);
  for (const char* name : {"a", "b"}) {
    Manifest add = change_of(ManifestKind::kAdd, {Bytes(32, 0x06), name, "", "signer"});
    add.number = 2;
    add.previous = boot_hash;
    const Bytes content = *write_manifest(add);
    append(bundle.ima_log, test_event(10, "ima-ng", *manifest_hash(content), manifest_path(2)));
    bundle.manifests.push_back(content);
  }
  replay_into(bundle);
  machine_.sign(bundle);
  const Verdict verdict = verify(bundle);
  EXPECT_THAT(reasons(verdict), IsEmpty());
  EXPECT_EQ(verdict.lists.size(), 4u);
}

TEST_F(VerifyTest, AnotherPcrStartsFromZero) {
  machine_.pcr = 12;
  machine_.quoted.push_back(12);
  policy_.pcr = 12;
  EXPECT_THAT(reasons(verify()), IsEmpty());
}

// --- no evidence ---

TEST_F(VerifyTest, TamperedSignature) {
  expect_tampered([](Bundle& bundle) { bundle.signature.back() ^= 1; }, "signature-wrong");
}
TEST_F(VerifyTest, TamperedQuoteClock) {
  expect_tampered([](Bundle& bundle) { bundle.attest[40] ^= 1; }, "signature-wrong");
}
TEST_F(VerifyTest, TamperedQuoteDigest) {
  expect_tampered([](Bundle& bundle) { bundle.attest.back() ^= 1; }, "signature-wrong");
}
TEST_F(VerifyTest, TamperedQuoteMagic) {
  expect_tampered([](Bundle& bundle) { bundle.attest[0] ^= 1; }, "quote-magic");
}
TEST_F(VerifyTest, SignedButNotMadeByTheTpm) {
  expect_state([](TestAttester& machine) { machine.magic = 0x12345678; }, "quote-magic");
}
TEST_F(VerifyTest, SignedButACertification) {
  expect_state([](TestAttester& machine) { machine.type = TPM2_ST_ATTEST_CERTIFY; }, "quote-type");
}
TEST_F(VerifyTest, QuoteCutShort) {
  expect_tampered([](Bundle& bundle) { bundle.attest.pop_back(); }, "quote-malformed");
}
TEST_F(VerifyTest, QuoteWithBytesAfterIt) {
  expect_tampered([](Bundle& bundle) { bundle.attest.push_back(0); }, "quote-malformed");
}
TEST_F(VerifyTest, SignatureCutShort) {
  expect_tampered([](Bundle& bundle) { bundle.signature.pop_back(); }, "signature-malformed");
}
TEST_F(VerifyTest, SignatureOfAnotherScheme) {
  expect_tampered([](Bundle& bundle) { bundle.signature[1] = TPM2_ALG_ECDAA; }, "signature-scheme");
}
TEST_F(VerifyTest, SignatureOverAnotherHash) {
  expect_tampered([](Bundle& bundle) { bundle.signature[3] = TPM2_ALG_SHA1; }, "signature-scheme");
}
TEST_F(VerifyTest, OldNonce) {
  nonce_ = Bytes(20, 0x4f);
  machine_.nonce = nonce_;
  expect_tampered([this](Bundle&) { nonce_[0] ^= 1; }, "nonce-differs");
}
TEST_F(VerifyTest, NonceCutShort) {
  expect_tampered([this](Bundle&) { nonce_.pop_back(); }, "nonce-differs");
}
TEST_F(VerifyTest, AnotherMachine) {
  expect_tampered([](Bundle& bundle) { bundle = TestAttester().bundle(); }, "ak-differs");
}
TEST_F(VerifyTest, AnotherMachineThatClaimsThisKey) {
  expect_tampered(
      [this](Bundle& bundle) {
        bundle = TestAttester().bundle();
        bundle.ak = ak_;
      },
      "signature-wrong");
}
TEST_F(VerifyTest, UnrestrictedKey) {
  machine_.attributes &= ~static_cast<uint32_t>(TPMA_OBJECT_RESTRICTED);
  ak_ = machine_.ak();
  EXPECT_THAT(reasons(verify()), ElementsAre("ak-unsuitable"));
}
TEST_F(VerifyTest, KeyThatCanLeaveItsTpm) {
  machine_.attributes &= ~static_cast<uint32_t>(TPMA_OBJECT_FIXEDTPM);
  ak_ = machine_.ak();
  EXPECT_THAT(reasons(verify()), ElementsAre("ak-unsuitable"));
}
TEST_F(VerifyTest, KeyWithAWeakName) {
  machine_.name_algorithm = TPM2_ALG_SHA1;
  ak_ = machine_.ak();
  EXPECT_THAT(reasons(verify()), ElementsAre("ak-unsuitable"));
}
TEST_F(VerifyTest, EnrolledKeyIsRubbish) {
  expect_tampered([this](Bundle&) { ak_.pop_back(); }, "ak-malformed");
}
TEST_F(VerifyTest, AnotherBank) {
  machine_.bank = HashAlgo::kSha1;
  EXPECT_THAT(reasons(verify()), ElementsAre("bank-differs"));
}
TEST_F(VerifyTest, TheSoftwarePcrIsNotQuoted) {
  expect_state([](TestAttester& machine) { machine.quoted.pop_back(); }, "pcr-not-quoted");
}
TEST_F(VerifyTest, AReferencePcrIsNotQuoted) {
  expect_state([](TestAttester& machine) { machine.quoted = {1, 10}; }, "pcr-not-quoted");
}
TEST_F(VerifyTest, ThePcrOfBootAggregateIsNotQuoted) {
  policy_.boot_aggregates = {*boot_aggregate(PcrBank(HashAlgo::kSha256))};
  policy_.pcr = 12;
  machine_.pcr = 12;
  machine_.quoted.push_back(12);
  expect_state([](TestAttester& machine) { machine.quoted = {0, 12}; }, "pcr-not-quoted");
}
TEST_F(VerifyTest, RegisterValueFlipped) {
  expect_tampered([](Bundle& bundle) { bundle.pcrs[7][0] ^= 1; }, "pcr-digest-differs");
}
TEST_F(VerifyTest, RegisterValueMissing) {
  expect_tampered([](Bundle& bundle) { bundle.pcrs.erase(7); }, "pcr-values-differ");
}
TEST_F(VerifyTest, RegisterValueOfAnother) {
  expect_tampered(
      [](Bundle& bundle) {
        bundle.pcrs[11] = bundle.pcrs[9];
        bundle.pcrs.erase(9);
      },
      "pcr-values-differ");
}
TEST_F(VerifyTest, LogCutWithinAnEntry) {
  expect_tampered([](Bundle& bundle) { bundle.ima_log.pop_back(); }, "log-malformed");
}
TEST_F(VerifyTest, LogCutAfterAnEntry) {
  machine_.files = {unknown_file()};
  policy_.tolerated_files = {Bytes(32, 0xee)};
  expect_tampered(
      [](Bundle& bundle) {
        bundle.ima_log.resize(bundle.ima_log.size() -
                              test_event(10, "ima-sig", Bytes(32), "/tmp/evil").size());
      },
      "log-differs");
}
TEST_F(VerifyTest, LogReordered) {
  expect_tampered(
      [](Bundle& bundle) {
        const size_t first = test_event(10, "ima-sig", Bytes(32), "boot_aggregate").size();
        std::rotate(bundle.ima_log.begin(), bundle.ima_log.begin() + static_cast<ptrdiff_t>(first),
                    bundle.ima_log.end());
      },
      "log-differs");
}
TEST_F(VerifyTest, LogEntryRepeated) {
  expect_tampered([](Bundle& bundle) { append(bundle.ima_log, to_bytes(bundle.ima_log)); }, "log-differs");
}
TEST_F(VerifyTest, LogEmpty) {
  expect_tampered([](Bundle& bundle) { bundle.ima_log.clear(); }, "log-differs");
}
TEST_F(VerifyTest, LogEntryOfAnotherContent) {
  expect_tampered([](Bundle& bundle) { bundle.ima_log[60] ^= 1; }, "log-entry-wrong");
}
TEST_F(VerifyTest, LogEntryMadeAViolation) {
  expect_tampered([](Bundle& bundle) { std::fill_n(bundle.ima_log.begin() + 4, 20, uint8_t{0}); },
                  "log-differs");
}
TEST_F(VerifyTest, LogEntryOfAnotherPcr) {
  expect_tampered([](Bundle& bundle) { bundle.ima_log[0] = 11; }, "log-differs");
}
TEST_F(VerifyTest, BundleTampered) {
  const Bytes good = *write_bundle(machine_.bundle());
  EXPECT_THAT(reasons(verify(good)), IsEmpty());
  Bytes bad = good;
  bad[0] = 'X';
  EXPECT_THAT(reasons(verify(bad)), ElementsAre("bundle-malformed"));
  bad = good;
  bad[8] = 2;
  EXPECT_THAT(reasons(verify(bad)), ElementsAre("bundle-version"));
  bad = good;
  bad[17] = 0xff;  // the quote says that it has 4 GiB
  EXPECT_THAT(reasons(verify(bad)), ElementsAre("bundle-malformed"));
  bad = good;
  bad.push_back(0);
  EXPECT_THAT(reasons(verify(bad)), ElementsAre("bundle-malformed"));
  EXPECT_THAT(reasons(verify(Bytes())), ElementsAre("bundle-malformed"));
}

// --- evidence of a state that is not accepted ---

TEST_F(VerifyTest, UnknownFileRan) {
  expect_state([this](TestAttester& machine) { machine.files = {unknown_file()}; }, "unknown-file");
  const Verdict verdict = verify();
  ASSERT_EQ(verdict.unknown.size(), 1u);
  EXPECT_EQ(verdict.unknown[0].path, "/tmp/evil");
  EXPECT_THAT(verdict.findings[0].text, HasSubstr("/tmp/evil (sha256:eeee"));
}
TEST_F(VerifyTest, UnknownFileThatLooksLikeAManifest) {
  // Executing an unknown file at the manifest's path: another template, so it is a file.
  expect_state(
      [&](TestAttester& machine) {
        NewImaEvent file = unknown_file();
        file.path = manifest_path(2);
        machine.files = {file};
      },
      "unknown-file");
}
TEST_F(VerifyTest, FileChangedWhileMeasured) {
  expect_state(
      [this](TestAttester& machine) {
        NewImaEvent file = unknown_file();
        file.violation = true;
        machine.files = {file};
      },
      "violation");
}
TEST_F(VerifyTest, ToleratedFile) {
  policy_.tolerated_files = {Bytes(32, 0xee)};
  machine_.files = {unknown_file()};
  const Verdict verdict = verify();
  EXPECT_TRUE(verdict.trusted());
  EXPECT_TRUE(verdict.unknown[0].tolerated);
}
TEST_F(VerifyTest, ManifestFlipped) {
  expect_tampered([](Bundle& bundle) { bundle.manifests[0].at(60) ^= 1; }, "manifest-missing",
                  "manifest-extra");
}
TEST_F(VerifyTest, ManifestLeftOut) {
  machine_.updates = {change_of(ManifestKind::kAdd, {Bytes(32, 0x06), "x", "", "signer"})};
  expect_tampered([](Bundle& bundle) { bundle.manifests.pop_back(); }, "manifest-missing");
}
TEST_F(VerifyTest, OldManifestReplayed) {
  TestAttester before;
  before.boot.lists.pop_back();
  const Bytes old = before.bundle().manifests[0];
  expect_tampered([&](Bundle& bundle) { bundle.manifests[0] = old; }, "manifest-missing", "manifest-extra");
}
TEST_F(VerifyTest, ManifestThatWasNeverMeasured) {
  expect_tampered(
      [](Bundle& bundle) {
        bundle.manifests.push_back(bundle.manifests[0]);
        bundle.manifests[1].pop_back();
      },
      "manifest-extra");
}
TEST_F(VerifyTest, MeasuredManifestIsRubbish) {
  expect_log(
      [](Bundle& bundle) {
        bundle.manifests.push_back(to_bytes(as_bytes("rubbish")));
        append(bundle.ima_log,
               test_event(10, "ima-ng", *manifest_hash(bundle.manifests[1]), manifest_path(2)));
      },
      "manifest-malformed");
}
TEST_F(VerifyTest, ManifestUnderAnotherNumber) {
  machine_.updates = {change_of(ManifestKind::kAdd, {Bytes(32, 0x06), "x", "", "signer"})};
  expect_log(
      [](Bundle& bundle) {
        append(bundle.ima_log,
               test_event(10, "ima-ng", *manifest_hash(bundle.manifests[1]), manifest_path(3)));
      },
      "manifest-path");
}
TEST_F(VerifyTest, SecondBootManifest) {
  expect_log(
      [](Bundle& bundle) {
        append(bundle.ima_log,
               test_event(10, "ima-ng", *manifest_hash(bundle.manifests[0]), manifest_path(1)));
      },
      "boot-manifest-repeated");
}
TEST_F(VerifyTest, ChangeThatFollowsNothing) {
  expect_log(
      [this](Bundle& bundle) {
        Manifest add = change_of(ManifestKind::kAdd, {Bytes(32, 0x06), "x", "", "signer"});
        add.number = 2;
        add.previous = Bytes(32, 0x77);
        bundle.manifests.push_back(*write_manifest(add));
        append(bundle.ima_log,
               test_event(10, "ima-ng", *manifest_hash(bundle.manifests[1]), manifest_path(2)));
      },
      "manifest-chain");
}
TEST_F(VerifyTest, RemovalOfWhatWasNotLoaded) {
  expect_state(
      [this](TestAttester& machine) {
        machine.updates = {change_of(ManifestKind::kRemove, {Bytes(32, 0x06), "x", "", ""})};
      },
      "manifest-chain");
}
TEST_F(VerifyTest, SomethingRanBeforeDiglim) {
  expect_log(
      [](Bundle& bundle) {
        const size_t first = test_event(10, "ima-sig", Bytes(32), "boot_aggregate").size();
        const Bytes early = test_event(10, "ima-sig", Bytes(32, 0xee), "/early");
        bundle.ima_log.insert(bundle.ima_log.begin() + static_cast<ptrdiff_t>(first), early.begin(),
                              early.end());
      },
      "unknown-file");
  // Tolerating the file does not make it good that DIGLIM came late.
  policy_.tolerated_files = {Bytes(32, 0xee)};
  Bundle bundle = machine_.bundle();
  const size_t first = test_event(10, "ima-sig", Bytes(32), "boot_aggregate").size();
  const Bytes early = test_event(10, "ima-sig", Bytes(32, 0xee), "/early");
  bundle.ima_log.insert(bundle.ima_log.begin() + static_cast<ptrdiff_t>(first), early.begin(), early.end());
  replay_into(bundle);
  machine_.sign(bundle);
  EXPECT_THAT(reasons(verify(bundle)), ElementsAre("boot-manifest-late"));
}
TEST_F(VerifyTest, BootedWithoutDiglim) {
  expect_log(
      [](Bundle& bundle) {
        bundle.ima_log.resize(test_event(10, "ima-sig", Bytes(32), "boot_aggregate").size());
        bundle.manifests.clear();
      },
      "boot-manifest-missing");
}
TEST_F(VerifyTest, NoBootAggregate) {
  expect_log(
      [](Bundle& bundle) {
        const size_t first = test_event(10, "ima-sig", Bytes(32), "boot_aggregate").size();
        bundle.ima_log.erase(bundle.ima_log.begin(), bundle.ima_log.begin() + static_cast<ptrdiff_t>(first));
      },
      "boot-aggregate-missing");
}
TEST_F(VerifyTest, BootAggregateOfOtherRegisters) {
  expect_log([](Bundle& bundle) { bundle.pcrs[4] = Bytes(32, 0x44); }, "boot-aggregate-differs");
}
TEST_F(VerifyTest, BootAggregateNotInThePolicy) {
  policy_.boot_aggregates = {Bytes(32, 0x11)};
  EXPECT_THAT(reasons(verify()), ElementsAre("boot-aggregate-differs"));
}
TEST_F(VerifyTest, AnotherFirmware) {
  policy_.pcrs[0] = {Bytes(32, 0x11)};
  EXPECT_THAT(reasons(verify()), ElementsAre("pcr-reference"));
}
TEST_F(VerifyTest, PermissiveMode) {
  expect_state([](TestAttester& machine) { machine.boot.boot.mode = ManifestMode::kPermissive; },
               "mode-differs");
}
TEST_F(VerifyTest, OtherLoader) {
  expect_state([](TestAttester& machine) { machine.boot.boot.loader_hash[0] ^= 1; }, "loader-unknown");
}
TEST_F(VerifyTest, OtherProgram) {
  expect_state([](TestAttester& machine) { machine.boot.boot.programs[0].hash[0] ^= 1; }, "program-unknown");
}
TEST_F(VerifyTest, MissingProgram) {
  expect_state([](TestAttester& machine) { machine.boot.boot.programs.pop_back(); }, "program-unknown");
}
TEST_F(VerifyTest, OtherImaPolicy) {
  expect_state([](TestAttester& machine) { machine.boot.boot.policy_hash[0] ^= 1; }, "ima-policy-unknown");
}
TEST_F(VerifyTest, ForeignKeyIsTrusted) {
  expect_state(
      [](TestAttester& machine) {
        machine.boot.boot.keys.push_back({Bytes(32, 9), "x509:" + std::string(64, 'b')});
      },
      "key-untrusted");
}
TEST_F(VerifyTest, ForeignKeyWasGranted) {
  const auto grant = [](TestAttester& machine, const std::string& fingerprint) {
    Manifest add;
    add.kind = ManifestKind::kAdd;
    add.keys = {{Bytes(32, 9), fingerprint}};
    machine.updates = {add};
  };
  expect_state([&](TestAttester& machine) { grant(machine, "x509:" + std::string(64, 'b')); },
               "key-untrusted");
  grant(machine_, machine_.boot.boot.keys[0].fingerprint);
  EXPECT_THAT(reasons(verify()), IsEmpty()) << "the policy knows it";
}

TEST_F(VerifyTest, WeakHashIsAllowed) {
  expect_state([](TestAttester& machine) { machine.boot.boot.weak_hashes = {HashAlgo::kSha1}; }, "weak-hash");
}
TEST_F(VerifyTest, KernelHashesWithAWeakAlgorithm) {
  expect_state([](TestAttester& machine) { machine.boot.boot.algo = HashAlgo::kSha1; }, "weak-hash");
  policy_.weak_hashes = {HashAlgo::kSha1};
  EXPECT_THAT(reasons(verify()), IsEmpty());
}
// What the manifest of the boot says of that is the machine's own word.
TEST_F(VerifyTest, AManifestMeasuredByAWeakAlgorithm) {
  Bundle bundle = machine_.bundle();
  const Bytes boot_hash = *manifest_hash(bundle.manifests[0]);
  Manifest add = change_of(ManifestKind::kAdd, {Bytes(32, 0x06), "a", "", "signer"});
  add.number = 2;
  add.previous = boot_hash;
  const Bytes content = *write_manifest(add);
  policy_.accepted->lists->insert(Bytes(32, 0x06));
  const auto measured_by = [&](HashAlgo algo) {
    expect_log(
        [&](Bundle& changed) {
          NewImaEvent event;
          event.algo = algo;
          event.digest = *hash(algo, {content});
          event.path = manifest_path(2);
          append(changed.ima_log, *write_ima_event(event));
          changed.manifests.push_back(content);
        },
        "weak-hash");
  };
  measured_by(HashAlgo::kSha1);
  measured_by(HashAlgo::kMd5);
}
// A template's name is under no signature: a file of root's at a manifest's path is no manifest.
TEST_F(VerifyTest, AnUnknownFileIsNoManifestByItsTemplatesName) {
  NewImaEvent file = unknown_file();
  file.path = manifest_path(2);
  machine_.files = {file};
  Bundle bundle = machine_.bundle();
  const std::string from = std::string("\7\0\0\0", 4) + "ima-sig", to = std::string("\6\0\0\0", 4) + "ima-ng";
  std::string log(as_text(bundle.ima_log));
  log.replace(log.rfind(from), from.size(), to);
  bundle.ima_log = to_bytes(as_bytes(log));
  EXPECT_THAT(reasons(verify(bundle)), ElementsAre("log-malformed"));
}
TEST_F(VerifyTest, ForeignList) {
  expect_state([](TestAttester& machine) { machine.boot.lists[1].hash[0] ^= 1; }, "list-untrusted");
}
// The file's name says that it is new; the signed header does not.
TEST_F(VerifyTest, OldPackageUnderANewName) {
  policy_.accepted->lists.reset();
  expect_state(
      [](TestAttester& machine) {
        machine.boot.lists[0].name = "0-file_list-rpm-bash-9.9-1.x86_64";
        machine.boot.lists[0].package = "bash-5.1-8.x86_64";
      },
      "version-too-old");
}
// A deny list that was rolled back, or is gone.
TEST_F(VerifyTest, RevocationsAreOldOrMissing) {
  policy_.minimum_serials = {{"local", 7}};
  EXPECT_THAT(reasons(verify()), ElementsAre("revocations-too-old"));
  machine_.boot.deny_lists = {{Bytes(32, 1), 6, "local", "CN=Admin"}};
  EXPECT_THAT(reasons(verify()), ElementsAre("revocations-too-old"));
  machine_.boot.deny_lists[0].serial = 7;
  EXPECT_THAT(reasons(verify()), IsEmpty());
}
TEST_F(VerifyTest, EveryFindingIsNamed) {
  machine_.boot.boot.mode = ManifestMode::kMeasure;
  machine_.boot.boot.loader_hash[0] ^= 1;
  machine_.files = {unknown_file(), unknown_file()};
  machine_.files[1].path = "/tmp/second";
  EXPECT_THAT(reasons(verify()),
              ElementsAre("unknown-file", "unknown-file", "mode-differs", "loader-unknown"));
}
TEST_F(VerifyTest, SaysWhatItDidNotCheck) {
  policy_.pcrs.clear();
  machine_.quoted = {12};
  machine_.pcr = 12;
  policy_.pcr = 12;
  const Verdict verdict = verify();
  EXPECT_TRUE(verdict.trusted());
  EXPECT_THAT(verdict.warnings, ElementsAre(HasSubstr("PCR 10 were not checked"), HasSubstr("own word")));
}

}  // namespace
}  // namespace diglim
