// SPDX-License-Identifier: Apache-2.0
// What the tests of this directory share: keys that are made once a program, and a judgement as one line of
// text.
#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "lib/openpgp/signature.h"
#include "lib/openpgp/test_writer.h"

namespace diglim::openpgp::test {

// 2020-01-01, when the keys were made; the times of the tests count from here.
constexpr uint32_t kMade = 1577836800;
constexpr uint32_t kDay = 86400;

inline const TestKey& made_once(Algo algo, uint8_t version, int number) {
  static std::vector<std::pair<std::tuple<Algo, uint8_t, int>, std::unique_ptr<TestKey>>> keys;
  const std::tuple wanted(algo, version, number);
  for (const auto& [name, key] : keys) {
    if (name == wanted) return *key;
  }
  keys.emplace_back(
      wanted, std::make_unique<TestKey>(TestKey::generate(algo, kMade, "Tester <t@example.org>", version)));
  return *keys.back().second;
}
inline const TestKey& rsa_key(int number = 0) {
  return made_once(Algo::kRsa2048, 4, number);
}
inline const TestKey& ec_key(int number = 0) {
  return made_once(Algo::kP256, 4, number);
}
inline const TestKey& ed_key(int number = 0) {
  return made_once(Algo::kEd25519Legacy, 4, number);
}
inline const TestKey& v6_key(int number = 0) {
  return made_once(Algo::kEd25519, 6, number);
}

// "good", "bad: reason", "unknown key: reason", "not counted: reason".
inline std::string outcome(const Judgement& judgement) {
  switch (judgement.verdict) {
    case Verdict::kGood:
      return "good" + judgement.reason;
    case Verdict::kBad:
      return "bad: " + judgement.reason;
    case Verdict::kUnknownKey:
      return "unknown key: " + judgement.reason;
    case Verdict::kNotCounted:
      break;
  }
  return "not counted: " + judgement.reason;
}

inline Result<std::vector<Judgement>> judge_over(ByteView signatures, std::string_view message,
                                                 std::span<const Certificate> trusted) {
  MessageHash hash(as_bytes(message));
  return judge_signatures(signatures, 0, hash, trusted, {});
}

// The outcomes of all signatures, separated by "; ", or the error.
inline std::string judge(ByteView signatures, std::string_view message, const std::vector<Bytes>& key_files,
                         const SignaturePolicy& policy = {}) {
  std::vector<Certificate> trusted;
  for (const Bytes& file : key_files) {
    auto read = read_certificates(file);
    if (!read) return "key file: " + read.error().message;
    for (Certificate& certificate : *read) trusted.push_back(std::move(certificate));
  }
  MessageHash hash(as_bytes(message));
  const auto judgements = judge_signatures(signatures, 0, hash, trusted, policy);
  if (!judgements) return "error: " + judgements.error().message;
  std::string text;
  for (const Judgement& judgement : *judgements) text += (text.empty() ? "" : "; ") + outcome(judgement);
  return text;
}

}  // namespace diglim::openpgp::test
