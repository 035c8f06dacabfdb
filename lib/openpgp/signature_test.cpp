// SPDX-License-Identifier: Apache-2.0
#include "lib/openpgp/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/openpgp/test_keys.h"

namespace diglim::openpgp::test {
namespace {

constexpr std::string_view kMessage = "the immutable region of a header";
const std::string kWrong = "bad: the signature is wrong: what was signed, or the signature, was changed";
const std::string kRevokedHard = "not counted: the key was revoked as compromised, or without a reason";

TEST(Signature, EveryAlgorithmVersionAndHash) {
  struct Case {
    Algo algo;
    uint8_t key_version;
    int version;
    std::string name;
  };
  const std::vector<Case> cases = {
      {Algo::kRsa2048, 4, 3, "RSA"},         {Algo::kRsa2048, 4, 4, "RSA"},
      {Algo::kRsa2048, 6, 6, "RSA"},         {Algo::kP256, 4, 3, "ECDSA"},
      {Algo::kP256, 4, 4, "ECDSA"},          {Algo::kP256, 6, 6, "ECDSA"},
      {Algo::kP384, 4, 4, "ECDSA"},          {Algo::kP521, 4, 4, "ECDSA"},
      {Algo::kEd25519Legacy, 4, 3, "EdDSA"}, {Algo::kEd25519Legacy, 4, 4, "EdDSA"},
      {Algo::kEd25519, 4, 4, "Ed25519"},     {Algo::kEd25519, 6, 6, "Ed25519"},
  };
  for (const Case& c : cases) {
    const TestKey& key = made_once(c.algo, c.key_version, 0);
    const auto trusted = read_certificates(key.certificate());
    ASSERT_TRUE(trusted) << trusted.error().message;
    for (const HashAlgo hash : {HashAlgo::kSha224, HashAlgo::kSha256, HashAlgo::kSha384, HashAlgo::kSha512}) {
      const Bytes signature = key.sign(as_bytes(kMessage), {.version = c.version, .hash = hash});
      const auto judged = judge_over(signature, kMessage, *trusted);
      ASSERT_TRUE(judged) << judged.error().message;
      ASSERT_EQ(judged->size(), 1u);
      EXPECT_EQ(outcome(judged->front()), "good") << c.name << " v" << c.version << " " << hash_name(hash);
      std::string hash_text(hash_name(hash));
      hash_text.replace(0, 3, "SHA");
      EXPECT_EQ(judged->front().signer,
                c.name + "/" + hash_text + " " + key.key_id() + " Tester <t@example.org>");
      EXPECT_EQ(judge(signature, "another message", {key.certificate()}), kWrong);
    }
  }
}

// All of them hash one message, from one state for each algorithm; no verdict may depend on who came before.
TEST(Signature, SeveralOverOneMessageShareNoMoreThanItsHash) {
  const TestKey& v6_key = made_once(Algo::kEd25519, 6, 0);
  const std::vector<Bytes> keys = {rsa_key().certificate(), v6_key.certificate()};
  const Bytes sha256 = rsa_key().sign(as_bytes(kMessage), {.hash = HashAlgo::kSha256});
  const Bytes sha512 = rsa_key().sign(as_bytes(kMessage), {.hash = HashAlgo::kSha512});
  const Bytes v3 = rsa_key().sign(as_bytes(kMessage), {.version = 3, .hash = HashAlgo::kSha256});
  const Bytes salted = v6_key.sign(as_bytes(kMessage), {.version = 6, .hash = HashAlgo::kSha256});
  const Bytes of_another = rsa_key().sign(as_bytes("another message"), {.hash = HashAlgo::kSha256});
  const Bytes salted_of_another = v6_key.sign(as_bytes("another message"), {.version = 6});
  const auto all = [](std::initializer_list<Bytes> parts) {
    Bytes packets;
    for (const Bytes& part : parts) append(packets, part);
    return packets;
  };
  EXPECT_EQ(judge(all({sha256, sha512, v3, salted, sha256, salted}), kMessage, keys),
            "good; good; good; good; good; good");
  EXPECT_EQ(
      judge(all({of_another, sha256, of_another, sha512, salted_of_another, salted, v3}), kMessage, keys),
      kWrong + "; good; " + kWrong + "; good; " + kWrong + "; good; good");
  EXPECT_EQ(judge(all({sha256, of_another}), "another message", keys), kWrong + "; good");

  // What was hashed for signatures is there for the caller, whole and unspoilt.
  const auto trusted = read_certificates(rsa_key().certificate());
  MessageHash message(as_bytes(kMessage));
  ASSERT_TRUE(judge_signatures(of_another, 0, message, *trusted, {}));
  ASSERT_TRUE(judge_signatures(salted, 0, message, *trusted, {}));
  EXPECT_EQ(*message.hash(HashAlgo::kSha256, as_bytes("tail")),
            *hash(HashAlgo::kSha256, {as_bytes(kMessage), as_bytes("tail")}));
}

// Numbers lose their leading zeros: of 600 signatures some have a short one in each place.
TEST(Signature, ShortNumbersArePadded) {
  for (const TestKey* key : {&ed_key(), &ec_key(), &rsa_key()}) {
    const auto trusted = read_certificates(key->certificate());
    ASSERT_TRUE(trusted);
    for (int i = 0; i < 600; ++i) {
      const std::string message = "message " + std::to_string(i);
      const auto judged = judge_over(key->sign(as_bytes(message)), message, *trusted);
      ASSERT_TRUE(judged) << judged.error().message;
      ASSERT_EQ(outcome(judged->front()), "good") << message;
    }
  }
}

TEST(Signature, WeakHashesCountOnlyWhereThePolicyNamesThem) {
  const std::vector<std::pair<HashAlgo, std::string>> weak = {
      {HashAlgo::kMd5, "MD5"}, {HashAlgo::kSha1, "SHA1"}, {HashAlgo::kRipemd160, "RMD160"}};
  for (const auto& [hash, name] : weak) {
    const Bytes signature = rsa_key().sign(as_bytes(kMessage), {.hash = hash});
    EXPECT_EQ(judge(signature, kMessage, {rsa_key().certificate()}),
              "not counted: " + name + " signatures are not allowed");
    for (const auto& [allowed, allowed_name] : weak) {
      SignaturePolicy policy;
      policy.allowed_weak_hashes = {allowed};
      EXPECT_EQ(judge(signature, kMessage, {rsa_key().certificate()}, policy) == "good", allowed == hash)
          << name << " where " << allowed_name << " is allowed";
    }
  }
}

// What the signature packet itself says, against the outcome.
TEST(Signature, FormMatrix) {
  struct Case {
    std::string what;
    SignOptions sign;
    std::string outcome;
  };
  const Bytes notation = join({u32(0), Bytes{0, 1, 0, 1}, Bytes{'a', 'b'}});
  const std::vector<Case> cases = {
      {"plain", {}, "good"},
      {"old header", {.old_header = true}, "good"},
      {"key id only", {.issuer_fingerprint = false, .issuer_key_id = true}, "good"},
      {"both issuers", {.issuer_key_id = true}, "good"},
      {"issuer unhashed",
       {.issuer_fingerprint = false, .unhashed = subpacket(33, join({Bytes{4}, ed_key().fingerprint()}))},
       "good"},
      {"no issuer",
       {.issuer_fingerprint = false},
       "unknown key: the signature does not say which key made it"},
      {"text", {.type = 1}, "not counted: signatures over text are not supported"},
      {"standalone", {.type = 2}, "not counted: a signature of type 2 is not over a document"},
      {"a certification", {.type = 0x13}, "not counted: a signature of type 19 is not over a document"},
      {"no time", {.creation_time = false}, "not counted: the signature does not say when it was made"},
      {"time unhashed only",
       {.creation_time = false, .unhashed = subpacket(2, u32(kMade))},
       "not counted: the signature does not say when it was made"},
      {"its own expiration is not compared with any clock", {.expires_after = 1}, "good"},
      {"notation", {.hashed = subpacket(20, notation)}, "good"},
      {"critical notation",
       {.hashed = subpacket(20, notation, true)},
       "not counted: a critical notation is not understood"},
      {"unknown subpacket", {.hashed = subpacket(99, Bytes{1})}, "good"},
      {"critical unknown subpacket",
       {.hashed = subpacket(99, Bytes{1}, true)},
       "not counted: critical subpacket 99 is not understood"},
      {"critical unknown subpacket, unhashed", {.unhashed = subpacket(99, Bytes{1}, true)}, "good"},
      {"critical intended recipient",
       {.hashed = subpacket(35, Bytes(21), true)},
       "not counted: critical subpacket 35 is not understood"},
      {"critical signer's user ID", {.hashed = subpacket(28, Bytes{'x'}, true)}, "good"},
      {"empty subpacket", {.hashed = Bytes{0}}, "error: offset 37: an empty subpacket"},
      {"short creation time",
       {.hashed = subpacket(2, Bytes{1, 2})},
       "error: offset 39: 4 bytes wanted, 2 left"},
      {"subpacket past the area", {.hashed = Bytes{9, 99}}, "error: offset 38: 9 bytes wanted, 1 left"},
      {"says it is DSA", {.algorithm = 17}, "not counted: DSA is not supported"},
      {"says it is Ed448", {.algorithm = 28}, "not counted: Ed448 is not supported"},
      {"says it is ECDSA", {.algorithm = 19}, kWrong},
      {"made before the key", {.created = kMade - 1}, "not counted: made 2019-12-31, before the key was"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(judge(ed_key().sign(as_bytes(kMessage), c.sign), kMessage, {ed_key().certificate()}), c.outcome)
        << c.what;
  }
}

TEST(Signature, VersionsOfKeyAndSignatureMustFit) {
  const std::string by = "not counted: a version ";
  EXPECT_EQ(judge(v6_key().sign(as_bytes(kMessage), {.version = 4}), kMessage, {v6_key().certificate()}),
            by + "4 signature by a version 6 key");
  EXPECT_EQ(judge(v6_key().sign(as_bytes(kMessage), {.version = 3}), kMessage, {v6_key().certificate()}),
            by + "3 signature by a version 6 key");
  EXPECT_EQ(judge(rsa_key().sign(as_bytes(kMessage), {.version = 6}), kMessage, {rsa_key().certificate()}),
            by + "6 signature by a version 4 key");
  for (const uint8_t version : Bytes{0, 2, 5, 7}) {
    EXPECT_EQ(judge(packet(2, Bytes{version, 0}), kMessage, {rsa_key().certificate()}),
              "not counted: version " + std::to_string(version) + " signatures are not supported");
  }
  EXPECT_EQ(judge(v6_key().sign(as_bytes(kMessage),
                                {.version = 6, .issuer_fingerprint = false, .issuer_key_id = true}),
                  kMessage, {v6_key().certificate()}),
            "unknown key: the signature does not say which key made it");
}

TEST(Signature, TheSaltOfVersion6MustFitTheHash) {
  for (const size_t size : {0, 15, 17, 32}) {
    const Bytes signature = v6_key().sign(as_bytes(kMessage), {.version = 6, .salt_size = size});
    EXPECT_THAT(judge(signature, kMessage, {v6_key().certificate()}),
                ::testing::HasSubstr("the salt of the signature is not as long as its hash asks for"));
  }
}

TEST(Signature, ShortRsaKeysDoNotCount) {
  const TestKey& key = made_once(Algo::kRsa1024, 4, 0);
  EXPECT_EQ(judge(key.sign(as_bytes(kMessage)), kMessage, {key.certificate()}),
            "not counted: RSA keys of less than 2048 bits are not accepted");
}

TEST(Signature, EveryPacketIsJudgedInOrder) {
  const Bytes good = rsa_key().sign(as_bytes(kMessage));
  const Bytes bad = rsa_key().sign(as_bytes("something else"));
  const Bytes unknown = ec_key().sign(as_bytes(kMessage));
  EXPECT_EQ(judge(join({good, bad, unknown, good}), kMessage, {rsa_key().certificate()}),
            "good; " + kWrong + "; unknown key: no trusted key has this id; good");
  EXPECT_EQ(judge({}, kMessage, {}), "error: offset 0: no signature in here");
  EXPECT_EQ(judge(packet(13, as_bytes("user")), kMessage, {}), "error: offset 0: not a signature packet");
  EXPECT_EQ(judge(join({good, Bytes{0x00}}), kMessage, {rsa_key().certificate()}),
            "error: offset " + std::to_string(good.size()) + ": not an OpenPGP packet header");
  Bytes many;
  for (size_t i = 0; i <= kMaxSignatures; ++i) append(many, packet(2, Bytes{5, 0}));
  EXPECT_THAT(judge(many, kMessage, {}), ::testing::HasSubstr("too many signatures"));
}

TEST(Signature, OffsetsCountFromTheStartOfTheFile) {
  MessageHash message({});
  const auto judged = judge_signatures(Bytes{0xc2, 0x01}, 1000, message, {}, {});
  ASSERT_FALSE(judged);
  EXPECT_EQ(judged.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(judged.error().message, "offset 1002: 1 bytes wanted, 0 left");
}

// Ids are 8 bytes: somebody may make a key with the id of another.
TEST(Signature, AKeyWithTheSameIdDoesNotGetInTheWay) {
  auto trusted = read_certificates(ed_key(1).certificate());
  auto right = read_certificates(ed_key().certificate());
  ASSERT_TRUE(trusted && right);
  trusted->front().keys[0].key_id = right->front().keys[0].key_id;
  const SignOptions by_id = {.issuer_fingerprint = false, .issuer_key_id = true};
  const Bytes signature = ed_key().sign(as_bytes(kMessage), by_id);
  const auto judge_with = [&] { return outcome(judge_over(signature, kMessage, *trusted)->at(0)); };
  EXPECT_EQ(judge_with(), kWrong);
  trusted->push_back(std::move(right->front()));
  EXPECT_EQ(judge_with(), "good");
  std::swap(trusted->front(), trusted->back());
  EXPECT_EQ(judge_with(), "good");
}

TEST(Signature, ARevocationInOneCopyOfACertificateCountsForAll) {
  CertificateOptions revoked;
  revoked.revocations = {{.created = kMade + kDay, .reason = 2}};
  const Bytes signature = ed_key().sign(as_bytes(kMessage));
  const Bytes clean_copy = ed_key().certificate();
  const Bytes revoked_copy = ed_key().certificate(revoked);
  EXPECT_EQ(judge(signature, kMessage, {clean_copy, revoked_copy}), kRevokedHard);
  EXPECT_EQ(judge(signature, kMessage, {revoked_copy, clean_copy}), kRevokedHard);
  EXPECT_EQ(judge(signature, kMessage, {join({clean_copy, revoked_copy})}), kRevokedHard);
}

TEST(Signature, ForPeopleTheSignerIsEscaped) {
  const TestKey key = TestKey::generate(Algo::kEd25519Legacy, kMade, "Evil\n\x1b[31m\xff");
  const auto trusted = read_certificates(key.certificate());
  ASSERT_TRUE(trusted);
  EXPECT_EQ(trusted->front().user_id, "Evil\n\x1b[31m\xff");
  const auto judged = judge_over(key.sign(as_bytes(kMessage)), kMessage, *trusted);
  ASSERT_TRUE(judged);
  EXPECT_EQ(judged->front().signer, "EdDSA/SHA256 " + key.key_id() + " Evil\\n\\x1b[31m\\xff");
}

}  // namespace
}  // namespace diglim::openpgp::test
