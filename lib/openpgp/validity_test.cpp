// SPDX-License-Identifier: Apache-2.0
// When a key may sign: self-signatures, expirations, revocations and subkeys against the time of a signature.
#include <gtest/gtest.h>

#include "lib/openpgp/test_keys.h"

namespace diglim::openpgp::test {
namespace {

constexpr std::string_view kMessage = "the immutable region of a header";
const std::string kGood = "good";
const std::string kNotForSigning = "not counted: the key is not meant for signing";
const std::string kRevokedHard = "not counted: the key was revoked as compromised, or without a reason";
const std::string kUnknown = "unknown key: no trusted key has this id";

std::string expired(const std::string& which, const std::string& day) {
  return "not counted: the " + which + " expired " + day + ", before it signed";
}
std::string revoked(const std::string& which, const std::string& day) {
  return "not counted: the " + which + " was revoked " + day + ", before it signed";
}

struct Case {
  std::string what;
  CertificateOptions certificate;
  uint32_t day;  // on which the document was signed, counted from the making of the key
  std::string outcome;
};

const TestKey& stranger() {
  return ed_key(5);
}

// The stranger's key of the same version, or its signatures would fail for too simple a reason.
CertificateOptions for_version(CertificateOptions options, int version) {
  const auto change = [&](const TestKey*& key) {
    if (key == &stranger() && version == 6) key = &v6_key(5);
  };
  for (Revocation& revocation : options.revocations) {
    change(revocation.by);
    change(revocation.issuer);
  }
  for (Subkey& subkey : options.subkeys) {
    change(subkey.bound_by);
    change(subkey.back_signed_by);
    for (Revocation& revocation : subkey.revocations) change(revocation.by);
  }
  return options;
}

// Each case with a v4 and a v6 key.
void run(const std::vector<Case>& cases, const TestKey* subkey4 = nullptr, const TestKey* subkey6 = nullptr) {
  for (const int version : {4, 6}) {
    const TestKey& primary = version == 4 ? ed_key() : v6_key();
    for (const Case& c : cases) {
      CertificateOptions options = for_version(c.certificate, version);
      const TestKey* subkey = version == 4 ? subkey4 : subkey6;
      for (Subkey& s : options.subkeys) s.key = subkey;
      const TestKey& signer = subkey != nullptr ? *subkey : primary;
      const SignOptions sign = {.version = version, .created = kMade + c.day * kDay};
      EXPECT_EQ(judge(signer.sign(as_bytes(kMessage), sign), kMessage, {primary.certificate(options)}),
                c.outcome)
          << c.what << ", version " << version;
    }
  }
}

// To pass over what is not understood would be to lift a restriction that its owner may have made.
TEST(Validity, WhatIsNotUnderstoodIsNoPermission) {
  const auto not_understood = [](const std::string& why) {
    return "not counted: what the key says of itself is not understood: " + why;
  };
  const SelfSignature critical = {.sign = {.hashed = subpacket(99, {}, true)}};
  const SelfSignature notation = {.key_expires_after = 10 * kDay,
                                  .sign = {.hashed = subpacket(20, Bytes(8, 0), true)}};
  const SelfSignature not_critical = {.sign = {.hashed = subpacket(99, {}, false)}};
  const SelfSignature other_hash = {.sign = {.hash_number = 12}};
  const SelfSignature other_algorithm = {.sign = {.algorithm = 107}};
  const SelfSignature direct = {.type = 0x1f, .sign = {.hashed = subpacket(99, {}, true)}};
  const SelfSignature timeless = {.sign = {.creation_time = false}};
  const auto later = [](SelfSignature self) {
    self.created = kMade + 20 * kDay;
    return self;
  };
  const std::string unknown_subpacket = not_understood("critical subpacket 99 is not understood");
  run({
      {"critical subpacket", {.self_signatures = {critical}}, 1, unknown_subpacket},
      {"critical notation",
       {.self_signatures = {notation}},
       1,
       not_understood("a critical notation is not understood")},
      {"a subpacket that is not critical", {.self_signatures = {not_critical}}, 1, kGood},
      {"a hash that is not known",
       {.self_signatures = {other_hash}},
       1,
       not_understood("hash algorithm 12 is not supported")},
      {"an algorithm that is not known",
       {.self_signatures = {other_algorithm}},
       1,
       not_understood("public-key algorithm 107 is not supported")},
      {"no time", {.self_signatures = {timeless}}, 1, not_understood("it does not say when it was made")},
      {"before it was said", {.self_signatures = {SelfSignature{}, later(critical)}}, 19, kGood},
      {"since it was said", {.self_signatures = {SelfSignature{}, later(critical)}}, 20, unknown_subpacket},
      {"the same of a hash",
       {.self_signatures = {later(other_hash), SelfSignature{}}},
       21,
       not_understood("hash algorithm 12 is not supported")},
      {"a direct-key signature",
       {.self_signatures = {SelfSignature{}, later(direct)}},
       21,
       unknown_subpacket},
      {"at the same time as another", {.self_signatures = {critical, SelfSignature{}}}, 1, unknown_subpacket},
      {"until something is understood again", {.self_signatures = {critical, later({})}}, 25, kGood},
      {"older ones were stripped", {.self_signatures = {later(critical)}}, 1, unknown_subpacket},
  });
}

TEST(Validity, OfAPrimaryKeyByItsSelfSignatures) {
  const SelfSignature ten_days = {.key_expires_after = 10 * kDay};
  const SelfSignature extended_late = {.created = kMade + 20 * kDay, .key_expires_after = 100 * kDay};
  const SelfSignature unlimited_late = {.created = kMade + 20 * kDay};
  const SelfSignature no_signing_late = {.created = kMade + 20 * kDay, .key_flags = 0x01};
  run({
      {"plain", {}, 1, kGood},
      {"no self-signature at all", {.self_signatures = {}}, 1, kGood},
      {"no key flags", {.self_signatures = {{.key_flags = {}}}}, 1, kGood},
      {"certifies only", {.self_signatures = {{.key_flags = 0x01}}}, 1, kNotForSigning},
      {"encrypts only", {.self_signatures = {{.key_flags = 0x0c}}}, 1, kNotForSigning},
      {"signed in time, expired since", {.self_signatures = {ten_days}}, 9, kGood},
      {"signed at the second it expires", {.self_signatures = {ten_days}}, 10, expired("key", "2020-01-11")},
      {"signed after it expired", {.self_signatures = {ten_days}}, 11, expired("key", "2020-01-11")},
      {"expiration of 0 is none", {.self_signatures = {{.key_expires_after = 0}}}, 4000, kGood},
      {"expiration beyond 2106 is none",
       {.self_signatures = {{.key_expires_after = 0xffffffff}}},
       4000,
       kGood},
      {"in the gap before it was extended",
       {.self_signatures = {ten_days, extended_late}},
       15,
       expired("key", "2020-01-11")},
      {"after it was extended", {.self_signatures = {ten_days, extended_late}}, 25, kGood},
      {"after it expired again",
       {.self_signatures = {ten_days, extended_late}},
       101,
       expired("key", "2020-04-10")},
      {"the order in the file does not matter", {.self_signatures = {extended_late, ten_days}}, 25, kGood},
      {"the limit was taken away", {.self_signatures = {ten_days, unlimited_late}}, 500, kGood},
      {"older self-signatures were stripped", {.self_signatures = {extended_late}}, 15, kGood},
      {"stripped, and the newest says no", {.self_signatures = {no_signing_late}}, 15, kNotForSigning},
      {"signed before it lost the flag", {.self_signatures = {SelfSignature{}, no_signing_late}}, 15, kGood},
      {"signed after it lost the flag",
       {.self_signatures = {SelfSignature{}, no_signing_late}},
       21,
       kNotForSigning},
      {"SHA-1 self-signature",
       {.self_signatures = {{.key_expires_after = 10 * kDay, .sign = {.hash = HashAlgo::kSha1}}}},
       11,
       expired("key", "2020-01-11")},
      {"MD5 self-signature",
       {.self_signatures = {{.key_flags = 0x01, .sign = {.hash = HashAlgo::kMd5}}}},
       1,
       kNotForSigning},
      {"a self-signature in force", {.self_signatures = {{.sign = {.expires_after = 5 * kDay}}}}, 4, kGood},
      {"a self-signature that lapsed",
       {.self_signatures = {{.sign = {.expires_after = 5 * kDay}}}},
       6,
       kNotForSigning},
      {"a newer one lapsed, the older holds",
       {.self_signatures = {SelfSignature{},
                            {.created = kMade + kDay, .key_flags = 0x01, .sign = {.expires_after = kDay}}}},
       6,
       kGood},
      {"direct-key signature alone",
       {.self_signatures = {{.key_expires_after = 10 * kDay, .type = 0x1f}}},
       11,
       expired("key", "2020-01-11")},
      {"direct-key signature fills in the expiration",
       {.self_signatures = {SelfSignature{},
                            {.key_flags = {}, .key_expires_after = 10 * kDay, .type = 0x1f}}},
       11,
       expired("key", "2020-01-11")},
      {"direct-key signature fills in the flags",
       {.self_signatures = {{.key_flags = {}}, {.key_flags = 0x01, .type = 0x1f}}},
       11,
       kNotForSigning},
  });
}

TEST(Validity, Version6TrustsTheDirectKeySignatureFirst) {
  CertificateOptions options;
  options.self_signatures = {{.key_flags = 0x03}, {.key_flags = 0x01, .type = 0x1f}};
  EXPECT_EQ(judge(ed_key().sign(as_bytes(kMessage)), kMessage, {ed_key().certificate(options)}), kGood);
  EXPECT_EQ(
      judge(v6_key().sign(as_bytes(kMessage), {.version = 6}), kMessage, {v6_key().certificate(options)}),
      kNotForSigning);
}

TEST(Validity, Version3SelfSignatureOverAnOldKey) {
  CertificateOptions options;
  options.self_signatures = {{.type = 0x10, .sign = {.version = 3, .hash = HashAlgo::kMd5}}};
  const auto read = read_certificates(rsa_key().certificate(options));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->front().keys[0].statements.size(), 1u);
  EXPECT_TRUE(read->front().keys[0].may_sign);
}

TEST(Validity, OfARevokedPrimaryKey) {
  const auto revocation = [](uint32_t day, std::optional<uint8_t> reason) {
    return Revocation{.created = kMade + day * kDay, .reason = reason};
  };
  const SelfSignature vouched_anew = {.created = kMade + 20 * kDay};
  Revocation forged = revocation(10, 2);
  forged.by = &stranger();
  Revocation third_party = revocation(10, 2);
  third_party.by = &stranger();
  third_party.issuer = &stranger();
  Revocation old = revocation(10, 2);
  old.sign.hash = HashAlgo::kMd5;
  Revocation critical = revocation(10, 1);
  critical.sign.hashed = subpacket(99, {}, true);
  Revocation timeless = revocation(10, 1);
  timeless.sign.creation_time = false;
  Revocation expiring = revocation(10, 1);
  expiring.sign.expires_after = 1;
  run({
      {"compromised, signed before", {.revocations = {revocation(10, 2)}}, 5, kRevokedHard},
      {"compromised, signed after", {.revocations = {revocation(10, 2)}}, 15, kRevokedHard},
      {"no reason (0)", {.revocations = {revocation(10, 0)}}, 5, kRevokedHard},
      {"no reason given", {.revocations = {revocation(10, {})}}, 5, kRevokedHard},
      {"an unknown reason", {.revocations = {revocation(10, 77)}}, 5, kRevokedHard},
      {"compromised, then vouched for anew",
       {.self_signatures = {SelfSignature{}, vouched_anew}, .revocations = {revocation(10, 2)}},
       25,
       kRevokedHard},
      {"superseded, signed before", {.revocations = {revocation(10, 1)}}, 9, kGood},
      {"superseded, signed at that second",
       {.revocations = {revocation(10, 1)}},
       10,
       revoked("key", "2020-01-11")},
      {"superseded, signed after", {.revocations = {revocation(10, 1)}}, 11, revoked("key", "2020-01-11")},
      {"retired, signed before", {.revocations = {revocation(10, 3)}}, 9, kGood},
      {"retired, signed after", {.revocations = {revocation(10, 3)}}, 11, revoked("key", "2020-01-11")},
      {"retired twice",
       {.revocations = {revocation(12, 3), revocation(10, 3)}},
       15,
       revoked("key", "2020-01-11")},
      {"retired, then vouched for anew",
       {.self_signatures = {SelfSignature{}, vouched_anew}, .revocations = {revocation(10, 3)}},
       25,
       kGood},
      {"retired, signed in the gap",
       {.self_signatures = {SelfSignature{}, vouched_anew}, .revocations = {revocation(10, 3)}},
       15,
       revoked("key", "2020-01-11")},
      {"forged", {.revocations = {forged}}, 15, kGood},
      {"by somebody else", {.revocations = {third_party}}, 15, kGood},
      {"forged beside a real one", {.revocations = {forged, revocation(10, 2)}}, 15, kRevokedHard},
      {"with MD5", {.revocations = {old}}, 15, kRevokedHard},
      {"soft, but with a critical unknown subpacket", {.revocations = {critical}}, 5, kRevokedHard},
      {"soft, but without a time", {.revocations = {timeless}}, 5, kRevokedHard},
      {"a revocation does not expire", {.revocations = {expiring}}, 15, revoked("key", "2020-01-11")},
  });
}

TEST(Validity, ARevocationThatCannotBeCheckedCounts) {
  CertificateOptions options;
  options.revocations = {{.created = kMade + kDay, .reason = 3}};
  Bytes file = ed_key().certificate(options);
  // The hash of the revocation, the first signature packet after the key, becomes SHA3-512.
  const size_t revocation = packet(6, ed_key().body()).size();
  ASSERT_EQ(file[revocation + 5], 8);
  file[revocation + 5] = 14;
  EXPECT_EQ(judge(ed_key().sign(as_bytes(kMessage)), kMessage, {file}), kRevokedHard);
}

TEST(Validity, IgnoredRevocationsAreCounted) {
  CertificateOptions options;
  options.revocations = {{.reason = 2, .by = &rsa_key(), .issuer = &rsa_key()},
                         {.reason = 2, .by = &ed_key(1)}};
  const auto read = read_certificates(ed_key().certificate(options));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->front().ignored_revocations, 2u);
  EXPECT_FALSE(read->front().keys[0].revoked_hard);
}

TEST(Validity, OfASubkey) {
  const auto with = [](Subkey subkey) {
    CertificateOptions options;
    options.self_signatures = {{.key_flags = 0x01}};
    options.subkeys = {std::move(subkey)};
    return options;
  };
  const auto subkey_revocation = [](uint8_t reason) {
    return Revocation{.created = kMade + 10 * kDay, .reason = reason};
  };
  CertificateOptions primary_expired = with({});
  primary_expired.self_signatures[0].key_expires_after = 10 * kDay;
  CertificateOptions primary_compromised = with({});
  primary_compromised.revocations = {subkey_revocation(2)};
  CertificateOptions primary_retired = with({});
  primary_retired.revocations = {subkey_revocation(3)};
  run(
      {
          {"plain", with({}), 1, kGood},
          {"without a back-signature", with({.back_signature = false}), 1, kUnknown},
          {"back-signed by another key", with({.back_signed_by = &stranger()}), 1, kUnknown},
          {"bound by another key", with({.bound_by = &stranger()}), 1, kUnknown},
          {"for encryption", with({.key_flags = 0x0c}), 1, kNotForSigning},
          {"without flags", with({.key_flags = {}}), 1, kNotForSigning},
          {"SHA-1 binding", with({.hash = HashAlgo::kSha1, .back_hash = HashAlgo::kSha1}), 1, kGood},
          {"MD5 binding", with({.hash = HashAlgo::kMd5}), 1, kUnknown},
          {"MD5 back-signature", with({.back_hash = HashAlgo::kMd5}), 1, kUnknown},
          {"signed in time, expired since", with({.key_expires_after = 10 * kDay}), 9, kGood},
          {"signed after it expired", with({.key_expires_after = 10 * kDay}), 11,
           expired("key", "2020-01-11")},
          {"compromised", with({.revocations = {subkey_revocation(2)}}), 1, kRevokedHard},
          {"retired, signed before", with({.revocations = {subkey_revocation(3)}}), 1, kGood},
          {"retired, signed after", with({.revocations = {subkey_revocation(3)}}), 11,
           revoked("key", "2020-01-11")},
          {"revoked by another key",
           with({.revocations = {{.created = kMade + kDay, .reason = 2, .by = &stranger()}}}), 1, kGood},
          {"primary expired", primary_expired, 11, expired("primary key", "2020-01-11")},
          {"primary expired since", primary_expired, 9, kGood},
          {"primary compromised", primary_compromised, 1, kRevokedHard},
          {"primary retired, signed before", primary_retired, 9, kGood},
          {"primary retired, signed after", primary_retired, 11, revoked("primary key", "2020-01-11")},
      },
      &ed_key(1), &v6_key(1));
}

TEST(Validity, IgnoredSubkeysAreCounted) {
  CertificateOptions options;
  options.subkeys = {{.key = &ed_key(1)}, {.key = &ec_key(), .back_signature = false}, {.key = &v6_key()}};
  const auto read = read_certificates(ed_key().certificate(options));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->front().keys.size(), 2u);
  EXPECT_EQ(read->front().ignored_subkeys, 2u);
}

// A subkey of one certificate under another primary key, with everything that can be copied from it.
TEST(Validity, AStolenSubkeyIsNotAdopted) {
  CertificateOptions honest;
  honest.subkeys = {{.key = &ed_key(1)}};
  CertificateOptions thief;
  thief.subkeys = {{.key = &ed_key(1), .back_signed_by = &ed_key(2)}};
  const Bytes signature = ed_key(1).sign(as_bytes(kMessage));
  EXPECT_EQ(judge(signature, kMessage, {ed_key().certificate(honest)}), kGood);
  EXPECT_EQ(judge(signature, kMessage, {ed_key(2).certificate(thief)}), kUnknown);
}

}  // namespace
}  // namespace diglim::openpgp::test
