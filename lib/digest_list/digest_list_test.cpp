// SPDX-License-Identifier: Apache-2.0
// What a signature must be for a list to count, on packages and lists that the test signs itself.
#include "lib/digest_list/digest_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "lib/base/file.h"
#include "lib/cms/appended_signature.h"
#include "lib/cms/cms_sign.h"
#include "lib/cms/cms_test_keys.h"
#include "lib/digest_list/compact.h"
#include "lib/openpgp/test_writer.h"
#include "lib/rpm/package.h"
#include "lib/rpm/package_file.h"
#include "lib/rpm/test_writer.h"

namespace diglim {
namespace {

using openpgp::test::Algo;
using openpgp::test::SignOptions;
using openpgp::test::TestKey;
using testing::HasSubstr;

constexpr uint32_t kTime = 1600000000;
constexpr uint32_t kDsaHeader = 267;  // Ed25519 goes there too
constexpr uint32_t kOpenPgp = 278;

class VerifyDigestList : public testing::Test {
 protected:
  VerifyDigestList() {
    char name[] = "/tmp/diglim-list-XXXXXX";
    folder_ = mkdtemp(name);
    std::filesystem::create_directory(keys());
    EXPECT_TRUE(write_file_atomically(keys() + "/vendor.key", vendor_.certificate(), 0644));
    EXPECT_TRUE(write_file_atomically(keys() + "/other.key", other_.certificate(), 0644));
  }
  ~VerifyDigestList() override { std::filesystem::remove_all(folder_); }

  std::string keys() const { return folder_ + "/keys"; }
  std::string file(const std::string& name, ByteView content) const {
    EXPECT_TRUE(write_file_atomically(folder_ + "/" + name, content, 0644));
    return folder_ + "/" + name;
  }
  TrustStore trust(SignaturePolicy policy = {}) const {
    return *TrustStore::from_folder(keys(), std::move(policy));
  }

  Bytes package() const { return rpm::make_package(header_, {{kDsaHeader, vendor_.sign(header_)}}); }

  static void expect_refused(const Result<DigestList>& result, ErrorCode code, const std::string& reason) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_THAT(result.error().message, HasSubstr(reason));
  }

  std::string folder_;
  TestKey vendor_ = TestKey::generate(Algo::kEd25519Legacy, kTime, "Vendor <v@example.org>");
  TestKey other_ = TestKey::generate(Algo::kP256, kTime, "Other <o@example.org>");
  TestKey stranger_ = TestKey::generate(Algo::kEd25519Legacy, kTime, "Stranger <s@example.org>");
  Bytes header_ = rpm::make_main_header_of({}, HashAlgo::kSha256, {"one", "two"});
};

TEST_F(VerifyDigestList, ReadsASignedPackage) {
  const auto list = verify_digest_list(package(), trust());
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->format, ListFormat::kRpm);
  EXPECT_EQ(list->name, "hello-2.0-1.x86_64");
  EXPECT_THAT(list->signer, HasSubstr("EdDSA/SHA256 " + vendor_.key_id() + " Vendor <v@example.org>"));
  EXPECT_EQ(list->count(), 2u);
  EXPECT_EQ(list->count(HashAlgo::kSha256), 2u);
  EXPECT_EQ(list->count(HashAlgo::kMd5), 0u);
}

TEST_F(VerifyDigestList, ReadsAHeaderListWithSeveralSignatures) {
  const Bytes one = append_signature(header_, vendor_.sign(header_), SignatureType::kPgp);
  ASSERT_TRUE(verify_digest_list(one, trust()));
  Bytes packets = stranger_.sign(header_);
  append(packets, other_.sign(header_));
  const auto list = verify_digest_list(append_signature(header_, packets, SignatureType::kPgp), trust());
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_THAT(list->signer, HasSubstr("Other"));
  EXPECT_EQ(list->name, "hello-2.0-1.x86_64");
}

TEST_F(VerifyDigestList, OneGoodSignatureAmongUnknownOnesIsEnough) {
  const Bytes file = rpm::make_package(header_, {{kDsaHeader, stranger_.sign(header_)},
                                                 {kOpenPgp, stranger_.sign(header_)},
                                                 {kOpenPgp, other_.sign(header_)}});
  const auto list = verify_digest_list(file, trust());
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_THAT(list->signer, HasSubstr("Other"));
}

TEST_F(VerifyDigestList, ABadSignatureByATrustedKeyRefusesTheGoodOnesToo) {
  const Bytes wrong = other_.sign(as_bytes("something else"));
  expect_refused(
      verify_digest_list(rpm::make_package(header_, {{kDsaHeader, vendor_.sign(header_)}, {kOpenPgp, wrong}}),
                         trust()),
      ErrorCode::kUntrusted, "Other <o@example.org>: the signature is wrong");
  expect_refused(
      verify_digest_list(rpm::make_package(header_, {{kDsaHeader, wrong}, {kOpenPgp, vendor_.sign(header_)}}),
                         trust()),
      ErrorCode::kUntrusted, "the signature is wrong");
}

TEST_F(VerifyDigestList, NamesEverySignatureThatDoesNotCount) {
  SignOptions weak;
  weak.hash = HashAlgo::kSha1;
  const Bytes file = rpm::make_package(header_, {{kDsaHeader, stranger_.sign(header_)},
                                                 {kOpenPgp, stranger_.sign(header_)},
                                                 {kOpenPgp, other_.sign(header_, weak)}});
  const auto result = verify_digest_list(file, trust());
  expect_refused(result, ErrorCode::kUntrusted,
                 stranger_.key_id() + ": no trusted key has this id; ECDSA/SHA1");
  EXPECT_THAT(result.error().message, HasSubstr("SHA1 signatures are not allowed"));
  const size_t first = result.error().message.find(stranger_.key_id());
  EXPECT_EQ(result.error().message.find(stranger_.key_id(), first + 1), std::string::npos) << "said twice";
}

TEST_F(VerifyDigestList, APolicyMayAllowSha1) {
  SignOptions weak;
  weak.hash = HashAlgo::kSha1;
  const Bytes file = rpm::make_package(header_, {{kOpenPgp, other_.sign(header_, weak)}});
  EXPECT_FALSE(verify_digest_list(file, trust()));
  EXPECT_TRUE(verify_digest_list(file, trust({{HashAlgo::kSha1}})));
}

TEST_F(VerifyDigestList, WithoutAHeaderSignatureNothingIsTrusted) {
  expect_refused(verify_digest_list(rpm::make_package(header_, {}), trust()), ErrorCode::kUntrusted,
                 "no header signature");
  // Over header and payload only, as up to CentOS 2.1. The bytes that verify are not looked at.
  const Bytes old = rpm::make_package(header_, {{1005, vendor_.sign(header_)}});
  expect_refused(verify_digest_list(old, trust()), ErrorCode::kUntrusted, "no header signature");
  expect_refused(verify_digest_list(header_, trust()), ErrorCode::kUntrusted, "no appended signature");
}

TEST_F(VerifyDigestList, ASignedHeaderThatContradictsItselfIsCorrupt) {
  rpm::TestPackage package;
  package.digests = {"", "00"};
  const Bytes header = rpm::make_main_header(package);
  const Bytes file = rpm::make_package(header, {{kDsaHeader, vendor_.sign(header)}});
  expect_refused(verify_digest_list(file, trust()), ErrorCode::kCorrupt, "a file digest of 2 characters");
}

TEST_F(VerifyDigestList, BytesAfterTheHeaderOfAListAreRefused) {
  Bytes longer = header_;
  append(longer, header_);
  expect_refused(
      verify_digest_list(append_signature(longer, vendor_.sign(longer), SignatureType::kPgp), trust()),
      ErrorCode::kCorrupt, "bytes after the header");
}

TEST_F(VerifyDigestList, TheSignatureMustBeOfTheFormatsKind) {
  expect_refused(
      verify_digest_list(append_signature(header_, vendor_.sign(header_), SignatureType::kPkcs7), trust()),
      ErrorCode::kUnsupported, "needs an OpenPGP signature");
  const Bytes compact = {1, 0, 1, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  expect_refused(
      verify_digest_list(append_signature(compact, vendor_.sign(compact), SignatureType::kPgp), trust()),
      ErrorCode::kUnsupported, "needs a CMS signature");
  expect_refused(verify_digest_list(compact, trust()), ErrorCode::kUntrusted, "no appended signature");
  expect_refused(verify_digest_list({}, trust()), ErrorCode::kUntrusted, "no appended signature");
}

TEST_F(VerifyDigestList, ReadsACompactListUnderATrustedCertificate) {
  const TestKeys developer;
  developer.make("Developer", "P-256");
  Bytes content = write_compact(HashAlgo::kSha256, *hash(HashAlgo::kSha256, {as_bytes("script")}));
  append(content, write_compact(HashAlgo::kMd5, *hash(HashAlgo::kMd5, {as_bytes("script")})));
  const Bytes cms = *sign_cms(content, developer.key("Developer"), developer.certificate_file("Developer"));
  const Bytes list_bytes = append_signature(content, cms, SignatureType::kPkcs7);
  expect_refused(verify_digest_list(list_bytes, trust()), ErrorCode::kUntrusted, "");

  const Bytes certificate = *read_file(developer.certificate_file("Developer"), 1 << 20);
  ASSERT_TRUE(write_file_atomically(keys() + "/developer.pem", certificate, 0644));
  const auto list = verify_digest_list(list_bytes, trust());
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->format, ListFormat::kCompact);
  EXPECT_EQ(list->name, "");
  EXPECT_THAT(list->signer, HasSubstr("CN=Developer"));
  EXPECT_EQ(list->count(HashAlgo::kSha256), 1u);
  EXPECT_EQ(list->count(HashAlgo::kMd5), 1u);
  for (size_t size = 0; size < list_bytes.size(); ++size) {
    ASSERT_FALSE(verify_digest_list(ByteView(list_bytes).first(size), trust())) << size;
  }
}

// Flip: every single bit of the signed bytes. The signature header of make_package() is not signed, except
// that what it holds of the signature must stay right.
TEST_F(VerifyDigestList, RefusesEveryBitFlipOfTheSignedBytes) {
  const Bytes file = package();
  const TrustStore store = trust();
  const auto located = rpm::locate_package(file);
  ASSERT_TRUE(located);
  const size_t start = located->header_offset;
  const size_t size = located->signed_bytes.size();
  for (size_t bit = 0; bit < size * 8; ++bit) {
    Bytes flipped = file;
    flipped[start + bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    ASSERT_FALSE(verify_digest_list(flipped, store)) << "bit " << bit;
  }
}

// Truncate: every length up to the end of the header. Behind it there is only the payload.
TEST_F(VerifyDigestList, RefusesEveryTruncation) {
  const TrustStore store = trust();
  const Bytes whole = package();
  const size_t head = *rpm::package_head_size(whole);
  for (size_t size = 0; size < head; ++size) {
    ASSERT_FALSE(verify_digest_list(ByteView(whole).first(size), store)) << size;
  }
  EXPECT_TRUE(verify_digest_list(ByteView(whole).first(head), store));

  const Bytes list = append_signature(header_, vendor_.sign(header_), SignatureType::kPgp);
  for (size_t size = 0; size < list.size(); ++size) {
    ASSERT_FALSE(verify_digest_list(ByteView(list).first(size), store)) << size;
  }
}

TEST_F(VerifyDigestList, ASignatureDoesNotMoveToAnotherHeader) {
  const Bytes other_header = rpm::make_main_header_of({}, HashAlgo::kSha256, {"evil"});
  expect_refused(
      verify_digest_list(rpm::make_package(other_header, {{kDsaHeader, vendor_.sign(header_)}}), trust()),
      ErrorCode::kUntrusted, "the signature is wrong");
}

TEST_F(VerifyDigestList, ManySignaturesAreRefusedBeforeTheyCostMuch) {
  const Bytes good = vendor_.sign(header_);
  Bytes forty;
  for (int i = 0; i < 40; ++i) append(forty, good);
  EXPECT_TRUE(verify_digest_list(rpm::make_package(header_, {{kOpenPgp, forty}}), trust()));
  expect_refused(
      verify_digest_list(rpm::make_package(header_, {{kOpenPgp, forty}, {kOpenPgp, forty}}), trust()),
      ErrorCode::kCorrupt, "too many signatures");
}

TEST_F(VerifyDigestList, TheContentHashIsOfTheWholeFileWhateverHashedTheSignature) {
  for (const HashAlgo algo : {HashAlgo::kSha256, HashAlgo::kSha512}) {
    Bytes signatures = stranger_.sign(header_);
    append(signatures, vendor_.sign(header_, {.hash = algo}));
    const Bytes list = append_signature(header_, signatures, SignatureType::kPgp);
    const auto verified = verify_digest_list(list, trust());
    ASSERT_TRUE(verified) << verified.error().message;
    EXPECT_EQ(verified->content_hash, *hash(HashAlgo::kSha256, {list}));
  }
  EXPECT_EQ(verify_digest_list(package(), trust())->content_hash, *hash(HashAlgo::kSha256, {package()}));
}

using VerifyDigestListFile = VerifyDigestList;

TEST_F(VerifyDigestListFile, ReadsPackagesAndListsWhateverTheirName) {
  EXPECT_TRUE(verify_digest_list_file(file("a.txt", package()), trust()));
  const Bytes list = append_signature(header_, vendor_.sign(header_), SignatureType::kPgp);
  EXPECT_TRUE(verify_digest_list_file(file("0-file_list-compact-lie.rpm", list), trust()));
}

TEST_F(VerifyDigestListFile, NeverReadsThePayload) {
  const std::string path = file("huge.rpm", package());
  ASSERT_EQ(truncate(path.c_str(), off_t{1} << 33), 0);  // 8 GiB of holes, far over the limit for lists
  EXPECT_TRUE(verify_digest_list_file(path, trust()));
}

TEST_F(VerifyDigestListFile, DoesNotHangOnWhatIsNoFile) {
  const std::string fifo = folder_ + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  expect_refused(verify_digest_list_file(fifo, trust()), ErrorCode::kUnsupported, "not a regular file");
  expect_refused(verify_digest_list_file(folder_, trust()), ErrorCode::kUnsupported, "not a regular file");
  expect_refused(verify_digest_list_file("/dev/zero", trust()), ErrorCode::kUnsupported,
                 "not a regular file");
  expect_refused(verify_digest_list_file(folder_ + "/none", trust()), ErrorCode::kNotFound, "none");
  // Says it has no bytes, and has some.
  expect_refused(verify_digest_list_file("/proc/self/status", trust()), ErrorCode::kUntrusted,
                 "no appended signature");
}

TEST_F(VerifyDigestListFile, RefusesOversizedLists) {
  const std::string path = file("large", as_bytes("x"));
  ASSERT_EQ(truncate(path.c_str(), static_cast<off_t>(kMaxListBytes) + 1), 0);
  expect_refused(verify_digest_list_file(path, trust()), ErrorCode::kUnsupported, "larger than the limit");
}

// Oversize: a file of some hundred bytes claims a header of 256 MiB. Nothing of that size may be allocated.
TEST_F(VerifyDigestListFile, MemoryFollowsTheBytesNotTheClaims) {
  Bytes bytes = package();
  const size_t main = rpm::locate_package(bytes)->header_offset;
  rpm::patch_u32(bytes, main + 12, 0x0f000000);
  const std::string path = file("claims.rpm", bytes);
  rusage before = {};
  ASSERT_EQ(getrusage(RUSAGE_SELF, &before), 0);
  expect_refused(verify_digest_list_file(path, trust()), ErrorCode::kCorrupt, "bytes wanted");
  rusage after = {};
  ASSERT_EQ(getrusage(RUSAGE_SELF, &after), 0);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 16 * 1024) << "KiB";
}

}  // namespace
}  // namespace diglim
