// SPDX-License-Identifier: Apache-2.0
#include "loader/advice.h"

#include <string_view>

namespace diglim {
namespace {

struct Advice {
  std::string_view part;  // of the reason
  std::string_view next;
};

// By the words of lib/, which tests there and in advice_test.cpp hold fast. The first that fits.
constexpr Advice kAdvice[] = {
    {"revoked since ", "install a version that is not revoked (see: diglim revoke list)"},
    {"a deny list revokes", "a version that another key signed counts (see: diglim revoke list)"},
    {"no trusted ",
     "to trust a key: diglim key add KEY (see: diglim key list), reboot (in force: diglim-loader status)"},
    {"signatures are not allowed",
     "to let them count: allow-signature-hash in /etc/diglim/loader.conf, rebuild the initramfs, reboot"},
    {"no appended signature", "sign it (compact_gen -k KEY -c CERTIFICATE), or name a signed package"},
    {"no header signature",
     "get the signed package, or list its files with compact_gen -k KEY -c CERTIFICATE"},
    {"the signature is wrong", "get the file again"},
    {"the content is not what was signed", "get or sign the file again"},
    {"bad signature", "get or sign the file again"},
};

}  // namespace

std::string list_advice(const Error& error) {
  if (error.code == ErrorCode::kCorrupt) return "; damaged or cut short: get or make the file again";
  if (error.code != ErrorCode::kUntrusted) return {};
  for (const Advice& advice : kAdvice) {
    if (error.message.find(advice.part) != std::string::npos) return "; " + std::string(advice.next);
  }
  return {};
}

}  // namespace diglim
