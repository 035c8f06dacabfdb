// SPDX-License-Identifier: Apache-2.0
#include "lib/trust/trust_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/cms/cms_test_keys.h"
#include "lib/openpgp/test_writer.h"

namespace diglim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// A certificate of an algorithm that cannot verify anything here (ElGamal, 16), with nothing but its key
// packet, is well-formed: packet 6, version 4, created 0, algorithm 16, three MPIs of one bit.
const Bytes kElgamal = {0x98, 15, 4, 0, 0, 0, 0, 16, 0, 1, 1, 0, 1, 1, 0, 1, 1};

class TrustStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    keys_.run("mkdir directory");
    keys_.make("dev", "P-256");
    policy_.allowed_weak_hashes = {HashAlgo::kSha1, HashAlgo::kMd5, HashAlgo::kSha1, HashAlgo::kSha256};
  }
  std::string folder() const { return keys_.path("directory"); }
  void put(const std::string& name, ByteView content) {
    ASSERT_TRUE(write_file_atomically(folder() + "/" + name, content, 0600));
  }
  void put_certificate(const std::string& name) { keys_.run("cp dev.pem directory/" + name); }
  Result<TrustStore> read() { return TrustStore::from_folder(folder(), policy_); }
  // The one file that does not count, beside one that does.
  void expect_left_out(const std::string& message) {
    put_certificate("good.pem");
    const auto store = read();
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_THAT(store->left_out(), ElementsAre(HasSubstr(message)));
    EXPECT_EQ(store->describe().size(), 1u) << "the others count";
    EXPECT_EQ(store->trusted_keys()->size(), 1u);
    const auto again = TrustStore::from_blob(store->to_blob());
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->left_out(), store->left_out()) << "status names it too";
  }
  void expect_blob_error(const Bytes& blob, const std::string& message) {
    const auto store = TrustStore::from_blob(blob);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(store.error().message, HasSubstr(message));
  }

  TestKeys keys_;
  SignaturePolicy policy_;
};

TEST_F(TrustStoreTest, ReadsAFolder) {
  put_certificate("b.pem");
  keys_.run(
      "openssl x509 -in dev.pem -outform DER -out directory/a.der && mkdir directory/sub && echo x "
      ">directory/.hidden "
      "&&"
      " ln -s ../dev.pem directory/link");
  const auto store = read();
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ(store->x509().size(), 3u);
  EXPECT_EQ(store->describe().size(), 3u);
  EXPECT_THAT(store->describe()[0], StartsWith("x509 CN=dev serial "));
  EXPECT_THAT(store->policy().allowed_weak_hashes, ElementsAre(HashAlgo::kMd5, HashAlgo::kSha1));
}

// The manifest names them: a boot from the folder and an update from the blob must say the same.
TEST_F(TrustStoreTest, NamesTheTrustedKeysOfEachFile) {
  put_certificate("b.pem");
  put("a.pgp", kElgamal);
  const auto store = read();
  ASSERT_TRUE(store) << store.error().message;
  const auto keys = store->trusted_keys();
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 2u);
  EXPECT_EQ((*keys)[0].file_hash, *hash(HashAlgo::kSha256, {kElgamal}));
  EXPECT_EQ((*keys)[0].fingerprint,
            "openpgp:" + to_hex(store->certificates().front().keys.front().fingerprint));
  const Bytes file = *read_file(folder() + "/b.pem", 1 << 20);
  EXPECT_EQ((*keys)[1].file_hash, *hash(HashAlgo::kSha256, {file}));
  keys_.run("openssl x509 -in dev.pem -outform DER -out dev.der");
  const Bytes der = *read_file(keys_.path("dev.der"), 1 << 20);
  EXPECT_EQ((*keys)[1].fingerprint, "x509:" + to_hex(*hash(HashAlgo::kSha256, {der})));

  const auto again = TrustStore::from_blob(store->to_blob());
  ASSERT_TRUE(again);
  const auto same = again->trusted_keys();
  ASSERT_TRUE(same);
  ASSERT_EQ(same->size(), 2u);
  EXPECT_EQ((*same)[0].fingerprint, (*keys)[0].fingerprint);
  EXPECT_EQ((*same)[1].file_hash, (*keys)[1].file_hash);
}

TEST_F(TrustStoreTest, AnEmptyFolderTrustsNobody) {
  const auto store = read();
  ASSERT_TRUE(store);
  EXPECT_THAT(store->describe(), IsEmpty());
}

TEST_F(TrustStoreTest, SaysWhichKeysAreUnusable) {
  keys_.make("weak", "rsa:1024");
  keys_.run("cp weak.pem directory");
  put("elgamal", kElgamal);
  put("short", openpgp::test::TestKey::generate(openpgp::test::Algo::kRsa1024, 0).certificate());
  const auto store = read();
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_THAT(store->describe(), IsEmpty());
  ASSERT_EQ(store->unusable().size(), 3u);
  EXPECT_THAT(store->unusable()[0], HasSubstr("ElGamal is not supported"));
  EXPECT_THAT(store->unusable()[1], HasSubstr(": RSA keys of less than 2048 bits are not accepted"));
  EXPECT_THAT(store->unusable()[2], HasSubstr("x509 CN=weak serial "));
  EXPECT_THAT(store->unusable()[2], HasSubstr(": RSA key of only 1024 bits"));
}

TEST_F(TrustStoreTest, LeavesOutWhatIsNoKeyAndNamesIt) {
  put("text\n", as_bytes("hello"));
  expect_left_out("text\\n: not a key");
}

TEST_F(TrustStoreTest, LeavesOutDamagedKeys) {
  put("cut.pem", as_bytes("-----BEGIN CERTIFICATE-----\nMII"));
  expect_left_out("cut.pem: offset 0: damaged PEM block");
}

TEST_F(TrustStoreTest, LeavesOutSecretKeys) {
  keys_.run("cp dev.key directory");
  expect_left_out("dev.key: a private key does not belong here");
}

TEST_F(TrustStoreTest, LeavesOutTwoKindsInOneFile) {
  put("both", as_bytes("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n-----BEGIN CERTIFICATE-----\n"));
  expect_left_out("both: holds OpenPGP and X.509 keys");
}

TEST_F(TrustStoreTest, LeavesOutEmptyAndOversizeFiles) {
  put("big", Bytes(openpgp::kMaxKeyFileBytes + 1, 'x'));
  expect_left_out("big: larger than the limit");
  put("big", {});
  expect_left_out("big: not a key");
}

TEST_F(TrustStoreTest, LeavesOutWhatIsNoFile) {
  keys_.run("mkfifo directory/pipe");
  expect_left_out("pipe: not a regular file");
  keys_.run("rm directory/pipe && ln -s nowhere directory/link");
  expect_left_out("link: ");
  keys_.run("rm -r directory");
  const auto store = read();
  ASSERT_FALSE(store) << "no directory, and nobody can tell what was meant";
  EXPECT_EQ(store.error().code, ErrorCode::kNotFound);
}

// A directory of rubbish costs neither the boot nor the memory of an initramfs.
TEST_F(TrustStoreTest, NamesSomeOfVeryMany) {
  for (int i = 0; i < 70; ++i) put("rubbish" + std::to_string(i), as_bytes("x"));
  put_certificate("z.pem");
  const auto store = read();
  ASSERT_TRUE(store);
  ASSERT_EQ(store->left_out().size(), kMaxLeftOutKeys);
  EXPECT_EQ(store->left_out().back(), "7 files more");
  EXPECT_EQ(store->describe().size(), 1u);
}

TEST_F(TrustStoreTest, TheFirstKeysCountWhereThereAreTooMany) {
  for (size_t i = 0; i < kMaxTrustFiles + 2; ++i) put("k" + std::to_string(10000 + i), kElgamal);
  const auto store = read();
  ASSERT_TRUE(store);
  EXPECT_EQ(store->trusted_keys()->size(), kMaxTrustFiles);
  ASSERT_EQ(store->left_out().size(), 2u);
  EXPECT_THAT(store->left_out()[0], HasSubstr("too many keys"));
}

// A certificate whose owner restricted it in a way that nobody here understands.
TEST_F(TrustStoreTest, AKeyThatIsNotUnderstoodIsUnusable) {
  using openpgp::test::SelfSignature;
  const auto key = openpgp::test::TestKey::generate(openpgp::test::Algo::kEd25519, 1000);
  openpgp::test::CertificateOptions options;
  options.self_signatures = {
      SelfSignature{.sign = {.hashed = openpgp::test::subpacket(20, Bytes(8, 0), true)}}};
  put("key.pgp", key.certificate(options));
  const auto store = read();
  ASSERT_TRUE(store);
  EXPECT_THAT(store->describe(), IsEmpty());
  EXPECT_THAT(store->unusable(), ElementsAre(HasSubstr("a critical notation is not understood")));
}

// An old copy of a key in another file must not undo the revocation in the newer one.
TEST_F(TrustStoreTest, MergesTheCopiesOfAKey) {
  using openpgp::test::Algo;
  using openpgp::test::CertificateOptions;
  const auto key = openpgp::test::TestKey::generate(Algo::kEd25519, 1000);
  CertificateOptions revoked;
  revoked.revocations = {{.created = 2000, .reason = 2}};
  put("a-new.pgp", key.certificate(revoked));
  put("b-old.pgp", key.certificate());
  const auto store = read();
  ASSERT_TRUE(store) << store.error().message;
  ASSERT_EQ(store->certificates().size(), 1u);
  EXPECT_TRUE(store->certificates()[0].keys[0].revoked_hard);
  const auto again = TrustStore::from_blob(store->to_blob());
  ASSERT_TRUE(again);
  ASSERT_EQ(again->certificates().size(), 1u);
  EXPECT_TRUE(again->certificates()[0].keys[0].revoked_hard);
}

TEST_F(TrustStoreTest, BlobRoundTrip) {
  put_certificate("a.pem");
  put_certificate("b.pem");
  put("elgamal", kElgamal);
  const auto store = read();
  ASSERT_TRUE(store);
  const Bytes blob = store->to_blob();
  const auto again = TrustStore::from_blob(blob);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->to_blob(), blob);
  EXPECT_EQ(again->describe(), store->describe());
  EXPECT_EQ(again->unusable(), store->unusable());
  EXPECT_EQ(again->policy().allowed_weak_hashes, store->policy().allowed_weak_hashes);
}

TEST_F(TrustStoreTest, BlobIsTheDocumentedLayout) {
  put("a", kElgamal);
  policy_.allowed_weak_hashes = {HashAlgo::kSha1};
  EXPECT_EQ(to_hex(read()->to_blob()),
            "4449474c494d5453"
            "02000000"
            "01"
            "0200"
            "0100"
            "0100"
            "61"
            "11000000" +
                to_hex(kElgamal) + "0000");
}

TEST_F(TrustStoreTest, RefusesEveryTruncatedBlob) {
  put_certificate("a.pem");
  put("elgamal", kElgamal);
  Bytes blob = read()->to_blob();
  while (!blob.empty()) {
    blob.pop_back();
    expect_blob_error(blob, "offset ");
  }
}

TEST_F(TrustStoreTest, RefusesBlobsThatBreakARule) {
  put("a", kElgamal);
  put("b", kElgamal);
  const Bytes blob = read()->to_blob();  // policy: md5 at 13, sha1 at 15; count at 17; first name at 19
  const auto with = [&](size_t at, uint8_t value) {
    Bytes changed = blob;
    changed.at(at) = value;
    return changed;
  };
  expect_blob_error(with(0, 'X'), "offset 0: not a store of trusted keys");
  expect_blob_error(with(8, 1), "offset 8: version 1");
  expect_blob_error(with(13, 4), "offset 13: 4 is not a weak hash algorithm");
  expect_blob_error(with(13, 2), "offset 15: hash algorithms out of order");
  expect_blob_error(with(18, 5), "offset 17: too many key files");
  expect_blob_error(with(19, 0), "offset 19: file name of 0 bytes");
  expect_blob_error(with(21, 'b'), "offset 43: file names out of order");
  expect_blob_error(with(25, 0xff), "key file too large");
  expect_blob_error(with(26, 'x'), "a: not a key");
  expect_blob_error(with(blob.size() - 2, 65), "too many files that were left out");
  expect_blob_error(with(blob.size() - 2, 1), "offset ");
  Bytes longer = blob;
  longer.push_back(0);
  expect_blob_error(longer, "bytes after the end of the key store");
}

}  // namespace
}  // namespace diglim
