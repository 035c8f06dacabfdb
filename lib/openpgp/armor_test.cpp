// SPDX-License-Identifier: Apache-2.0
#include "lib/openpgp/armor.h"

#include <gtest/gtest.h>

#include "lib/openpgp/test_writer.h"

namespace diglim::openpgp {
namespace {

const std::string kBegin = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n";
const std::string kEnd = "-----END PGP PUBLIC KEY BLOCK-----\n";

// The blocks in hexadecimal, or the error.
std::string read(const std::string& text) {
  const auto blocks = read_key_armor(as_bytes(text), 4);
  if (!blocks) return blocks.error().message;
  std::string out;
  for (const ArmorBlock& block : *blocks) {
    out += std::to_string(block.offset) + (block.kind == ArmorKind::kPrivateKey ? "!" : "=") +
           to_hex(block.content) + " ";
  }
  return out;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  text.replace(text.find(what), what.size(), by);
  return text;
}

TEST(Armor, ReadsWhatTheWriterMakes) {
  for (size_t size = 0; size < 200; ++size) {
    Bytes content(size);
    for (size_t i = 0; i < size; ++i) content[i] = static_cast<uint8_t>(i * 7 + size);
    const Bytes text = test::armor(content);
    EXPECT_EQ(read(std::string(as_text(text))), "0=" + to_hex(content) + " ");
  }
}

TEST(Armor, TakesSeveralBlocksAmongText) {
  const std::string block = kBegin + "Version: x\n\nAQID\n=" + "AQID" + "\n" + kEnd;
  EXPECT_EQ(read(block), "offset 54: the checksum of the armour is wrong: the file was damaged");
  const std::string plain = kBegin + "\nAQID\n" + kEnd;
  EXPECT_EQ(read("key 1:\n" + plain + "key 2:\r\n" + plain + "-----BEGIN PGP SIGNATURE-----\nAQID\n"),
            "7=010203 93=010203 ");
  EXPECT_EQ(read(plain + plain + plain + plain + plain), "offset 312: too many armour blocks");
  EXPECT_EQ(read("no key here"), "");
}

TEST(Armor, LineEndsBlanksAndHeadersDoNotMatter) {
  EXPECT_EQ(read(kBegin + "\r\nAQID\r\n" + kEnd), "0=010203 ");
  EXPECT_EQ(read(kBegin + "\t \nAQ  \nID \t\r\n" + kEnd), "0=010203 ");
  EXPECT_EQ(read(kBegin + "AQID\n" + kEnd), "0=010203 ") << "no blank line";
  EXPECT_EQ(read(kBegin + "Comment: AQID\nVersion:\n\nAQID\n" + kEnd), "0=010203 ");
  EXPECT_EQ(read(replaced(kBegin, "-----\n", "-----\r\n") + "\r\nAQID\r\n-----END PGP PUBLIC KEY BLOCK-----"),
            "0=010203 ");
}

TEST(Armor, RefusesDamage) {
  EXPECT_EQ(read(kBegin + "\nAQID\n"), "offset 0: the armour has no end line");
  EXPECT_EQ(read(kBegin + "\nAQ*D\n" + kEnd), "offset 38: not a base64 character in this line");
  EXPECT_EQ(read(kBegin + "\nAQI\n" + kEnd), "offset 42: base64 ends in the middle");
  EXPECT_EQ(read(kBegin + "\nAQ=\n" + kEnd), "offset 42: base64 ends in the middle");
  EXPECT_EQ(read(kBegin + "\nAR==\n" + kEnd), "offset 43: base64 ends in the middle")
      << "bits that mean nothing";
  EXPECT_EQ(read(kBegin + "\nAQ==AQ==\n" + kEnd), "offset 38: base64 goes on after its end");
  EXPECT_EQ(read(kBegin + "\nAQID\n====\n" + kEnd), "offset 43: '=' where base64 needs none");
  const std::string good(as_text(test::armor(Bytes{1, 2, 3})));
  EXPECT_EQ(read(replaced(good, "\n=", "\n=\n=")), "offset 67: '=' where base64 needs none");
  EXPECT_EQ(read(replaced(good, "-----END", "AQID\n-----END")),
            "offset 73: text after the checksum of the armour");
}

TEST(Armor, TellsSecretKeysApart) {
  std::string text = kBegin + "\nAQID\n" + kEnd;
  text = replaced(replaced(text, "PUBLIC", "PRIVATE"), "PUBLIC", "PRIVATE");
  EXPECT_EQ(read(text), "0!010203 ");
}

}  // namespace
}  // namespace diglim::openpgp
