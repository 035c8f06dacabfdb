// SPDX-License-Identifier: Apache-2.0
#include "lib/openpgp/key_state.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "lib/crypto/public_key.h"
#include "lib/openpgp/algorithm.h"

namespace diglim::openpgp {
namespace {

bool in_force(const Statement& statement, uint32_t time) {
  return statement.made <= time && (statement.lapses == 0 || time < statement.lapses);
}

template <typename Matches>
const Statement* newest(const Key& key, Matches matches) {
  const auto found = std::find_if(key.statements.begin(), key.statements.end(), matches);
  return found == key.statements.end() ? nullptr : &*found;
}

// The soft revocation that no statement made after it, up to `time`, has taken back. At equal times the
// revocation wins.
std::optional<uint32_t> soft_revocation(const Key& key, uint32_t time) {
  const Statement* last = newest(key, [&](const Statement& s) { return s.made <= time; });
  const uint32_t since = last != nullptr ? last->made : 0;
  std::optional<uint32_t> first;
  for (const uint32_t at : key.soft_revocations) {
    if (at >= since && at <= time && (!first || at < *first)) first = at;
  }
  return first;
}

constexpr size_t kMinRsaBits = 2048;

}  // namespace

std::string refusal_of_material(const Key& key) {
  if (!key.public_key)
    return is_verifiable(key.algorithm) ? "its curve is not supported"
                                        : algorithm_name(key.algorithm) + " is not supported";
  const bool is_rsa = key.algorithm == kRsa || key.algorithm == kRsaSign;
  if (is_rsa && key_bits(key.public_key.get()) < kMinRsaBits)
    return "RSA keys of less than 2048 bits are not accepted";
  return {};
}

KeyState state_at(const Key& key, uint32_t time) {
  KeyState state;
  state.soft_revoked_at = soft_revocation(key, time);
  const auto pick = [&](auto matches) {
    const Statement* last = newest(key, matches);
    if (last != nullptr && !last->not_understood.empty())
      return std::pair(last, static_cast<const Statement*>(nullptr));
    const auto counts = [&](const Statement& s) { return s.not_understood.empty() && matches(s); };
    const Statement* direct = newest(key, [&](const Statement& s) { return s.direct_key && counts(s); });
    const Statement* other = newest(key, [&](const Statement& s) { return !s.direct_key && counts(s); });
    // RFC 9580 section 5.2.3.10: in v6 the direct-key signature speaks for the key; before, the one over the
    // user ID does, and the direct-key signature fills in what that one leaves out.
    return key.version == 6 ? std::pair(direct, other) : std::pair(other, direct);
  };
  auto [first, second] = pick([&](const Statement& s) { return in_force(s, time); });
  if (first == nullptr && second == nullptr) {
    std::tie(first, second) = pick([&](const Statement& s) { return s.made > time; });
  }
  if (first == nullptr && second == nullptr) {
    state.may_sign = key.statements.empty();  // else all of them have lapsed
    return state;
  }
  if (first == nullptr) std::swap(first, second);
  state.not_understood = first->not_understood;
  if (!state.not_understood.empty()) return state;
  state.expires = first->key_expires.value_or(0);
  state.may_sign = first->may_sign.value_or(true);
  if (second == nullptr) return state;
  if (!first->key_expires) state.expires = second->key_expires.value_or(0);
  if (!first->may_sign) state.may_sign = second->may_sign.value_or(true);
  return state;
}

void settle(Key& key) {
  // Of two of one time the one that may restrict comes first.
  std::stable_sort(key.statements.begin(), key.statements.end(), [](const Statement& a, const Statement& b) {
    return std::pair(a.made, !a.not_understood.empty()) > std::pair(b.made, !b.not_understood.empty());
  });
  const KeyState state = state_at(key, std::numeric_limits<uint32_t>::max());
  key.expires = state.expires;
  key.may_sign = state.may_sign;
  key.revoked_soft_at = state.soft_revoked_at;
  key.not_understood = state.not_understood;
}

}  // namespace diglim::openpgp
