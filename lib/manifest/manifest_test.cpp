// SPDX-License-Identifier: Apache-2.0
#include "lib/manifest/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/manifest/reader.h"
#include "lib/manifest/token.h"

namespace diglim {
namespace {

using testing::HasSubstr;

std::string hex_of(char digit) {
  return std::string(64, digit);
}
Bytes hash_of(uint8_t byte) {
  return Bytes(32, static_cast<uint8_t>(byte << 4 | byte));
}

Manifest boot_manifest() {
  Manifest manifest;
  manifest.boot.policy_hash = hash_of(1);
  manifest.boot.loader_hash = hash_of(2);
  manifest.boot.programs = {{"probe.bpf.o", hash_of(4)}, {"diglim.bpf.o", hash_of(3)}};
  manifest.boot.weak_hashes = {HashAlgo::kSha1, HashAlgo::kMd5, HashAlgo::kSha1};
  manifest.boot.keys = {{hash_of(6), "x509:" + hex_of('a')},
                        {hash_of(5), "openpgp:" + std::string(40, 'b')},
                        {hash_of(6), "x509:" + hex_of('a')}};
  manifest.lists = {{hash_of(8), "b c\\\xff", "", "CN=\xc3\xa4, RSA"}, {hash_of(7), "a", "p 1", "signer"}};
  return manifest;
}

// The text itself is the contract, so it is spelled out.
const std::string kBoot =
    "diglim-manifest 1\n"
    "kind boot\n"
    "number 1\n"
    "mode enforce\n"
    "algorithm sha256\n"
    "policy " +
    hex_of('1') + "\nloader " + hex_of('2') + "\nprogram " + hex_of('3') + " diglim.bpf.o\nprogram " +
    hex_of('4') + " probe.bpf.o\nallow-signature-hash md5\nallow-signature-hash sha1\nkey " + hex_of('5') +
    " openpgp:" + std::string(40, 'b') + "\nkey " + hex_of('6') + " x509:" + hex_of('a') + "\nlist " +
    hex_of('7') + " a p\\x201 signer\nlist " + hex_of('8') + " b\\x20c\\x5c\\xff - CN=\\xc3\\xa4, RSA\nend\n";

const std::string kRemove = "diglim-manifest 1\nkind remove\nnumber 12\nprevious " + hex_of('9') + "\nlist " +
                            hex_of('7') + " a\nend\n";

const std::string kRevoke = "diglim-manifest 1\nkind remove\nnumber 13\nprevious " + hex_of('9') +
                            "\nrevoked " + hex_of('8') + " 12 local CN=x y\nend\n";
const std::string kMonitor = "diglim-manifest 1\nkind monitor\nnumber 3\nprevious " + hex_of('9') +
                             "\nseconds 1800\nsigner CN=\\xc3\\xa4, RSA\nreason no login\nend\n";

std::string write(const Manifest& manifest) {
  const auto bytes = write_manifest(manifest);
  return bytes ? std::string(as_text(*bytes)) : "error: " + bytes.error().message;
}

std::string reading_error(const std::string& text) {
  const auto manifest = read_manifest(as_bytes(text));
  return manifest ? "accepted" : manifest.error().message;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(Manifest, IsTheDocumentedText) {
  EXPECT_EQ(write(boot_manifest()), kBoot);
  Manifest manifest;
  manifest.kind = ManifestKind::kRemove;
  manifest.number = 12;
  manifest.previous = hash_of(9);
  manifest.lists = {{hash_of(7), "a", "", ""}};
  EXPECT_EQ(write(manifest), kRemove);
  manifest.number = 13;
  manifest.lists.clear();
  manifest.deny_lists = {{hash_of(8), 12, "local", "CN=x y"}};
  EXPECT_EQ(write(manifest), kRevoke);
  manifest.kind = ManifestKind::kAdd;
  EXPECT_FALSE(write_manifest(manifest)) << "until it is published, what it revokes counts";
  manifest = {};
  manifest.kind = ManifestKind::kMonitor;
  manifest.number = 3;
  manifest.previous = hash_of(9);
  manifest.monitor = {1800, "CN=\xc3\xa4, RSA", "no login"};
  EXPECT_EQ(write(manifest), kMonitor);
  manifest.monitor.signer.clear();
  EXPECT_EQ(write(manifest), std::string(kMonitor).replace(kMonitor.find("CN="), 16, "-"));
}

TEST(Manifest, GrantedKeysAreOfAnAdditionOnly) {
  Manifest manifest;
  manifest.kind = ManifestKind::kAdd;
  manifest.number = 2;
  manifest.previous = hash_of(9);
  manifest.keys = {{hash_of(8), "x509:" + std::string(64, 'b')},
                   {hash_of(7), "openpgp:" + std::string(40, 'a')}};
  const std::string grant = "diglim-manifest 1\nkind add\nnumber 2\nprevious " + hex_of('9') + "\nkey " +
                            hex_of('7') + " openpgp:" + std::string(40, 'a') + "\nkey " + hex_of('8') +
                            " x509:" + std::string(64, 'b') + "\nend\n";
  EXPECT_EQ(write(manifest), grant);
  const Manifest read = *read_manifest(as_bytes(write(manifest)));
  EXPECT_EQ(read.keys.size(), 2u);
  EXPECT_EQ(write(read), write(manifest));
  for (const ManifestKind kind : {ManifestKind::kRemove, ManifestKind::kMonitor}) {
    manifest.kind = kind;
    manifest.lists = {{hash_of(7), "a", "", ""}};
    EXPECT_FALSE(write_manifest(manifest));
  }
  EXPECT_FALSE(read_manifest(as_bytes(replaced(write(read), "kind add", "kind remove"))));
}

TEST(Manifest, MonitorModeIsSaidWhole) {
  const Manifest good = *read_manifest(as_bytes(kMonitor));
  EXPECT_EQ(good.monitor, (ManifestMonitor{1800, "CN=\xc3\xa4, RSA", "no login"}));
  Manifest bad = good;
  bad.monitor.seconds = 0;
  EXPECT_FALSE(write_manifest(bad));
  bad = good;
  bad.monitor.reason.clear();
  EXPECT_FALSE(write_manifest(bad));
  bad = good;
  bad.monitor.signer = "-";  // it would read as root
  EXPECT_FALSE(write_manifest(bad));
  bad = good;
  bad.lists = {{hash_of(7), "a", "", "signer"}};
  EXPECT_FALSE(write_manifest(bad));
  EXPECT_THAT(reading_error(replaced(kMonitor, "seconds 1800", "seconds 0")),
              HasSubstr("not a manifest number"));
  EXPECT_THAT(reading_error(replaced(kMonitor, "reason no login\n", "")), HasSubstr("'reason' expected"));
  EXPECT_THAT(reading_error(replaced(kMonitor, "end", "list " + hex_of('7') + " a - s\nend")),
              HasSubstr("'end' expected"));
}

TEST(Manifest, TheOrderOfTheInputDoesNotMatter) {
  Manifest manifest = boot_manifest();
  std::reverse(manifest.lists.begin(), manifest.lists.end());
  std::reverse(manifest.boot.programs.begin(), manifest.boot.programs.end());
  std::reverse(manifest.boot.keys.begin(), manifest.boot.keys.end());
  EXPECT_EQ(write(manifest), kBoot);
}

TEST(Manifest, ReadsWhatItWrote) {
  for (const std::string& text : {kBoot, kRemove, kRevoke, kMonitor}) {
    const auto manifest = read_manifest(as_bytes(text));
    ASSERT_TRUE(manifest) << manifest.error().message;
    EXPECT_EQ(write(*manifest), text);
  }
  const auto manifest = read_manifest(as_bytes(kBoot));
  EXPECT_EQ(manifest->lists[1].name, "b c\\\xff");
  EXPECT_EQ(manifest->lists[1].signer, "CN=\xc3\xa4, RSA");
  EXPECT_EQ(manifest->boot.keys.size(), 2u);
}

TEST(Manifest, RefusesEveryTruncatedText) {
  for (const std::string& text : {kBoot, kRemove, kRevoke, kMonitor}) {
    for (size_t size = 0; size < text.size(); ++size) {
      EXPECT_NE(reading_error(text.substr(0, size)), "accepted") << size;
    }
  }
}

// Whatever a flipped bit gives, it is either refused or another state; never the same state in other words.
TEST(Manifest, OneStateHasOneSpelling) {
  const auto original = read_manifest(as_bytes(kBoot));
  ASSERT_TRUE(original);
  for (size_t i = 0; i < kBoot.size() * 8; ++i) {
    std::string text = kBoot;
    text[i / 8] = static_cast<char>(text[i / 8] ^ (1 << i % 8));
    const auto manifest = read_manifest(as_bytes(text));
    if (!manifest) continue;
    EXPECT_EQ(write(*manifest), text);
    EXPECT_FALSE(*manifest == *original) << "bit " << i;
  }
}

TEST(Manifest, SaysWhatIsWrong) {
  EXPECT_THAT(reading_error(""), HasSubstr("not a DIGLIM manifest"));
  EXPECT_THAT(reading_error(replaced(kBoot, "diglim-manifest 1", "diglim-manifest 2")), HasSubstr("version"));
  EXPECT_THAT(reading_error(replaced(kBoot, "kind boot", "kind boat")), HasSubstr("offset 23: unknown kind"));
  EXPECT_THAT(reading_error(replaced(kBoot, "number 1", "number 01")), HasSubstr("not a manifest number"));
  EXPECT_THAT(reading_error(replaced(kBoot, "number 1", "number")), HasSubstr("not a manifest number"));
  EXPECT_THAT(reading_error(replaced(kBoot, "number 1", "number 2")), HasSubstr("number 1 is the boot's"));
  EXPECT_THAT(reading_error(replaced(kRemove, "number 12", "number 1")), HasSubstr("number 1 is the boot's"));
  EXPECT_THAT(reading_error(replaced(kRemove, "number 12", "number 9223372036854775808")),
              HasSubstr("not a manifest number"));
  EXPECT_THAT(reading_error(replaced(kBoot, "mode enforce\n", "")), HasSubstr("'mode' expected"));
  EXPECT_THAT(reading_error(replaced(kBoot, "enforce", "enforced")), HasSubstr("unknown mode"));
  EXPECT_THAT(reading_error(replaced(kBoot, "sha256", "sha3-256")), HasSubstr("unknown hash algorithm"));
  EXPECT_THAT(reading_error(replaced(kBoot, "policy 1", "policy A")), HasSubstr("64 lower-case"));
  EXPECT_THAT(reading_error(replaced(kBoot, "diglim.bpf.o", "z")), HasSubstr("programs out of order"));
  EXPECT_THAT(reading_error(replaced(kBoot, "hash md5", "hash sha1")), HasSubstr("out of order"));
  EXPECT_THAT(reading_error(replaced(kBoot, "openpgp:b", "openpgp:")), HasSubstr("not a fingerprint"));
  EXPECT_THAT(reading_error(replaced(kBoot, "key 5", "key 7")), HasSubstr("keys out of order"));
  EXPECT_THAT(reading_error(replaced(kBoot, " a p", " c p")), HasSubstr("lists out of order"));
  EXPECT_THAT(reading_error(replaced(kBoot, " a p", " a/b p")), HasSubstr("no '/'"));
  EXPECT_THAT(reading_error(replaced(kBoot, " a p", " a\\x2fb p")), HasSubstr("needs none"));
  EXPECT_THAT(reading_error(replaced(kBoot, " a p\\x201 signer", " a p")), HasSubstr("without a signer"));
  EXPECT_THAT(reading_error(replaced(kBoot, " a p\\x201 signer", " a p ")), HasSubstr("1 to 1024 bytes"));
  EXPECT_THAT(reading_error(replaced(kBoot, " a p", " \\x61 p")), HasSubstr("needs none"));
  EXPECT_THAT(reading_error(replaced(kBoot, " a p\\x201 signer", " a")), HasSubstr("without a package"));
  EXPECT_THAT(reading_error(replaced(kBoot, "p\\x201", "")), HasSubstr("a package must have 1 to 1024"));
  EXPECT_THAT(reading_error(replaced(kRemove, " a\n", " a p\n")), HasSubstr("bad escape"));
  EXPECT_THAT(reading_error(replaced(kBoot, "\\xff", "\\xFF")), HasSubstr("bad escape"));
  EXPECT_THAT(reading_error(replaced(kBoot, "\\xff", "\xff")), HasSubstr("bad escape"));
  EXPECT_THAT(reading_error(replaced(kBoot, "end", "list")), HasSubstr("hexadecimal"));
  EXPECT_THAT(reading_error(replaced(kBoot, "end", "end x")), HasSubstr("'end' alone"));
  EXPECT_THAT(reading_error(kBoot + "end\n"), HasSubstr("bytes after the end"));
  EXPECT_THAT(reading_error(replaced(kRemove, "list " + hex_of('7') + " a\n", "")),
              HasSubstr("a change without a list"));
}

TEST(Manifest, WritesNothingThatItCouldNotRead) {
  Manifest manifest = boot_manifest();
  manifest.lists[0].name = "a";
  EXPECT_THAT(write(manifest), HasSubstr("two lists of one name"));
  manifest.lists[0].name = "x/y";
  EXPECT_THAT(write(manifest), HasSubstr("cannot be a name"));
  manifest.lists[0].name = std::string(256, 'x');
  EXPECT_THAT(write(manifest), HasSubstr("cannot be a name"));
  manifest = boot_manifest();
  manifest.lists[0].signer = "";
  EXPECT_THAT(write(manifest), HasSubstr("signer"));
  manifest = boot_manifest();
  manifest.lists[0].package = "-";
  EXPECT_THAT(write(manifest), HasSubstr("not a name of a package"));
  manifest = boot_manifest();
  manifest.boot.loader_hash.pop_back();
  EXPECT_THAT(write(manifest), HasSubstr("loader hash of 31 bytes"));
  manifest = boot_manifest();
  manifest.boot.keys[0].fingerprint = "md5:00";
  EXPECT_THAT(write(manifest), HasSubstr("not a fingerprint"));
  manifest = boot_manifest();
  manifest.number = 2;
  EXPECT_THAT(write(manifest), HasSubstr("manifest number 2 of kind boot"));
  manifest = Manifest();
  manifest.kind = ManifestKind::kAdd;
  manifest.number = 2;
  manifest.previous = hash_of(1);
  EXPECT_THAT(write(manifest), HasSubstr("changes nothing"));
}

// A long user ID must not keep a machine from booting.
TEST(Manifest, CutsLongTexts) {
  Manifest manifest = boot_manifest();
  manifest.lists[1].signer = std::string(5000, 's');
  manifest.lists[1].package = std::string(5000, 'p');
  const auto read = read_manifest(as_bytes(write(manifest)));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->lists[0].signer, std::string(1024, 's'));
  EXPECT_EQ(read->lists[0].package, std::string(1024, 'p'));
}

TEST(Manifest, Path) {
  EXPECT_EQ(manifest_path(17), "/run/diglim/manifest.17");
}

}  // namespace
}  // namespace diglim
