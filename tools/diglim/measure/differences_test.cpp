// SPDX-License-Identifier: Apache-2.0
// Goal: each component that makes the register another is named. Expected: one change of a boot that is as
// predicted, and what is said of it.
#include "tools/diglim/measure/differences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "lib/manifest/update.h"
#include "lib/tcg/ima_event.h"
#include "policy/ima_policy.h"

namespace diglim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr unsigned kPcr = 12;
constexpr HashAlgo kBank = HashAlgo::kSha256;

Bytes sha(const std::string& of) {
  return *hash(HashAlgo::kSha256, {as_bytes(of)});
}
ManifestList list(const std::string& name, const std::string& content) {
  return {sha(content), name, name + "-1-1.noarch", "signer"};
}
ManifestKey key(const std::string& who, const std::string& file) {
  return {sha(file), "x509:" + to_hex(sha(who))};
}

// What one side has.
struct Side {
  unsigned pcr = kPcr;
  Manifest boot;
  std::vector<Publication> updates;
  Bytes start = Bytes(32, 0);
  Bytes aggregate;  // empty: none
};

Side good() {
  Side side;
  Manifest& boot = side.boot;
  boot.boot.policy_hash = sha(ima_policy(PolicyLabels::kAppArmor, kPcr));
  boot.boot.loader_hash = sha("loader");
  boot.boot.programs = {{"diglim.bpf.o", sha("program")}};
  boot.boot.keys = {key("distribution", "key file")};
  boot.deny_lists = {{sha("denied"), 1, "local", "signer"}};
  boot.lists = {list("bash", "bash 1"), list("zsh", "zsh 1")};
  side.updates = {{{list("bash", "bash 1"), list("curl", "curl 1"), list("zsh", "zsh 1")}, boot.deny_lists}};
  return side;
}

Prediction predict(const Side& side) {
  Prediction prediction(side.pcr, kBank, HashAlgo::kSha256);
  EXPECT_TRUE(prediction.start(side.start));
  if (!side.aggregate.empty()) {
    EXPECT_TRUE(prediction.boot_aggregate(side.aggregate, "ima-sig"));
  }
  EXPECT_TRUE(prediction.boot(side.boot));
  for (const Publication& update : side.updates) EXPECT_TRUE(prediction.update(update));
  return prediction;
}

class DifferencesTest : public testing::Test {
 protected:
  // The codes, in order. What was measured is what would be predicted of `measured`, then `extra_`.
  std::vector<std::string> codes() {
    const Prediction made = predict(measured_);
    contents_.clear();
    MeasuredBoot boot;
    for (const PredictedEvent& event : made.events()) {
      if (!event.content.empty()) contents_.push_back(event.content);
    }
    for (const Bytes& content : more_contents_) contents_.push_back(content);
    if (lose_manifests_) contents_.clear();
    log_ = first_;
    append(log_, made.log());
    append(log_, extra_);
    auto events = read_ima_log(log_);
    EXPECT_TRUE(events);
    boot.events = *events;
    boot.manifests.assign(contents_.begin(), contents_.end());
    boot.start = measured_.start;
    const Prediction wanted = predict(predicted_);
    const auto compared = compare(wanted, predicted_.pcr, kBank, boot);
    EXPECT_TRUE(compared);
    differences_ = compared->differences;
    EXPECT_EQ(differences_.empty(), compared->measured == compared->predicted);
    std::vector<std::string> codes;
    for (const Difference& difference : differences_) codes.push_back(difference.code);
    return codes;
  }
  const Difference& first() const { return differences_.front(); }
  static Bytes event(const std::string& path, bool violation = false, unsigned pcr = kPcr) {
    NewImaEvent event;
    event.pcr = pcr;
    event.template_name = "ima-sig";
    event.digest = sha(path);
    event.path = path;
    event.violation = violation;
    return *write_ima_event(event);
  }
  static Bytes manifest_event(const Bytes& content, uint64_t number) {
    NewImaEvent event;
    event.pcr = kPcr;
    event.digest = *hash(HashAlgo::kSha256, {content});
    event.path = manifest_path(number);
    return *write_ima_event(event);
  }

  Side predicted_ = good(), measured_ = good();
  Bytes first_, extra_;
  bool lose_manifests_ = false;
  std::vector<Bytes> more_contents_;
  std::vector<Difference> differences_;
  Bytes log_;
  std::vector<Bytes> contents_;
};

TEST_F(DifferencesTest, NoneIfAllIsAsPredicted) {
  EXPECT_THAT(codes(), IsEmpty());
  lose_manifests_ = true;  // nor does anybody need them then
  EXPECT_THAT(codes(), IsEmpty());
}

TEST_F(DifferencesTest, ListThatWasNotPredicted) {
  measured_.boot.lists.push_back(list("evil", "evil 1"));
  measured_.updates[0].lists.push_back(list("evil", "evil 1"));
  EXPECT_THAT(codes(), ElementsAre("list-added"));
  EXPECT_EQ(first().extend, 1u);
  EXPECT_EQ(first().name, "evil");
  EXPECT_EQ(first().text,
            "the digest list evil (evil-1-1.noarch) is in manifest 1 (boot), and was not predicted");
}

TEST_F(DifferencesTest, ListThatIsNotThere) {
  measured_.updates[0].lists[1] = list("dash", "dash 1");
  EXPECT_THAT(codes(), ElementsAre("list-missing", "list-added"));
  EXPECT_EQ(first().extend, 2u);
  EXPECT_EQ(first().name, "curl");
}

TEST_F(DifferencesTest, ListWithOtherContent) {
  measured_.boot.lists[0] = measured_.updates[0].lists[0] = list("bash", "bash 2");
  EXPECT_THAT(codes(), ElementsAre("list-differs"));
  EXPECT_EQ(first().name, "bash");
  EXPECT_THAT(first().text, HasSubstr(to_hex(sha("bash 2")) + ", predicted is " + to_hex(sha("bash 1"))));
}

TEST_F(DifferencesTest, ListThatCameWhileTheSystemRan) {
  const Publication all = measured_.updates[0];
  measured_.updates = {{{all.lists[0], all.lists[2], list("vim", "vim 1")}, all.deny_lists},
                       {{all.lists[0], all.lists[1], all.lists[2], list("vim", "vim 1")}, all.deny_lists}};
  predicted_.updates[0].lists.push_back(list("vim", "vim 1"));
  EXPECT_THAT(codes(), ElementsAre("list-moved", "manifest-not-predicted"));
  EXPECT_THAT(first().text,
              HasSubstr("curl (curl-1-1.noarch) is in manifest 3 (add), predicted is manifest 2"));
}

TEST_F(DifferencesTest, UpdateWhileTheSystemRan) {
  Publication next = measured_.updates[0];
  next.lists[0] = list("bash", "bash 2");
  measured_.updates.push_back(next);
  EXPECT_THAT(codes(),
              ElementsAre("manifest-not-predicted", "list-added", "manifest-not-predicted", "list-removed"));
  EXPECT_EQ(first().extend, 3u);
}

TEST_F(DifferencesTest, RemovalThatDidNotCome) {
  Publication next = predicted_.updates[0];
  next.lists.erase(next.lists.begin());
  predicted_.updates.push_back(next);
  EXPECT_THAT(codes(), ElementsAre("manifest-not-measured", "list-kept"));
}

TEST_F(DifferencesTest, Keys) {
  measured_.boot.boot.keys.push_back(key("stranger", "other file"));
  EXPECT_THAT(codes(), ElementsAre("key-added"));
  EXPECT_EQ(first().name, key("stranger", "").fingerprint);
  measured_.boot.boot.keys = {key("stranger", "other file")};
  EXPECT_THAT(codes(), testing::UnorderedElementsAre("key-missing", "key-added"));
  measured_.boot.boot.keys = {key("distribution", "another file")};
  EXPECT_THAT(codes(), ElementsAre("key-differs"));
}

TEST_F(DifferencesTest, GrantedKey) {
  measured_.updates[0].keys = {key("granted", "statement")};
  EXPECT_THAT(codes(), ElementsAre("key-added"));
  EXPECT_EQ(first().extend, 2u);
}

TEST_F(DifferencesTest, DenyList) {
  measured_.boot.deny_lists[0] = measured_.updates[0].deny_lists[0] = {sha("more"), 2, "local", "signer"};
  EXPECT_THAT(codes(), ElementsAre("deny-list-differs"));
  EXPECT_THAT(first().text, HasSubstr("the deny list local (serial 2)"));
  EXPECT_THAT(first().text, HasSubstr("(serial 1)"));
}

TEST_F(DifferencesTest, Boot) {
  struct Case {
    std::string code, text;
    std::function<void(ManifestBoot&)> change;
  };
  for (const Case& each : {
           Case{"mode-differs", "mode permissive, predicted is enforce",
                [](ManifestBoot& boot) { boot.mode = ManifestMode::kPermissive; }},
           Case{"algorithm-differs", "by sha512, predicted is sha256",
                [](ManifestBoot& boot) { boot.algo = HashAlgo::kSha512; }},
           Case{"ima-policy-differs",
                "that of pcr = 11, labels = selinux; predicted is that of pcr = 12, labels = apparmor",
                [](ManifestBoot& boot) { boot.policy_hash = sha(ima_policy(PolicyLabels::kSelinux, 11)); }},
           Case{"ima-policy-differs", "none that this DIGLIM writes",
                [](ManifestBoot& boot) { boot.policy_hash = sha("somebody's"); }},
           Case{"loader-differs", "another version of DIGLIM",
                [](ManifestBoot& boot) { boot.loader_hash = sha("loader 2"); }},
           Case{"program-differs", "diglim.bpf.o is " + to_hex(sha("program 2")),
                [](ManifestBoot& boot) { boot.programs[0].hash = sha("program 2"); }},
           Case{"program-differs", "missing, predicted is " + to_hex(sha("program")),
                [](ManifestBoot& boot) { boot.programs.clear(); }},
           Case{"weak-hash-differs", "sha1 accepted, predicted is none",
                [](ManifestBoot& boot) { boot.weak_hashes = {HashAlgo::kSha1}; }},
       }) {
    measured_ = good();
    each.change(measured_.boot.boot);
    EXPECT_THAT(codes(), ElementsAre(each.code));
    EXPECT_THAT(first().text, HasSubstr(each.text));
    EXPECT_EQ(first().extend, 1u);
  }
}

TEST_F(DifferencesTest, UnknownFile) {
  extra_ = event("/t/unknown");
  EXPECT_THAT(codes(), ElementsAre("unknown-file"));
  EXPECT_EQ(first().extend, 3u);
  EXPECT_EQ(first().name, "/t/unknown");
  extra_ = event("/t/changing", true);
  EXPECT_THAT(codes(), ElementsAre("violation"));
}

TEST_F(DifferencesTest, TheFirstIsFirst) {
  first_ = event("/t/early");
  extra_ = event("/t/late");
  measured_.boot.boot.mode = ManifestMode::kMeasure;
  EXPECT_THAT(codes(), ElementsAre("unknown-file", "mode-differs", "unknown-file"));
  EXPECT_EQ(first().name, "/t/early");
}

TEST_F(DifferencesTest, MonitorMode) {
  const auto plan = plan_monitor(2, sha("previous"), {60, "", "because"});
  ASSERT_TRUE(plan);
  more_contents_ = {plan->before_publishing->content};
  extra_ = manifest_event(more_contents_[0], 3);
  EXPECT_THAT(codes(), ElementsAre("monitored"));
  EXPECT_THAT(first().text, HasSubstr("allowed by root, because: because"));
}

TEST_F(DifferencesTest, ManifestsThatNobodyHas) {
  measured_.boot.boot.mode = ManifestMode::kMeasure;
  lose_manifests_ = true;
  EXPECT_THAT(codes(), ElementsAre("manifest-missing", "manifest-missing"));
  lose_manifests_ = false;
  more_contents_ = {to_bytes(as_bytes("no manifest"))};
  extra_ = manifest_event(more_contents_[0], 3);
  measured_ = good();
  EXPECT_THAT(codes(), ElementsAre("manifest-malformed"));
}

TEST_F(DifferencesTest, AnotherRegister) {
  measured_.pcr = 11;
  EXPECT_THAT(codes(), testing::Contains("boot-manifest-missing"));
  EXPECT_EQ(first().code, "pcr-differs");
  EXPECT_THAT(first().text, HasSubstr("measured into PCR 11, and PCR 12 is predicted"));
}

TEST_F(DifferencesTest, Start) {
  measured_.start = sha("a boot manager's options");
  EXPECT_THAT(codes(), ElementsAre("start-differs"));
  EXPECT_EQ(first().extend, 0u);
}

TEST_F(DifferencesTest, BootAggregate) {
  predicted_.pcr = measured_.pcr = 10;
  predicted_.aggregate = measured_.aggregate = sha("firmware");
  EXPECT_THAT(codes(), IsEmpty());
  measured_.aggregate = sha("another firmware");
  EXPECT_THAT(codes(), ElementsAre("boot-aggregate-differs"));
  measured_.aggregate.clear();
  EXPECT_THAT(codes(), ElementsAre("boot-aggregate-missing"));
}

TEST(BeforeIma, NamesTheFirstEventThatDiffers) {
  const std::vector<Extend> wanted = {{4, sha("a"), "the firmware", "EV_EFI_BOOT_SERVICES_APPLICATION"},
                                      {12, sha("b"), "systemd-boot or systemd-stub", "EV_IPL \"quiet\""}};
  EXPECT_THAT(compare_before_ima(wanted, wanted, {4, 12}), IsEmpty());
  std::vector<Extend> got = wanted;
  got[0].digest = sha("c");
  got[1] = {12, sha("d"), "systemd-boot or systemd-stub", "EV_IPL \"single\""};
  auto found = compare_before_ima(wanted, got, {4, 12});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(
      found[0].text,
      "PCR 4, event 1 before IMA: EV_EFI_BOOT_SERVICES_APPLICATION, by the firmware, with other content than "
      "predicted");
  EXPECT_THAT(found[1].text,
              HasSubstr("EV_IPL \"single\", by systemd-boot or systemd-stub; predicted is EV_IPL"));
  EXPECT_THAT(compare_before_ima(wanted, got, {11}), IsEmpty());
  got.pop_back();
  found = compare_before_ima(wanted, got, {12});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0].text, HasSubstr("missing, predicted is EV_IPL \"quiet\""));
}

TEST(OtherExtends, OfSystemdAreNamed) {
  const Prediction made = predict(good());
  const Bytes log = made.log();
  MeasuredBoot boot;
  boot.events = *read_ima_log(log);
  boot.start = Bytes(32, 0);
  const std::vector<Extend> systemd = {{kPcr, sha("phase"), "systemd", "phase \"enter-initrd\""}};
  PcrBank bank(kBank);
  ASSERT_TRUE(replay_ima_event(boot.events[0], bank));
  ASSERT_TRUE(bank.extend(kPcr, sha("phase")));
  ASSERT_TRUE(replay_ima_event(boot.events[1], bank));
  auto found = explain_register(bank.value(kPcr), kPcr, kBank, boot, systemd);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->code, "extended-by-others");
  EXPECT_THAT(found->text, HasSubstr("after 1 of IMA's events: phase \"enter-initrd\", by systemd"));
  found = explain_register(sha("anything"), kPcr, kBank, boot, {});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->code, "log-differs");
}

}  // namespace
}  // namespace diglim
